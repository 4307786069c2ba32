// One request for each API, which an agent with the topic `t` answers without an error.
import {
  type Api,
  ApiVersions,
  ConsumerGroupHeartbeat,
  CreatePartitions,
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  DescribeTopicPartitions,
  encodeSubscription,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
  SyncGroup,
} from '@local-kafka-service/protocol'
import { type AgentForTests, aBatch } from './an-agent.ts'

/** DeleteTopics names `gone-<version>` and CreatePartitions `grown-<version>`; both must exist. `memberId` comes from `withGroups`. */
export function sampleOf(api: Api, version: number, topicId: string, memberId = 'nobody'): object {
  const sample = samples.get(api)
  if (sample === undefined) throw new Error(`no sample request for ${api.name}`)
  return sample({ version, topicId, memberId })
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

type Sample = (of: { readonly version: number; readonly topicId: string; readonly memberId: string }) => object

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

export const samples: ReadonlyMap<Api, Sample> = new Map<Api, Sample>([
  [
    Produce,
    ({ version, topicId }) => ({
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ ...(version >= 13 ? { topicId } : { name: 't' }), partitionData: [{ index: 0, records: aBatch(['v']) }] }],
    }),
  ],
  [
    Fetch,
    ({ version, topicId }) => ({
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        { ...(version >= 13 ? { topicId } : { topic: 't' }), partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
      ],
    }),
  ],
  [ListOffsets, () => ({ replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })],
  [Metadata, () => ({ topics: [{ name: 't' }] })],
  [ApiVersions, ({ version }) => (version >= 3 ? { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' } : {})],
  [
    CreateTopics,
    ({ version }) => ({
      topics: [{ name: `new-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    }),
  ],
  [
    DeleteTopics,
    ({ version }) => ({
      ...(version >= 6 ? { topics: [{ name: `gone-${version}` }] } : { topicNames: [`gone-${version}`] }),
      timeoutMs: 1000,
    }),
  ],
  [InitProducerId, () => ({ transactionalId: null, transactionTimeoutMs: 0 })],
  [OffsetForLeaderEpoch, () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 1 }] }] })],
  [DescribeConfigs, () => ({ resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] })],
  [
    CreatePartitions,
    ({ version }) => ({
      topics: [{ name: `grown-${version}`, count: 2, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    }),
  ],
  [ConsumerGroupHeartbeat, () => ({ groupId: 'g', memberId: 'm', memberEpoch: 0 })],
  [SaslHandshake, () => ({ mechanism: 'PLAIN' })],
  [SaslAuthenticate, () => ({ authBytes: Buffer.from('\0user\0password') })],
  [DescribeCluster, () => ({ includeClusterAuthorizedOperations: true })],
  [DescribeTopicPartitions, () => ({ topics: [{ name: 't' }] })],
  [FindCoordinator, ({ version }) => (version >= 4 ? { coordinatorKeys: ['g'] } : { key: 'g' })],
  [JoinGroup, ({ version, memberId }) => joining(memberId, version)],
  [
    SyncGroup,
    ({ version, memberId }) => ({
      groupId: 'g',
      generationId: 1,
      memberId,
      ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
      assignments: [],
    }),
  ],
  [Heartbeat, ({ memberId }) => ({ groupId: 'g', generationId: 1, memberId })],
  [LeaveGroup, ({ version, memberId }) => ({ groupId: 'g', ...(version >= 3 ? { members: [{ memberId }] } : { memberId }) })],
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
  [ListGroups, () => ({})],
  [DescribeGroups, () => ({ groups: ['g'] })],
  [DeleteGroups, ({ version }) => ({ groupsNames: [`gone-${version}`] })],
])
