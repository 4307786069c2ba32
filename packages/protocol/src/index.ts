// The public surface: what a server (or a tool) needs to speak Kafka's wire protocol.
export { apiName, apiNames } from './api-names.ts'
export { errorName, errors, KafkaError, type KafkaErrorName, type KafkaErrorRow, type Outcome } from './errors.ts'
export {
  type ConsumerAssignment,
  type ConsumerSubscription,
  consumerProtocolType,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type TopicPartitions,
  type Versioned,
} from './groups/consumer-protocol.ts'
export { type PartitionOfGroup, partitionLag, partitionsOfGroup } from './groups/lag.ts'
export { AddOffsetsToTxn, type AddOffsetsToTxnRequest, type AddOffsetsToTxnResponse } from './messages/add-offsets-to-txn.ts'
export { AddPartitionsToTxn, type AddPartitionsToTxnRequest, type AddPartitionsToTxnResponse } from './messages/add-partitions-to-txn.ts'
export { AlterConfigs, type AlterConfigsRequest, type AlterConfigsResponse } from './messages/alter-configs.ts'
export {
  AlterPartitionReassignments,
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
} from './messages/alter-partition-reassignments.ts'
export {
  AlterReplicaLogDirs,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from './messages/alter-replica-log-dirs.ts'
export { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from './messages/api-versions.ts'
export {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from './messages/consumer-group-heartbeat.ts'
export { CreatePartitions, type CreatePartitionsRequest, type CreatePartitionsResponse } from './messages/create-partitions.ts'
export { CreateTopics, type CreateTopicsRequest, type CreateTopicsResponse } from './messages/create-topics.ts'
export { DeleteGroups, type DeleteGroupsRequest, type DeleteGroupsResponse } from './messages/delete-groups.ts'
export { DeleteRecords, type DeleteRecordsRequest, type DeleteRecordsResponse } from './messages/delete-records.ts'
export { DeleteTopics, type DeleteTopicsRequest, type DeleteTopicsResponse } from './messages/delete-topics.ts'
export { DescribeAcls, type DescribeAclsRequest, type DescribeAclsResponse } from './messages/describe-acls.ts'
export { DescribeCluster, type DescribeClusterRequest, type DescribeClusterResponse } from './messages/describe-cluster.ts'
export { DescribeConfigs, type DescribeConfigsRequest, type DescribeConfigsResponse } from './messages/describe-configs.ts'
export { DescribeGroups, type DescribeGroupsRequest, type DescribeGroupsResponse } from './messages/describe-groups.ts'
export { DescribeLogDirs, type DescribeLogDirsRequest, type DescribeLogDirsResponse } from './messages/describe-log-dirs.ts'
export { DescribeProducers, type DescribeProducersRequest, type DescribeProducersResponse } from './messages/describe-producers.ts'
export { DescribeQuorum, type DescribeQuorumRequest, type DescribeQuorumResponse } from './messages/describe-quorum.ts'
export {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from './messages/describe-topic-partitions.ts'
export {
  DescribeTransactions,
  type DescribeTransactionsRequest,
  type DescribeTransactionsResponse,
} from './messages/describe-transactions.ts'
export { ElectLeaders, type ElectLeadersRequest, type ElectLeadersResponse } from './messages/elect-leaders.ts'
export { EndTxn, type EndTxnRequest, type EndTxnResponse } from './messages/end-txn.ts'
export { Fetch, type FetchRequest, type FetchResponse } from './messages/fetch.ts'
export { FindCoordinator, type FindCoordinatorRequest, type FindCoordinatorResponse } from './messages/find-coordinator.ts'
export { Heartbeat, type HeartbeatRequest, type HeartbeatResponse } from './messages/heartbeat.ts'
export {
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from './messages/incremental-alter-configs.ts'
export { apis } from './messages/index.ts'
export { InitProducerId, type InitProducerIdRequest, type InitProducerIdResponse } from './messages/init-producer-id.ts'
export { JoinGroup, type JoinGroupRequest, type JoinGroupResponse } from './messages/join-group.ts'
export { LeaveGroup, type LeaveGroupRequest, type LeaveGroupResponse } from './messages/leave-group.ts'
export { ListConfigResources, type ListConfigResourcesRequest, type ListConfigResourcesResponse } from './messages/list-config-resources.ts'
export { ListGroups, type ListGroupsRequest, type ListGroupsResponse } from './messages/list-groups.ts'
export { ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse } from './messages/list-offsets.ts'
export {
  ListPartitionReassignments,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from './messages/list-partition-reassignments.ts'
export { ListTransactions, type ListTransactionsRequest, type ListTransactionsResponse } from './messages/list-transactions.ts'
export { Metadata, type MetadataRequest, type MetadataResponse } from './messages/metadata.ts'
export { OffsetCommit, type OffsetCommitRequest, type OffsetCommitResponse } from './messages/offset-commit.ts'
export { OffsetDelete, type OffsetDeleteRequest, type OffsetDeleteResponse } from './messages/offset-delete.ts'
export { OffsetFetch, type OffsetFetchRequest, type OffsetFetchResponse } from './messages/offset-fetch.ts'
export {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './messages/offset-for-leader-epoch.ts'
export { Produce, type ProduceRequest, type ProduceResponse } from './messages/produce.ts'
export { SaslAuthenticate, type SaslAuthenticateRequest, type SaslAuthenticateResponse } from './messages/sasl-authenticate.ts'
export { SaslHandshake, type SaslHandshakeRequest, type SaslHandshakeResponse } from './messages/sasl-handshake.ts'
export { SyncGroup, type SyncGroupRequest, type SyncGroupResponse } from './messages/sync-group.ts'
export { TxnOffsetCommit, type TxnOffsetCommitRequest, type TxnOffsetCommitResponse } from './messages/txn-offset-commit.ts'
export { UnregisterBroker, type UnregisterBrokerRequest, type UnregisterBrokerResponse } from './messages/unregister-broker.ts'
export { UpdateFeatures, type UpdateFeaturesRequest, type UpdateFeaturesResponse } from './messages/update-features.ts'
export { WriteTxnMarkers, type WriteTxnMarkersRequest, type WriteTxnMarkersResponse } from './messages/write-txn-markers.ts'
export {
  attributeBits,
  type BatchHeader,
  type BatchProblem,
  batchLayout,
  batchSizeAt,
  type CheckedBatch,
  checkBatch,
  checkStoredBatch,
  lastOffsetDeltaAt,
  patchBaseOffset,
  patchLeaderEpoch,
  readBatchHeader,
  recordCountAt,
  setCreateTime,
  setLogAppendTime,
  storedBatchProblem,
  withPackedRecords,
} from './records/batch.ts'
export {
  type Codec,
  type CodecName,
  type Codecs,
  codecNames,
  compress,
  decompress,
  decompressionError,
  packedProblem,
  UnpackedSizeError,
} from './records/codecs.ts'
export { crc32c } from './records/crc32c.ts'
export { partitionOfKey } from './records/murmur2.ts'

export {
  type BatchFilter,
  type FilteredBatch,
  filterRecords,
  type RecordCoding,
  scanRecords,
} from './records/record-filter.ts'

export { hasKeyAt, type KeyColumns, type RecordPlace, RecordTable } from './records/record-table.ts'
export { BatchWalk, type WalkedHeader, type WalkedRecords, walkRecords } from './records/record-walk.ts'
export {
  buildBatch,
  type DecodedRecord,
  type NewBatch,
  type RecordHeader,
  readRawRecords,
  readRecords,
  readUnpackedRecords,
} from './records/records.ts'
export { declaredSize } from './records/unpacked-size.ts'

export type { Api, ArrayOf, DecodedResponseOf, Fields, RequestInputOf, RequestOf, ResponseOf, StructOf } from './schema/dsl.ts'
export { type FrameLimits, type FrameMemory, FrameSplitter } from './wire/frames.ts'
export {
  decodeRequest,
  decodeRequestHeader,
  decodeRequestInSteps,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeResponseInSteps,
  type RequestHeader,
} from './wire/messages.ts'
export { ProtocolError } from './wire/protocol-error.ts'
export { isLarge } from './wire/steps.ts'
export { zeroUuid } from './wire/uuid.ts'
