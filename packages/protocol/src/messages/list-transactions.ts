// ListTransactions 0–2: the transactional ids of a coordinator (KIP-664), by duration from 1 on (KIP-994) and by pattern from 2 on (KIP-1152).
import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ListTransactions: the fields of its requests and responses in each version. */
export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64({ clamped: true })),
    durationFilter: int64({ versions: '1+', default: -1, clamped: true }),
    transactionalIdPattern: string({ versions: '2+', nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
})

/** A decoded request of ListTransactions: fields that its version lacks have their defaults. */
export interface ListTransactionsRequest extends RequestOf<typeof ListTransactions> {}
/** A response of ListTransactions to encode, for any version. */
export interface ListTransactionsResponse extends ResponseOf<typeof ListTransactions> {}
