// One request for each API, which an agent with the topic `t` answers without an error.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  AlterConfigs,
  AlterReplicaLogDirs,
  type Api,
  CreatePartitions,
  CreateTopics,
  DeleteGroups,
  DeleteRecords,
  DeleteTopics,
  DescribeConfigs,
  DescribeProducers,
  DescribeTopicPartitions,
  DescribeTransactions,
  ElectLeaders,
  encodeSubscription,
  Fetch,
  IncrementalAlterConfigs,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  SaslAuthenticate,
  SyncGroup,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '@local-kafka-service/protocol'
import { type AgentForTests, aBatch } from './an-agent.ts'
import { sampleProducer, smallRequests } from './small-requests.ts'

/** DeleteTopics names `gone-<version>` and CreatePartitions `grown-<version>`; both must exist. `memberId` comes from `withGroups`. */
export function sampleOf(api: Api, version: number, topicId: string, memberId = 'nobody'): object {
  const small = smallRequests.get(api)
  if (small === undefined) throw new Error(`no sample request for ${api.name}`)
  return { ...small({ version, name: 'g', memberId }), ...contents.get(api)?.({ version, topicId, memberId }) }
}

/** Creates the groups that the samples name and returns the id of the only member of `g`; `offsets` and `gone-<version>` have no members. */
export async function withGroups(kafka: AgentForTests): Promise<string> {
  const { memberId, generationId } = await kafka.call(JoinGroup, 3, joining('', 3))
  const sync = { groupId: 'g', generationId, memberId, assignments: [] }
  const { errorCode } = await kafka.call(SyncGroup, 3, sync)
  if (errorCode !== 0) throw new Error(`the group's member was rejected: ${errorCode}`)
  for (const groupId of ['offsets', 'gone-0', 'gone-1', 'gone-2']) await kafka.call(OffsetCommit, 2, committing({ groupId, version: 2 }))
  return memberId
}

/** Begins the transaction of `sampleProducer`, with the partition and the group that the samples name. */
export async function withTransaction(kafka: AgentForTests): Promise<void> {
  const { transactionalId, producerId, producerEpoch } = sampleProducer
  const made = await kafka.call(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 60_000 })
  if (made.producerId !== producerId || made.producerEpoch !== producerEpoch) throw new Error(`another producer: ${JSON.stringify(made)}`)
  await kafka.call(AddOffsetsToTxn, 3, { ...sampleProducer, groupId: 'offsets' })
}

type Contents = (of: { readonly version: number; readonly topicId: string; readonly memberId: string }) => object

function joining(memberId: string, version: number) {
  return {
    groupId: 'g',
    sessionTimeoutMs: 30_000,
    ...(version >= 1 && { rebalanceTimeoutMs: 30_000 }),
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: encodeSubscription(subscription, 1) }],
  }
}

const subscription = { topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null }

function committing(of: {
  readonly groupId: string
  readonly version: number
  readonly topicId?: string
  readonly memberId?: string
  readonly generationIdOrMemberEpoch?: number
}) {
  const { version, topicId = '', ...more } = of
  const topic = version >= 10 ? { topicId } : { name: 't' }
  return {
    memberId: '',
    ...more,
    topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  }
}

/** What a sample has in place of the fields of the smallest request. */
const contents: ReadonlyMap<Api, Contents> = new Map<Api, Contents>([
  [
    Produce,
    ({ version, topicId }) => ({
      topicData: [{ ...(version >= 13 ? { topicId } : { name: 't' }), partitionData: [{ index: 0, records: aBatch(['v']) }] }],
    }),
  ],
  [
    Fetch,
    ({ version, topicId }) => ({
      topics: [
        { ...(version >= 13 ? { topicId } : { topic: 't' }), partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
      ],
    }),
  ],
  [ListOffsets, () => ({ topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })],
  [Metadata, () => ({ topics: [{ name: 't' }] })],
  [
    CreateTopics,
    ({ version }) => ({
      topics: [{ name: `new-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    }),
  ],
  [DeleteTopics, ({ version }) => (version >= 6 ? { topics: [{ name: `gone-${version}` }] } : { topicNames: [`gone-${version}`] })],
  [DeleteRecords, () => ({ topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0 }] }] })],
  [OffsetForLeaderEpoch, () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 1 }] }] })],
  [DescribeConfigs, () => ({ resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] })],
  [AlterConfigs, () => ({ resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'flush.ms', value: '5' }] }] })],
  [
    IncrementalAlterConfigs,
    () => ({ resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'flush.ms', configOperation: 0, value: '5' }] }] }),
  ],
  [AlterReplicaLogDirs, () => ({ dirs: [{ path: 'object-store', topics: [{ name: 't', partitions: [0] }] }] })],
  [DescribeProducers, () => ({ topics: [{ name: 't', partitionIndexes: [0] }] })],
  [ElectLeaders, () => ({ topicPartitions: [{ topic: 't', partitions: [0] }] })],
  [
    CreatePartitions,
    ({ version }) => ({
      topics: [{ name: `grown-${version}`, count: 2, assignments: null }],
    }),
  ],
  [SaslAuthenticate, () => ({ authBytes: Buffer.from('\0user\0password') })],
  [DescribeTopicPartitions, () => ({ topics: [{ name: 't' }] })],
  [JoinGroup, ({ version, memberId }) => joining(memberId, version)],
  [SyncGroup, ({ version }) => (version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {})],
  [LeaveGroup, ({ version, memberId }) => (version >= 3 ? { members: [{ memberId }] } : {})],
  [
    OffsetCommit,
    ({ version, topicId, memberId }) => committing({ groupId: 'g', version, topicId, memberId, generationIdOrMemberEpoch: 1 }),
  ],
  [
    OffsetFetch,
    ({ version, topicId }) => {
      const topics = [{ ...(version >= 10 ? { topicId } : { name: 't' }), partitionIndexes: [0] }]
      return version >= 8 ? { groups: [{ groupId: 'offsets', topics }] } : { groupId: 'offsets', topics }
    },
  ],
  [OffsetDelete, () => ({ groupId: 'offsets', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] })],
  [DeleteGroups, ({ version }) => ({ groupsNames: [`gone-${version}`] })],
  [
    AddPartitionsToTxn,
    ({ version }) => {
      const topics = [{ name: 't', partitions: [0] }]
      return version >= 4 ? { transactions: [{ ...sampleProducer, topics }] } : { v3AndBelowTopics: topics }
    },
  ],
  [
    TxnOffsetCommit,
    () => ({
      groupId: 'offsets',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
    }),
  ],
  [
    WriteTxnMarkers,
    () => ({
      markers: [
        { producerId: 0, producerEpoch: 0, transactionResult: false, coordinatorEpoch: 0, topics: [{ name: 't', partitionIndexes: [0] }] },
      ],
    }),
  ],
  [DescribeTransactions, () => ({ transactionalIds: [sampleProducer.transactionalId] })],
])
