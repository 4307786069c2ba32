// TxnOffsetCommit 0–5: offsets that become the group's when the transaction is committed. Version 5 adds the group to it (KIP-890).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API TxnOffsetCommit: the fields of its requests and responses in each version. */
export const TxnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64({ clamped: true }),
    producerEpoch: int16(),
    generationId: int32({ versions: '3+', default: -1 }),
    memberId: string({ versions: '3+' }),
    groupInstanceId: string({ versions: '3+', nullable: true, default: null }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64({ clamped: true }),
        committedLeaderEpoch: int32({ versions: '2+', default: -1, ignorable: true }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})

/** A decoded request of TxnOffsetCommit: fields that its version lacks have their defaults. */
export interface TxnOffsetCommitRequest extends RequestOf<typeof TxnOffsetCommit> {}
/** A response of TxnOffsetCommit to encode, for any version. */
export interface TxnOffsetCommitResponse extends ResponseOf<typeof TxnOffsetCommit> {}
