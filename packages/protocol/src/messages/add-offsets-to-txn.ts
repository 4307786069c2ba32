// AddOffsetsToTxn 0–4: adds a group to a transaction, so that its offsets can be committed with it.
import { api, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API AddOffsetsToTxn: the fields of its requests and responses in each version. */
export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64({ clamped: true }),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
})

/** A decoded request of AddOffsetsToTxn: fields that its version lacks have their defaults. */
export interface AddOffsetsToTxnRequest extends RequestOf<typeof AddOffsetsToTxn> {}
/** A response of AddOffsetsToTxn to encode, for any version. */
export interface AddOffsetsToTxnResponse extends ResponseOf<typeof AddOffsetsToTxn> {}
