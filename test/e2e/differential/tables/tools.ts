// The calls of Kafka's own tools: log directories, elections, reassignments, producers, features, the quorum, and access rules.
import {
  AlterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  AlterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  DeleteRecords,
  type DeleteRecordsRequest,
  DescribeAcls,
  DescribeLogDirs,
  DescribeProducers,
  DescribeQuorum,
  ElectLeaders,
  type ElectLeadersRequest,
  ListPartitionReassignments,
  Produce,
  UnregisterBroker,
  UpdateFeatures,
  type UpdateFeaturesRequest,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, type RowOptions, rowsOf } from '../row.ts'
import { batch, logTopic, records } from './parts.ts'

const aclRows = rowsOf(DescribeAcls, (row) => {
  row('all access rules', async (with_) => {
    const any = { resourceTypeFilter: 1, operation: 1, permissionType: 1 }
    await with_.send(DescribeAcls, { ...any, resourceNameFilter: null, principalFilter: null, hostFilter: null })
  })
})

const logDirRows = rowsOf(DescribeLogDirs, (row) => {
  const describes = (what: string, partitions: readonly number[]): void =>
    row(what, async (with_) => {
      const topic = await with_.topic('a', { partitions: 2 })
      await with_.send(DescribeLogDirs, {
        topics: [
          { topic, partitions },
          { topic: with_.name('missing'), partitions: [0] },
        ],
      })
    })
  describes('partitions of a topic, and a missing topic', [0, 1])
  describes('a partition and a missing one', [0, 7])
  describes('a partition twice', [0, 0])
  row('no topics', async (with_) => void (await with_.send(DescribeLogDirs, { topics: [] })))
})

const deleteRecordsRows = rowsOf(DeleteRecords, (row) => {
  const deletes = (what: string, topics: (name: string, with_: Conversation) => DeleteRecordsRequest['topics']): void =>
    row(what, async (with_) => {
      const topic = await logTopic(with_, { partitions: 2 })
      const partitionData = [{ index: 0, records: batch(records(3)) }]
      await with_.ask(Produce, { acks: -1, timeoutMs: 10_000, topicData: [{ topicId: with_.idOf(topic), partitionData }] })
      await with_.send(DeleteRecords, { topics: topics(topic, with_), timeoutMs: 5_000 })
      await with_.send(DeleteRecords, { topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 5_000 })
    })
  const at = (name: string, ...offsets: readonly (readonly [partition: number, offset: number])[]) => {
    return [{ name, partitions: offsets.map(([partitionIndex, offset]) => ({ partitionIndex, offset })) }]
  }
  deletes('some records', (name) => at(name, [0, 2]))
  deletes('all records', (name) => at(name, [0, -1], [1, -1]))
  deletes('records beyond the end', (name) => at(name, [0, 4], [1, 1]))
  deletes('at offsets that do not exist', (name) => at(name, [0, -2], [1, 2 ** 53 - 1]))
  deletes('of partitions that do not exist', (name, with_) => [...at(name, [7, 0], [-1, 0]), ...at(with_.name('missing'), [0, 0])])
  deletes('of one partition twice', (name) => at(name, [0, 2], [0, 1]))
  deletes('of one topic twice', (name) => [...at(name, [0, 1]), ...at(name, [1, 0])])
  deletes('of a name that is not valid', () => at('a b', [0, 0]))
  deletes('nothing', () => [])
  row('of a topic that keeps everything', async (with_) => {
    const topic = await with_.topic('a', { configs: { 'cleanup.policy': '' } })
    await with_.send(DeleteRecords, { topics: at(topic, [0, 0]), timeoutMs: 5_000 })
  })
})

const alterLogDirRows = rowsOf(AlterReplicaLogDirs, (row) => {
  const moves = (what: string, dirs: (topic: string, with_: Conversation) => AlterReplicaLogDirsRequest['dirs']): void =>
    row(what, async (with_) => {
      const topic = await with_.topic('a', { partitions: 2 })
      await with_.send(AlterReplicaLogDirs, { dirs: dirs(topic, with_) })
    })
  moves('to a directory that does not exist', (name, with_) => [
    {
      path: '/x',
      topics: [
        { name, partitions: [0, 7] },
        { name: with_.name('missing'), partitions: [0] },
      ],
    },
    { path: 'x', topics: [{ name, partitions: [1] }] },
  ])
  moves('nothing', () => [])
})

const electionRows = rowsOf(ElectLeaders, (row) => {
  const elects = (
    what: string,
    request: (topic: string, with_: Conversation) => Partial<ElectLeadersRequest>,
    options?: RowOptions,
  ): void =>
    row(
      what,
      async (with_) => {
        const topic = await with_.topic('a', { partitions: 2 })
        await with_.send(ElectLeaders, { topicPartitions: [], timeoutMs: 5_000, ...request(topic, with_) })
      },
      options,
    )
  elects('leaders that are elected, and missing ones', (topic, with_) => ({
    topicPartitions: [
      { topic, partitions: [0, 7, -1] },
      { topic: with_.name('missing'), partitions: [0] },
    ],
  }))
  elects('a partition twice', (topic) => ({ topicPartitions: [{ topic, partitions: [0, 0] }] }))
  elects('an unclean election', (topic) => ({ topicPartitions: [{ topic, partitions: [0] }], electionType: 1 }), { versions: '1+' })
  elects('an election of a type that does not exist', (topic) => ({ topicPartitions: [{ topic, partitions: [0] }], electionType: 7 }), {
    versions: '1+',
  })
  elects('nothing', () => ({}))
})

