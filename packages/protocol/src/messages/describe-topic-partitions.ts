// DescribeTopicPartitions 0: topics and partitions page by page (KIP-966).
import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from '../schema/dsl.ts'

/** The API DescribeTopicPartitions: the fields of its requests and responses in each version. */
export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string(),
    }),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      { nullable: true, default: null },
    ),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: true }),
      topicId: uuid(),
      isInternal: bool({ default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: array(int32(), { nullable: true, default: null }),
        lastKnownElr: array(int32(), { nullable: true, default: null }),
        offlineReplicas: array(int32()),
      }),
      topicAuthorizedOperations: int32({ default: -0x8000_0000 }),
    }),
    nextCursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      { nullable: true, default: null },
    ),
  },
})

/** A decoded request of DescribeTopicPartitions: fields that its version lacks have their defaults. */
export interface DescribeTopicPartitionsRequest extends RequestOf<typeof DescribeTopicPartitions> {}
/** A response of DescribeTopicPartitions to encode, for any version. */
export interface DescribeTopicPartitionsResponse extends ResponseOf<typeof DescribeTopicPartitions> {}
