// EndTxn 0–5: commits or aborts a transaction. From 5 on the producer gets its next epoch (KIP-890).
import { api, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API EndTxn: the fields of its requests and responses in each version. */
export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64({ clamped: true }),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ versions: '5+', default: -1, ignorable: true }),
    producerEpoch: int16({ versions: '5+', default: -1, ignorable: true }),
  },
})

/** A decoded request of EndTxn: fields that its version lacks have their defaults. */
export interface EndTxnRequest extends RequestOf<typeof EndTxn> {}
/** A response of EndTxn to encode, for any version. */
export interface EndTxnResponse extends ResponseOf<typeof EndTxn> {}