const reassignmentRows = rowsOf(AlterPartitionReassignments, (row) => {
  const moves = (
    what: string,
    topics: (name: string, with_: Conversation) => AlterPartitionReassignmentsRequest['topics'],
    options?: RowOptions,
  ): void =>
    row(
      what,
      async (with_) => {
        const name = await with_.topic('a', { partitions: 2 })
        await with_.send(AlterPartitionReassignments, { topics: topics(name, with_), timeoutMs: 5_000 })
      },
      options,
    )
  const to = (name: string, replicas: readonly number[] | null, partitionIndex = 0) => [
    { name, partitions: [{ partitionIndex, replicas }] },
  ]
  moves('a cancellation of nothing', (name) => to(name, null))
  moves('a partition to where it is', (name, { server: { nodeId } }) => to(name, [nodeId]))
  moves('a partition to an unknown broker', (name) => to(name, [77]))
  moves('a partition to a broker and an unknown one', (name, { server: { nodeId } }) => to(name, [nodeId, 77]))
  moves('a partition to one broker twice', (name, { server: { nodeId } }) => to(name, [nodeId, nodeId]))
  moves('a partition to no broker', (name) => to(name, []))
  moves('a missing partition', (name) => to(name, null, 7))
  moves('a missing topic', (_, with_) => to(with_.name('missing'), null))
  moves('nothing', () => [])
})

const reassignmentListRows = rowsOf(ListPartitionReassignments, (row) => {
  row('all topics', async (with_) => void (await with_.send(ListPartitionReassignments, { topics: null, timeoutMs: 5_000 })))
  row('a topic and a missing one', async (with_) => {
    const topics = [await with_.topic(), with_.name('missing')].map((name) => ({ name, partitionIndexes: [0, 7] }))
    await with_.send(ListPartitionReassignments, { topics, timeoutMs: 5_000 })
  })
})

const producerRows = rowsOf(DescribeProducers, (row) => {
  row('partitions without producers, and missing ones', async (with_) => {
    const topics = [await with_.topic(), with_.name('missing'), 'a b'].map((name) => ({ name, partitionIndexes: [0, 7] }))
    await with_.send(DescribeProducers, { topics })
  })
  row('nothing', async (with_) => void (await with_.send(DescribeProducers, { topics: [] })))
})

const featureRows = rowsOf(UpdateFeatures, (row) => {
  const updates = (what: string, featureUpdates: UpdateFeaturesRequest['featureUpdates'][number][], options?: RowOptions): void =>
    row(
      what,
      async (with_) => {
        const requested = featureUpdates.map(({ feature, maxVersionLevel, upgradeType }) => ({
          feature,
          maxVersionLevel,
          ...(with_.version > 0 && { upgradeType }),
        }))
        await with_.send(UpdateFeatures, { featureUpdates: requested, timeoutMs: 5_000 })
      },
      options,
    )
  const feature = (maxVersionLevel: number, upgradeType = 1) => ({ feature: 'foo', maxVersionLevel, allowDowngrade: false, upgradeType })
  updates('an unknown feature', [feature(1)])
  updates('a level below 0', [feature(-1)])
  updates('a type of upgrade that does not exist', [feature(1, 9)], { versions: '1+' })
  updates('nothing', [])
})

const quorumRows = rowsOf(DescribeQuorum, (row) => {
  const describes = (
    what: string,
    topicName: (with_: Conversation) => string,
    options: RowOptions & { readonly partitionIndex?: number } = {},
  ): void =>
    row(
      what,
      async (with_) => {
        const partitions = [{ partitionIndex: options.partitionIndex ?? 0 }]
        await with_.send(DescribeQuorum, { topics: [{ topicName: topicName(with_), partitions }] })
      },
      options,
    )
  describes('the metadata log', () => '__cluster_metadata', { differs: ['quorum-log'] })
  describes('another partition of it', () => '__cluster_metadata', { partitionIndex: 1 })
  describes('another topic', (with_) => with_.name())
  row('nothing', async (with_) => void (await with_.send(DescribeQuorum, { topics: [] })))
})

const brokerRows = rowsOf(UnregisterBroker, (row) => {
  for (const brokerId of [77, -1]) row(`broker ${brokerId}`, async (with_) => void (await with_.send(UnregisterBroker, { brokerId })))
})

export const toolTable: readonly RequestRow[] = [
  ...aclRows,
  ...logDirRows,
  ...alterLogDirRows,
  ...deleteRecordsRows,
  ...electionRows,
  ...reassignmentRows,
  ...reassignmentListRows,
  ...producerRows,
  ...featureRows,
  ...quorumRows,
  ...brokerRows,
]
