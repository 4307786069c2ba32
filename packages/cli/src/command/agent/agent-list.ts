// lks agent list: the living agents of a cluster, with the slots that each owns.
import type { ClientCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const agentList: ClientCommand = {
  path: ['agent', 'list'],
  summary: 'List the living agents of a Local Kafka Service cluster.',
  arguments: [],
  options: [controlOption, outputOption],
  examples: ['lks agent list', 'lks agent list --url http://kafka.internal:8000 -o json'],
  standalone: true,
  async run(given, context) {
    const { agents } = await controlPlaneOf(given, context).call<{ readonly agents: readonly ListedAgent[] }>('GET', '/agents')
    show(context.terminal, formatOf(given), {
      value: agents,
      names: agents.map(({ agent }) => agent),
      blocks: [tableBlock(columns, agents)],
    })
  },
}

/** As the server sends it. */
interface ListedAgent {
  readonly agent: string
  readonly brokerId: number
  readonly kafka: string
  readonly rack: string | null
  readonly slots: number
  readonly answers: boolean
  readonly control: string | null
}

const columns: readonly Column<ListedAgent>[] = [
  { header: 'AGENT', value: ({ agent }) => agent },
  { header: 'BROKER', value: ({ brokerId }) => brokerId, align: 'right' },
  { header: 'KAFKA', value: ({ kafka }) => kafka },
  { header: 'RACK', value: ({ rack }) => rack ?? '-' },
  { header: 'SLOTS', value: ({ slots }) => slots, align: 'right' },
  { header: 'CONTROL PLANE', value: ({ control }) => control ?? '-' },
]
