// lks topic list: the topics of a cluster, sorted by name.
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { type ClusterState, clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { earliest, keyOf, latest, offsetsAt } from '../../cluster/offsets.ts'
import type { ClientCommand, CommandContext, ParsedCommand } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { orUnknown } from '../words.ts'
import { matcherOf, orPatterns } from './topic-pattern.ts'

export const topicList: ClientCommand = {
  path: ['topic', 'list'],
  summary: 'List the topics with their records and partitions.',
  arguments: [{ name: 'topic', required: false, variadic: true, doc: `Only these topics${orPatterns} Default: all.`, completes: 'topic' }],
  options: [
    { name: 'internal', short: 'i', doc: 'Also list internal topics, such as __consumer_offsets.' },
    { name: 'deleted', doc: 'Only list deleted topics, which `lks topic undelete` can bring back. Asks the control plane.' },
    controlOption,
    outputOption,
  ],
  examples: [
    'lks topic list',
    "lks topic list 'orders-*'",
    'lks topic list -o name',
    'lks topic list --deleted',
    'lks topic list -b broker:9092 -o json',
  ],
  async run(given, context) {
    if (given.flag('deleted')) return await listDeleted(given, context)
    await withCluster(context, async (cluster) => {
      const matches = matcherOf(given.arguments)
      const state = await clusterState(cluster, null)
      const { topics } = state
      const shown = topics.filter(({ name, internal }) => (!internal || given.flag('internal')) && matches(name))
      const format = formatOf(given)
      const counted = format === 'name' ? new Map<string, number>() : await recordCounts(cluster, { ...state, topics: shown })
      const rows = shown.map((topic): ListedTopic => ({ ...topic, records: counted.get(topic.name) }))
      show(context.terminal, format, {
        value: rows.map((topic) => ({
          name: topic.name,
          id: topic.id,
          partitions: topic.partitions.length,
          replicationFactor: replicasOf(topic),
          internal: topic.internal,
          records: topic.records ?? null,
        })),
        names: shown.map(({ name }) => name),
        blocks: rows.length === 0 ? [] : [tableBlock(columns, rows)],
        nothing: topics.length === 0 ? 'there are no topics; create one: lks topic create NAME' : 'no topic matches',
      })
    })
  },
}

interface ListedTopic extends TopicState {
  /** Undefined: not counted, or not known. */
  readonly records: number | undefined
}

/** Partitions whose offsets one listing asks for; topics after them are not counted. */
const countedPartitions = 10_000

/** Records from the start to the end of each topic's partitions, by topic. Without topics that have a partition without a leader. */
async function recordCounts(cluster: ClusterClient, state: ClusterState): Promise<ReadonlyMap<string, number>> {
  let room = countedPartitions
  const topics = state.topics.filter(({ partitions }) => (room -= partitions.length) >= 0)
  const refs = topics.flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
  const [starts, ends] = await Promise.all([offsetsAt(cluster, state, refs, earliest), offsetsAt(cluster, state, refs, latest)])
  const counts = new Map<string, number>()
  for (const { name, partitions } of topics) {
    const bounds = partitions.map(({ partition }) => {
      const key = keyOf({ topic: name, partition })
      return { start: starts.get(key), end: ends.get(key) }
    })
    let records = 0
    for (const { start, end } of bounds) records += start === undefined || end === undefined ? Number.NaN : end - start
    if (!Number.isNaN(records)) counts.set(name, records)
  }
  return counts
}

interface DeletedTopicRow {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly purgeAt: string
}

async function listDeleted(given: ParsedCommand, context: CommandContext): Promise<void> {
  const found: { readonly topics: readonly DeletedTopicRow[] } = await controlPlaneOf(given, context).call('GET', '/deleted-topics')
  const matches = matcherOf(given.arguments)
  const topics = found.topics.filter(({ name }) => matches(name))
  show(context.terminal, formatOf(given), {
    value: topics,
    names: topics.map(({ id }) => id),
    blocks: topics.length === 0 ? [] : [tableBlock(deletedColumns, topics)],
    nothing: 'no deleted topic can be brought back',
  })
}

const deletedColumns: readonly Column<DeletedTopicRow>[] = [
  { header: 'DELETED', value: ({ name }) => name },
  { header: 'ID', value: ({ id }) => id },
  { header: 'PARTITIONS', value: ({ partitions }) => partitions, align: 'right' },
  { header: 'UNTIL', value: ({ purgeAt }) => purgeAt },
]

const columns: readonly Column<ListedTopic>[] = [
  { header: 'TOPIC', value: ({ name }) => name },
  { header: 'RECORDS', value: ({ records }) => orUnknown(records), align: 'right' },
  { header: 'PARTITIONS', value: ({ partitions }) => partitions.length, align: 'right' },
  { header: 'REPLICAS', value: replicasOf, align: 'right' },
]

export function replicasOf({ partitions }: TopicState): number {
  return partitions[0]?.replicas.length ?? 0
}
