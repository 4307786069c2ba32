// lks topic list: the topics of a cluster, sorted by name.
import { withCluster } from '../../cluster/cluster-client.ts'
import { clusterState, type TopicState } from '../../cluster/cluster-metadata.ts'
import type { ClientCommand, CommandContext, ParsedCommand } from '../client-command.ts'
import { controlOption, controlPlaneOf } from '../control-option.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const topicList: ClientCommand = {
  path: ['topic', 'list'],
  summary: 'List the topics with their partitions.',
  arguments: [],
  options: [
    { name: 'internal', short: 'i', doc: 'Also list internal topics, such as __consumer_offsets.' },
    { name: 'deleted', doc: 'Only list deleted topics, which `lks topic undelete` can bring back. Asks the control plane.' },
    controlOption,
    outputOption,
  ],
  examples: ['lks topic list', 'lks topic list -o name', 'lks topic list --deleted', 'lks topic list -b broker:9092 -o json'],
  async run(given, context) {
    if (given.flag('deleted')) return await listDeleted(given, context)
    await withCluster(context, async (cluster) => {
      const { topics } = await clusterState(cluster, null)
      const shown = topics.filter(({ internal }) => !internal || given.flag('internal'))
      show(context.terminal, formatOf(given), {
        value: shown.map((topic) => ({
          name: topic.name,
          id: topic.id,
          partitions: topic.partitions.length,
          replicationFactor: replicasOf(topic),
          internal: topic.internal,
        })),
        names: shown.map(({ name }) => name),
        blocks: shown.length === 0 ? [] : [tableBlock(columns, shown)],
        nothing: 'there are no topics; create one: lks topic create NAME',
      })
    })
  },
}

interface DeletedTopicRow {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly purgeAt: string
}

async function listDeleted(given: ParsedCommand, context: CommandContext): Promise<void> {
  const { topics }: { readonly topics: readonly DeletedTopicRow[] } = await controlPlaneOf(given, context).call('GET', '/deleted-topics')
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

const columns: readonly Column<TopicState>[] = [
  { header: 'TOPIC', value: ({ name }) => name },
  { header: 'PARTITIONS', value: ({ partitions }) => partitions.length, align: 'right' },
  { header: 'REPLICAS', value: replicasOf, align: 'right' },
]

export function replicasOf({ partitions }: TopicState): number {
  return partitions[0]?.replicas.length ?? 0
}
