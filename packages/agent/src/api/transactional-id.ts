// What the APIs of transactions share: the check of a client's right to a transactional id, and the names of their errors in old versions.
import { KafkaError, type KafkaErrorName } from '@local-kafka-service/protocol'
import type { TransactionAnswer } from '../coordinate/transactions.ts'
import type { TransactionRejection } from '../core/transaction/transaction.ts'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import type { Services } from '../services.ts'
import type { Operation, RequestScope } from './request-context.ts'

export function mayUseTransactionalId(
  transactionalId: string,
  operation: Operation,
  { context, services }: RequestScope<Pick<Services, 'gate'>>,
): boolean {
  return services.gate.authorize(context, operation, { type: 'TRANSACTIONAL_ID', name: transactionalId })
}

/** Throws a KafkaError if the client may not write with the transactional id, or if it is empty. */
export function checkTransactionalId(transactionalId: string, scope: RequestScope<Pick<Services, 'gate'>>): void {
  if (!mayUseTransactionalId(transactionalId, 'WRITE', scope)) throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  if (transactionalId === '')
    throw new KafkaError('INVALID_REQUEST', 'The transactional id is empty: leave it out for an idempotent producer.')
}

/** `fencedFrom`: the first version of the API whose clients know PRODUCER_FENCED; older ones know only INVALID_PRODUCER_EPOCH. */
export function rejectionName(error: TransactionRejection, apiVersion: number, fencedFrom: number): KafkaErrorName {
  return error === 'PRODUCER_FENCED' && apiVersion < fencedFrom ? 'INVALID_PRODUCER_EPOCH' : error
}

/** The row after an accepted request. Throws a KafkaError for a rejected one. */
export function acceptedRow(answer: TransactionAnswer, apiVersion: number, fencedFrom: number): TransactionRow {
  if (answer.kind === 'rejected') throw new KafkaError(rejectionName(answer.error, apiVersion, fencedFrom))
  // Only an expiry removes the row.
  if (answer.row === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  return answer.row
}
