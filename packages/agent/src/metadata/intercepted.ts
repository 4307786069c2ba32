// A database whose interceptor sees every transaction and may fail it: the faults of a test, injected below the repetition of indefinite outcomes.
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import { MetadataError } from './metadata-store.ts'
import type { Sql, TransactionOutcome, TransactionTable } from './sql.ts'

export interface InterceptedRun {
  /** A name of the transaction table: `commit`, `beat`, `saveGroup` … */
  readonly transaction: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

export interface RunFate {
  readonly act:
    | { readonly kind: 'pass' }
    /** The database was not reached: definitely not committed. */
    | { readonly kind: 'unreachable' }
    /** Committed, but the caller cannot know. */
    | { readonly kind: 'lose reply' }
  /** When the delay reaches the caller's deadline, the transaction is not sent at all. */
  readonly waitMs?: number
}

/** Called once for each transaction, and again for each retry. Must not throw. */
export type SqlInterceptor = (run: InterceptedRun) => RunFate

export function interceptedSql<Transactions extends TransactionTable>(
  sql: Sql<Transactions>,
  clock: Clock,
  intercept: SqlInterceptor,
): Sql<Transactions> {
  return {
    async run(transaction, input, deadlineMs) {
      const { act, waitMs = 0 } = intercept({ transaction, atMs: clock.now() })
      if (waitMs > 0) await sleep(clock, Math.min(waitMs, deadlineMs))
      if (waitMs >= deadlineMs) return away(`${transaction}: no answer in ${deadlineMs} ms: a fault of the test`)
      switch (act.kind) {
        case 'unreachable':
          return away(`${transaction}: a fault of the test`)
        case 'pass':
          return await sql.run(transaction, input, deadlineMs - waitMs)
        case 'lose reply': {
          const outcome = await sql.run(transaction, input, deadlineMs - waitMs)
          // A rolled-back transaction has no reply worth losing: it is definite either way.
          return outcome.kind === 'committed'
            ? { kind: 'unknown', error: new MetadataError('unavailable', `${transaction}: a fault of the test lost the reply to COMMIT`) }
            : outcome
        }
      }
    },
    close: () => sql.close(),
  }
}

function away(message: string): TransactionOutcome<never> {
  return { kind: 'rolled back', error: new MetadataError('unavailable', message, { reason: 'unreachable' }) }
}
