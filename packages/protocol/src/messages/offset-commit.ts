// OffsetCommit 2–10: saves a group's offsets, by topic id from 10 on (KIP-848).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uuid } from '../schema/dsl.ts'

/** The API OffsetCommit: the fields of its requests and responses in each version. */
export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexible: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1, ignorable: true }),
    memberId: string({ ignorable: true }),
    groupInstanceId: string({ versions: '7+', nullable: true, default: null }),
    /** -1: as long as the server keeps offsets. Old clients send the largest int64 to keep them indefinitely. */
    retentionTimeMs: int64({ versions: '2-4', default: -1, ignorable: true, clamped: true }),
    topics: array({
      name: string({ versions: '0-9', ignorable: true }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64({ clamped: true }),
        committedLeaderEpoch: int32({ versions: '6+', default: -1, ignorable: true }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array({
      name: string({ versions: '0-9', ignorable: true }),
      topicId: uuid({ versions: '10+', ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})

/** A decoded request of OffsetCommit: fields that its version lacks have their defaults. */
export interface OffsetCommitRequest extends RequestOf<typeof OffsetCommit> {}
/** A response of OffsetCommit to encode, for any version. */
export interface OffsetCommitResponse extends ResponseOf<typeof OffsetCommit> {}
