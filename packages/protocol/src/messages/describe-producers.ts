// DescribeProducers 0: the idempotent producers of partitions (KIP-664).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeProducers: the fields of its requests and responses in each version. */
export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32({ default: -1 }),
          lastTimestamp: int64({ default: -1 }),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64({ default: -1 }),
        }),
      }),
    }),
  },
})

/** A decoded request of DescribeProducers: fields that its version lacks have their defaults. */
export interface DescribeProducersRequest extends RequestOf<typeof DescribeProducers> {}
/** A response of DescribeProducers to encode, for any version. */
export interface DescribeProducersResponse extends ResponseOf<typeof DescribeProducers> {}
