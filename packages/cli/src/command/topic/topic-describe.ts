// lks topic describe: a topic's partitions with their leaders and offsets, and the configs that were set.
import { type ClusterClient, withCluster } from '../../cluster/cluster-client.ts'
import { type ClusterState, clusterState, type TopicPartitionState, type TopicState } from '../../cluster/cluster-metadata.ts'
import { type ConfigEntry, describeConfigs, isSet } from '../../cluster/configs.ts'
import { earliest, keyOf, latest, offsetsAt } from '../../cluster/offsets.ts'
import type { ClientCommand } from '../client-command.ts'
import { forEachShown } from '../each.ts'
import { fieldsBlock, formatOf, outputOption, type TextBlock, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { orUnknown, ranges } from '../words.ts'
import { replicasOf } from './topic-list.ts'
import { existing } from './topic-names.ts'
import { namedTopics, orPatterns } from './topic-pattern.ts'

export const topicDescribe: ClientCommand = {
  path: ['topic', 'describe'],
  summary: 'Show the partitions, offsets and configs of topics.',
  arguments: [{ name: 'topic', required: true, variadic: true, doc: `Their names${orPatterns}`, completes: 'topic' }],
  options: [outputOption],
  examples: ['lks topic describe orders', "lks topic describe 'orders-*'", 'lks topic describe orders -o json'],
  async run(given, context) {
    await withCluster(context, async (cluster) => {
      const names = await namedTopics(cluster, given.arguments)
      const state = await clusterState(cluster, names)
      await forEachShown(names, context, {
        act: (name) => describe(cluster, state, existing(cluster, state, name)),
        view: (described) => ({
          value: described.map(valueOf),
          names: described.map(({ topic }) => topic.name),
          blocks: described.flatMap(blocksOf),
        }),
        format: formatOf(given),
      })
    })
  },
}

interface TopicDetails {
  readonly topic: TopicState
  readonly configs: readonly ConfigEntry[]
  readonly partitions: readonly TopicPartitionRow[]
}

interface TopicPartitionRow extends TopicPartitionState {
  /** Undefined: the leader does not report it. */
  readonly start: number | undefined
  readonly end: number | undefined
}

async function describe(cluster: ClusterClient, state: ClusterState, topic: TopicState): Promise<TopicDetails> {
  const refs = topic.partitions.map(({ partition }) => ({ topic: topic.name, partition }))
  const [starts, ends, configs] = await Promise.all([
    offsetsAt(cluster, state, refs, earliest),
    offsetsAt(cluster, state, refs, latest),
    cluster.serves('DescribeConfigs') ? describeConfigs(cluster, { kind: 'topic', name: topic.name }, null) : [],
  ])
  const partitions = topic.partitions.map((partition) => {
    const key = keyOf({ topic: topic.name, partition: partition.partition })
    return { ...partition, start: starts.get(key), end: ends.get(key) }
  })
  return { topic, configs: configs.filter(isSet), partitions }
}

function valueOf({ topic, configs, partitions }: TopicDetails): unknown {
  return {
    name: topic.name,
    id: topic.id,
    internal: topic.internal,
    replicationFactor: replicasOf(topic),
    configs: Object.fromEntries(configs.map(({ name, value }) => [name, value])),
    partitions: partitions.map(({ partition, leader, leaderEpoch, replicas, isr, start, end }) => ({
      partition,
      leader,
      leaderEpoch,
      replicas,
      isr,
      start: start ?? null,
      end: end ?? null,
    })),
  }
}

function blocksOf({ topic, configs, partitions }: TopicDetails): readonly TextBlock[] {
  const facts: (readonly [string, string | number])[] = [
    ['Topic', topic.name],
    ['Id', orUnknown(topic.id)],
    ['Partitions', partitions.length],
    ['Replicas', replicasOf(topic)],
  ]
  if (topic.internal) facts.push(['Internal', 'yes'])
  for (const [at, { name, value }] of configs.entries()) facts.push([at === 0 ? 'Configs' : '', `${name}=${value ?? ''}`])
  return [fieldsBlock(facts), tableBlock(columns, partitions)]
}

const columns: readonly Column<TopicPartitionRow>[] = [
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'LEADER', value: ({ leader }) => (leader < 0 ? 'none' : leader), align: 'right' },
  { header: 'EPOCH', value: ({ leaderEpoch }) => leaderEpoch, align: 'right' },
  { header: 'REPLICAS', value: ({ replicas }) => ranges(replicas) },
  { header: 'IN SYNC', value: ({ isr }) => ranges(isr) },
  { header: 'START', value: ({ start }) => orUnknown(start), align: 'right' },
  { header: 'END', value: ({ end }) => orUnknown(end), align: 'right' },
]
