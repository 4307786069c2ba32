// How a transactional producer takes the errors of its requests.
import { temporary } from './producer.ts'

/** The transaction cannot go on. */
export class TransactionFailed extends Error {
  override readonly name = 'TransactionFailed'
}

/** The request was not done, and may be sent again. */
export const retriedErrors: ReadonlySet<string> = new Set([...temporary, 'NOT_COORDINATOR', 'UNSTABLE_OFFSET_COMMIT'])

/** The producer was fenced: another one has its transactional id, or its transaction was open for longer than its time-out. */
export const fencedErrors: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'TRANSACTION_ABORTABLE',
])
