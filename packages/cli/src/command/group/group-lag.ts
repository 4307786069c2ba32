// lks group lag: the lag of groups, per topic, once or repeatedly.
import { type ClusterClient, pause, withCluster } from '../../cluster/cluster-client.ts'
import { byTopic, lagOf, type TopicLag, totalLag } from '../../cluster/group-lag.ts'
import { consumingGroups, describeGroup } from '../../cluster/groups.ts'
import type { ClientCommand, CommandContext, ParsedCommand } from '../client-command.ts'
import { durationOption, givenDuration } from '../duration-option.ts'
import { forEachShown } from '../each.ts'
import { formatOf, type OutputView, outputOption, rendered, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const groupLag: ClientCommand = {
  path: ['group', 'lag'],
  summary: 'Show the lag of groups.',
  arguments: [{ name: 'group', required: false, variadic: true, doc: 'The group ids. Default: all groups.', completes: 'group' }],
  options: [
    { name: 'watch', short: 'w', doc: 'Repeat until Ctrl-C; with -o json each repetition is one line of JSON.' },
    durationOption({ name: 'every', default: '2s', doc: 'The interval of --watch.' }),
    outputOption,
  ],
  examples: ['lks group lag', 'lks group lag billing --watch', 'lks group lag billing -o json | jq .[0].lag'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      if (given.flag('watch')) await watch(cluster, given, context)
      else {
        const groups = given.arguments.length > 0 ? [...new Set(given.arguments)] : await consumingGroups(cluster)
        await forEachShown(groups, context, { act: (group) => lagOfGroup(cluster, group), view: viewOf, format: formatOf(given) })
      }
    })
  },
}

interface GroupTopicLag extends TopicLag {
  readonly group: string
}

interface GroupLag {
  readonly group: string
  readonly lag: number
  readonly topics: readonly TopicLag[]
}

async function lags(cluster: ClusterClient, ids: readonly string[]): Promise<readonly GroupLag[]> {
  const found: GroupLag[] = []
  for (const group of ids) found.push(await lagOfGroup(cluster, group))
  return found
}

/** Rejects for an unknown group: it must not look like a group without lag. */
async function lagOfGroup(cluster: ClusterClient, group: string): Promise<GroupLag> {
  const { members } = await describeGroup(cluster, group)
  const partitions = await lagOf(cluster, group, members)
  return { group, lag: totalLag(partitions), topics: byTopic(partitions) }
}

function viewOf(groups: readonly GroupLag[]): OutputView {
  const rows = groups.flatMap(({ group, topics }) => topics.map((topic) => ({ group, ...topic })))
  return {
    value: groups,
    names: groups.map(({ group }) => group),
    blocks: rows.length === 0 ? [] : [tableBlock(columns, rows)],
    nothing: 'no offsets are committed',
  }
}

/** Resolves when the signal aborts, which is its normal end. */
async function watch(cluster: ClusterClient, given: ParsedCommand, { terminal, signal }: CommandContext): Promise<void> {
  const everyMs = givenDuration(given.option('every') ?? '2s')
  const format = formatOf(given)
  try {
    for (;;) {
      const groups = given.arguments.length > 0 ? [...new Set(given.arguments)] : await consumingGroups(cluster)
      const view = viewOf(await lags(cluster, groups))
      if (format === 'json') terminal.data.write(`${JSON.stringify({ time: new Date().toISOString(), groups: view.value })}\n`)
      else {
        // On a terminal each result replaces the previous one.
        const before = terminal.interactive ? '\u001b[H\u001b[2J' : ''
        const title = format === 'table' ? `${new Date().toISOString()}\n` : ''
        terminal.data.write(
          `${before}${title}${rendered(format, view, terminal)}${format === 'table' && !terminal.interactive ? '\n' : ''}`,
        )
      }
      await pause(everyMs, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

export const topicLagColumns: readonly Column<TopicLag>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITIONS', value: ({ partitions }) => partitions, align: 'right' },
  { header: 'LAG', value: lagView, align: 'right', style: ({ lag }) => (lag > 0 ? 'lag' : undefined) },
]

/** A lag that leaves partitions out says so. `unknown`: the number of these partitions. */
export function lagView({ lag, unknown }: Pick<TopicLag, 'lag' | 'unknown'>): number | string {
  return unknown === 0 ? lag : `${lag} + ${unknown} unknown`
}

const columns: readonly Column<GroupTopicLag>[] = [{ header: 'GROUP', value: ({ group }) => group }, ...topicLagColumns]
