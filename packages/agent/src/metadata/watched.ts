// A database that reports the outcomes of its writes to a StoreWatch.
import type { StoreFailure, StoreWatch } from '../observe/store-watch.ts'
import { MetadataError, type MetadataReason } from './metadata-store.ts'
import type { Sql, TransactionTable } from './sql.ts'

/** Transactions that always write, so their success shows that the disk accepts writes. A heartbeat is one, so the end of a problem is seen within a second. */
const writing: ReadonlySet<string> = new Set(['commit', 'beat', 'register'])

const failureOf: Partial<Record<MetadataReason, StoreFailure>> = { 'disk full': 'full', permission: 'not writable' }

export function watchedSql<Transactions extends TransactionTable>(
  sql: Sql<Transactions>,
  watch: StoreWatch,
  place: string,
): Sql<Transactions> {
  return {
    async run(transaction, input, deadlineMs) {
      const outcome = await sql.run(transaction, input, deadlineMs)
      if (outcome.kind === 'committed') {
        if (writing.has(String(transaction))) watch.succeeded('metadata')
        return outcome
      }
      const { error } = outcome
      const failure = error instanceof MetadataError && error.reason !== undefined ? failureOf[error.reason] : undefined
      if (failure !== undefined) watch.failed('metadata', { failure, place })
      return outcome
    },
    close: () => sql.close(),
  }
}
