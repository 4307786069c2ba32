// OffsetForLeaderEpoch 2–4: where a leader epoch ended, so that consumers notice truncation (KIP-320).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API OffsetForLeaderEpoch: the fields of its requests and responses in each version. */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexible: 4,
  request: {
    replicaId: int32({ versions: '3+', default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1 }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
})

/** A decoded request of OffsetForLeaderEpoch: fields that its version lacks have their defaults. */
export interface OffsetForLeaderEpochRequest extends RequestOf<typeof OffsetForLeaderEpoch> {}
/** A response of OffsetForLeaderEpoch to encode, for any version. */
export interface OffsetForLeaderEpochResponse extends ResponseOf<typeof OffsetForLeaderEpoch> {}
