// ListOffsets 1–11: earliest, latest, or the first offset at or after a timestamp.
import { api, array, int8, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ListOffsets: the fields of its requests and responses in each version. */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexible: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ versions: '2+' }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ versions: '4+', default: -1, ignorable: true }),
        timestamp: int64({ clamped: true }),
      }),
    }),
    timeoutMs: int32({ versions: '10+', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ versions: '4+', default: -1 }),
      }),
    }),
  },
})

/** A decoded request of ListOffsets: fields that its version lacks have their defaults. */
export interface ListOffsetsRequest extends RequestOf<typeof ListOffsets> {}
/** A response of ListOffsets to encode, for any version. */
export interface ListOffsetsResponse extends ResponseOf<typeof ListOffsets> {}
