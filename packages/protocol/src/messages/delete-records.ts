// DeleteRecords 0–2: moves the starts of logs forward (KIP-107).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DeleteRecords: the fields of its requests and responses in each version. */
export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        /** -1: the high watermark. */
        offset: int64({ clamped: true }),
      }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
})

/** A decoded request of DeleteRecords: fields that its version lacks have their defaults. */
export interface DeleteRecordsRequest extends RequestOf<typeof DeleteRecords> {}
/** A response of DeleteRecords to encode, for any version. */
export interface DeleteRecordsResponse extends ResponseOf<typeof DeleteRecords> {}
