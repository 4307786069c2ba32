// DescribeTransactions 0: the state and the partitions of transactions (KIP-664).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeTransactions: the fields of its requests and responses in each version. */
export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexible: 0,
  request: {
    transactionalIds: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({
        topic: string(),
        partitions: array(int32()),
      }),
    }),
  },
})

/** A decoded request of DescribeTransactions: fields that its version lacks have their defaults. */
export interface DescribeTransactionsRequest extends RequestOf<typeof DescribeTransactions> {}
/** A response of DescribeTransactions to encode, for any version. */
export interface DescribeTransactionsResponse extends ResponseOf<typeof DescribeTransactions> {}
