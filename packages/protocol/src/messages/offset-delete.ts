// OffsetDelete 0: deletes a group's offsets of some partitions (KIP-496).
import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API OffsetDelete: the fields of its requests and responses in each version. */
export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexible: 'never',
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})

/** A decoded request of OffsetDelete: fields that its version lacks have their defaults. */
export interface OffsetDeleteRequest extends RequestOf<typeof OffsetDelete> {}
/** A response of OffsetDelete to encode, for any version. */
export interface OffsetDeleteResponse extends ResponseOf<typeof OffsetDelete> {}
