// The smallest request of each API in each of its versions. It changes nothing.
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

export interface RequestSubject {
  readonly version: number
  /** The group or topic, where the request must name one. */
  readonly name: string
  readonly memberId: string
}

export const smallRequests: ReadonlyMap<Api, (of: RequestSubject) => object> = new Map<Api, (of: RequestSubject) => object>([
  [Produce, () => ({ acks: -1, timeoutMs: 1_000, topicData: [] })],
  [Fetch, () => ({ maxWaitMs: 0, minBytes: 0, topics: [] })],
  [ListOffsets, () => ({ replicaId: -1, topics: [] })],
  // In version 0 an empty list asks for all topics.
  [Metadata, ({ version }) => ({ topics: version === 0 ? [{ name: 'a b' }] : [] })],
  [OffsetCommit, ({ name }) => ({ groupId: name, memberId: '', topics: [] })],
  [OffsetFetch, ({ version, name }) => (version < 8 ? { groupId: name, topics: [] } : { groups: [] })],
  [FindCoordinator, ({ version, name }) => (version < 4 ? { key: name } : { coordinatorKeys: [name] })],
  [JoinGroup, ({ name }) => ({ groupId: name, sessionTimeoutMs: 0, memberId: '', protocolType: 'consumer', protocols: [] })],
  [Heartbeat, ({ name, memberId }) => ({ groupId: name, generationId: 1, memberId })],
  [LeaveGroup, ({ version, name, memberId }) => ({ groupId: name, ...(version < 3 ? { memberId } : { members: [] }) })],
  [SyncGroup, ({ name, memberId }) => ({ groupId: name, generationId: 1, memberId, assignments: [] })],
  [DescribeGroups, ({ name }) => ({ groups: [name] })],
  [ListGroups, () => ({})],
  [ApiVersions, ({ version }) => (version < 3 ? {} : { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' })],
  [CreateTopics, () => ({ topics: [] })],
  [DeleteTopics, () => ({ timeoutMs: 1_000 })],
  [InitProducerId, () => ({ transactionalId: null, transactionTimeoutMs: 1_000 })],
  [OffsetForLeaderEpoch, () => ({ topics: [] })],
  [DescribeConfigs, () => ({ resources: [] })],
  [CreatePartitions, () => ({ topics: [], timeoutMs: 1_000, validateOnly: false })],
  [DeleteGroups, ({ name }) => ({ groupsNames: [name] })],
  [OffsetDelete, ({ name }) => ({ groupId: name, topics: [] })],
  [DescribeCluster, () => ({ includeClusterAuthorizedOperations: false })],
  [ConsumerGroupHeartbeat, ({ name, memberId }) => ({ groupId: name, memberId, memberEpoch: 1 })],
  [SaslHandshake, () => ({ mechanism: 'PLAIN' })],
  [SaslAuthenticate, () => ({ authBytes: new Uint8Array() })],
  [DescribeTopicPartitions, ({ name }) => ({ topics: [{ name }] })],
])
