// WriteTxnMarkers 1–2: ends the transactions of producers in partitions. Between brokers, and from the admin client that aborts one.
import { api, array, bool, int8, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API WriteTxnMarkers: the fields of its requests and responses in each version. */
export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexible: 1,
  request: {
    markers: array({
      producerId: int64({ clamped: true }),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({
        name: string(),
        partitionIndexes: array(int32()),
      }),
      coordinatorEpoch: int32(),
      transactionVersion: int8({ versions: '2+', ignorable: true }),
    }),
  },
  response: {
    markers: array({
      producerId: int64(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      }),
    }),
  },
})

/** A decoded request of WriteTxnMarkers: fields that its version lacks have their defaults. */
export interface WriteTxnMarkersRequest extends RequestOf<typeof WriteTxnMarkers> {}
/** A response of WriteTxnMarkers to encode, for any version. */
export interface WriteTxnMarkersResponse extends ResponseOf<typeof WriteTxnMarkers> {}
