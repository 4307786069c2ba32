// lks cluster upkeep: the jobs that look after what a server has stored, with their passes, what is left to do, and problems.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const clusterUpkeep: ClientCommand = {
  path: ['cluster', 'upkeep'],
  summary: 'Show the jobs that look after what a server has stored, such as retention and compaction.',
  arguments: [],
  options: [controlOption, outputOption],
  examples: ['lks cluster upkeep', 'lks cluster upkeep -o json'],
  standalone: true,
  async run(given, context) {
    const { jobs }: { readonly jobs: readonly Job[] } = await controlPlaneOf(given, context).call('GET', '/upkeep')
    show(context.terminal, formatOf(given), {
      value: { jobs },
      names: jobs.map(({ job }) => job),
      blocks: [tableBlock(columns, jobs)],
    })
    for (const { job, problem } of jobs) if (problem !== null) context.terminal.talk.write(`${job}: ${problem}\n`)
  },
}

interface Job {
  readonly job: string
  readonly elsewhere: boolean
  readonly running: boolean
  readonly lastPass: { readonly endedAt: string } | null
  readonly nextPassAt: string | null
  readonly progress: string | null
  readonly backlog: Readonly<Record<string, number>>
  readonly problem: string | null
}

const columns: readonly Column<Job>[] = [
  { header: 'JOB', value: ({ job }) => job },
  { header: 'STATE', value: stateOf },
  { header: 'LAST PASS', value: ({ lastPass }) => lastPass?.endedAt ?? '-' },
  { header: 'NEXT PASS', value: ({ nextPassAt }) => nextPassAt ?? '-' },
  { header: 'LEFT TO DO', value: backlogOf },
]

function stateOf({ elsewhere, running, progress, problem }: Job): string {
  if (elsewhere) return 'on another agent'
  if (running) return progress ?? 'running'
  return problem === null ? 'waiting' : 'has a problem'
}

function backlogOf({ backlog }: Job): string {
  const left = Object.entries(backlog).filter(([, count]) => count > 0)
  return left.length === 0 ? '-' : left.map(([unit, count]) => `${count} ${unit}`).join(', ')
}
