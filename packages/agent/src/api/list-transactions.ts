// ListTransactions answers the transactional ids that this agent coordinates. A primary read.
// - Versions: 0–2.
// - KIPs: 664, 994 (by duration, 1+), 1152 (by pattern, 2).
// - Patterns are those of core/name-pattern.ts: what RE2/J knows beyond it is INVALID_REGULAR_EXPRESSION.
import { KafkaError, ListTransactions, type ListTransactionsResponse } from '@local-kafka-service/protocol'
import { namePattern, PatternError } from '../core/name-pattern.ts'
import type { TransactionState } from '../core/transaction/transaction-row.ts'
import type { ListedTransaction } from '../metadata/transaction-store.ts'
import { everyTransaction } from '../operations/transactions.ts'
import type { Services } from '../services.ts'
import { handler } from './handler.ts'
import { mayUseTransactionalId } from './transactional-id.ts'

type Uses = Pick<Services, 'transactions' | 'transactionStore' | 'turns' | 'gate'>

export const listTransactions = handler({
  api: ListTransactions,
  access: { operation: 'DESCRIBE', resource: 'transactional id' },
  async handle({ stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }, context, services: Uses) {
    const states = new Set(stateFilters)
    const producerIds = new Set(producerIdFilters)
    const matches = transactionalIdPattern === null || transactionalIdPattern === '' ? () => true : patternOf(transactionalIdPattern)
    const isAsked = ({ transactionalId, row, openMs }: ListedTransaction): boolean =>
      (states.size === 0 || states.has(row.state)) &&
      (producerIds.size === 0 || producerIds.has(row.producerId)) &&
      (durationFilter < 0 || (row.state === 'Ongoing' && openMs > durationFilter)) &&
      matches(transactionalId)
    const transactionStates: ListTransactionsResponse['transactionStates'][number][] = []
    for await (const one of everyTransaction(services.transactionStore, services.turns)) {
      const { transactionalId, row } = one
      if (!services.transactions.isMine(transactionalId) || !isAsked(one)) continue
      if (!mayUseTransactionalId(transactionalId, 'DESCRIBE', { context, services })) continue
      transactionStates.push({ transactionalId, producerId: row.producerId, transactionState: row.state })
    }
    const unknownStateFilters = stateFilters.filter((state) => !knownStates.has(state))
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, unknownStateFilters, transactionStates } }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, unknownStateFilters: [], transactionStates: [] }),
})

/** Kafka's; some of them never occur here. */
const knownStates: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'CompleteCommit',
  'CompleteAbort',
  'PrepareCommit',
  'PrepareAbort',
  'PrepareEpochFence',
  'Dead',
] as const satisfies readonly (TransactionState | 'PrepareCommit' | 'PrepareAbort' | 'PrepareEpochFence' | 'Dead')[])

function patternOf(pattern: string): (name: string) => boolean {
  try {
    return namePattern(pattern)
  } catch (error) {
    if (error instanceof PatternError)
      throw new KafkaError('INVALID_REGULAR_EXPRESSION', `Transactional id pattern \`${pattern}\` is not valid: ${error.message}.`)
    throw error
  }
}
