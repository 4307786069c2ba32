// lks metadata: what a cluster tells its clients, as kcat -L prints it: the brokers, and each partition with its leader and replicas.
import { withCluster } from '../cluster/cluster-client.ts'
import { type ClusterState, clusterState, type TopicPartitionState, type TopicState } from '../cluster/cluster-metadata.ts'
import type { ClientCommand } from './client-command.ts'
import { brokerColumns } from './cluster/cluster-info.ts'
import { fieldsBlock, formatOf, outputOption, show, type TextBlock, tableBlock } from './output/output.ts'
import type { Column } from './output/table.ts'
import { existing } from './topic/topic-names.ts'
import { namedTopics, orPatterns } from './topic/topic-pattern.ts'
import { ranges } from './words.ts'

export const metadata: ClientCommand = {
  path: ['metadata'],
  summary: 'Show brokers, topics and partition leaders, as kcat -L does.',
  arguments: [{ name: 'topic', required: false, variadic: true, doc: `Only these topics${orPatterns} Default: all.`, completes: 'topic' }],
  options: [outputOption],
  examples: ['lks metadata', 'lks metadata orders', "lks metadata 'orders-*' -b broker:9092 -o json"],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const names = given.arguments.length === 0 ? null : await namedTopics(cluster, given.arguments)
      const state = await clusterState(cluster, names)
      const topics = names === null ? state.topics : names.map((name) => existing(cluster, state, name))
      show(context.terminal, formatOf(given), {
        value: valueOf({ ...state, topics }),
        names: topics.map(({ name }) => name),
        blocks: blocksOf({ ...state, topics }),
      })
    })
  },
}

function valueOf({ clusterId, controllerId, brokers, topics }: ClusterState): unknown {
  return {
    clusterId,
    controllerId,
    brokers,
    topics: topics.map(({ name, id, internal, partitions }) => ({ name, id, internal, partitions })),
  }
}

function blocksOf({ clusterId, controllerId, brokers, topics }: ClusterState): readonly TextBlock[] {
  const rows = topics.flatMap((topic) => topic.partitions.map((partition): LedPartition => ({ topic, ...partition })))
  const facts = fieldsBlock([
    ['Cluster id', clusterId ?? '-'],
    ['Brokers', brokers.length],
    ['Topics', `${topics.length}, with ${rows.length} partitions`],
  ])
  const blocks = [facts, tableBlock(brokerColumns(controllerId), brokers)]
  if (rows.length > 0) blocks.push(tableBlock(columns, rows))
  return blocks
}

interface LedPartition extends TopicPartitionState {
  readonly topic: TopicState
}

const columns: readonly Column<LedPartition>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic.name },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  {
    header: 'LEADER',
    value: ({ leader }) => (leader < 0 ? 'none' : leader),
    align: 'right',
    style: ({ leader }) => (leader < 0 ? 'wrong' : undefined),
  },
  { header: 'REPLICAS', value: ({ replicas }) => ranges(replicas) },
  { header: 'IN SYNC', value: ({ isr }) => ranges(isr) },
]
