// The public surface: what a server (or a tool) needs to speak Kafka's wire protocol.
export { errorName, errors, KafkaError, type KafkaErrorName, type KafkaErrorRow, type Outcome } from './errors.ts'
export { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponse } from './messages/api-versions.ts'
export { CreatePartitions, type CreatePartitionsRequest, type CreatePartitionsResponse } from './messages/create-partitions.ts'
export { CreateTopics, type CreateTopicsRequest, type CreateTopicsResponse } from './messages/create-topics.ts'
export { DeleteTopics, type DeleteTopicsRequest, type DeleteTopicsResponse } from './messages/delete-topics.ts'
export { DescribeCluster, type DescribeClusterRequest, type DescribeClusterResponse } from './messages/describe-cluster.ts'
export { DescribeConfigs, type DescribeConfigsRequest, type DescribeConfigsResponse } from './messages/describe-configs.ts'
export {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from './messages/describe-topic-partitions.ts'
export { Fetch, type FetchRequest, type FetchResponse } from './messages/fetch.ts'
export { apis } from './messages/index.ts'
export { InitProducerId, type InitProducerIdRequest, type InitProducerIdResponse } from './messages/init-producer-id.ts'
export { ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse } from './messages/list-offsets.ts'
export { Metadata, type MetadataRequest, type MetadataResponse } from './messages/metadata.ts'
export {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from './messages/offset-for-leader-epoch.ts'
export { Produce, type ProduceRequest, type ProduceResponse } from './messages/produce.ts'
export type { Api, ArrayOf, DecodedResponseOf, Fields, RequestInputOf, RequestOf, ResponseOf, StructOf } from './schema/dsl.ts'
export {
  attributeBits,
  batchSizeAt,
  type BatchHeader,
  type BatchTrouble,
  checkBatch,
  type CheckedBatch,
  patchBaseOffset,
  patchLeaderEpoch,
  readBatchHeader,
  setLogAppendTime,
} from './records/batch.ts'
export { type Codec, type CodecName, codecNames, type Codecs, compress, decompress } from './records/codecs.ts'
export { crc32c } from './records/crc32c.ts'
export { buildBatch, type DecodedRecord, type NewBatch, readRecords, type RecordHeader } from './records/records.ts'
export { FrameSplitter } from './wire/frames.ts'
export { decodeRequest, decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse, type RequestHeader } from './wire/messages.ts'
export { ProtocolError } from './wire/protocol-error.ts'
export { zeroUuid } from './wire/uuid.ts'
