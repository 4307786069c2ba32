// A database whose every transaction an interceptor sees and may spoil: the faults of a test, below the repetition of what was not definite.
import type { Clock } from '../time/clock.ts'
import { MetadataError } from './metadata-store.ts'
import type { Outcome, Sql, TransactionTable } from './sql.ts'

export interface InterceptedRun {
  /** A name of the transaction table: `commit`, `beat`, `saveGroup` … */
  readonly transaction: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

export interface RunFate {
  readonly act:
    | { readonly kind: 'pass' }
    /** Not reached: definitely not done. */
    | { readonly kind: 'unreachable' }
    /** Committed, and the caller cannot know. */
    | { readonly kind: 'lose reply' }
  /** When it is as long as the caller's patience, nothing was sent when that ends. */
  readonly waitMs?: number
}

/** Asked once for each transaction, also for each of several tries. Must not throw. */
export type SqlInterceptor = (run: InterceptedRun) => RunFate

export function interceptedSql<Transactions extends TransactionTable>(
  sql: Sql<Transactions>,
  clock: Clock,
  intercept: SqlInterceptor,
): Sql<Transactions> {
  return {
    async run(transaction, input, deadlineMs) {
      const { act, waitMs = 0 } = intercept({ transaction, atMs: clock.now() })
      if (waitMs > 0) await clock.sleep(Math.min(waitMs, deadlineMs))
      if (waitMs >= deadlineMs) return away(`${transaction}: no answer in ${deadlineMs} ms: a fault of the test`)
      switch (act.kind) {
        case 'unreachable':
          return away(`${transaction}: a fault of the test`)
        case 'pass':
          return await sql.run(transaction, input, deadlineMs - waitMs)
        case 'lose reply': {
          const outcome = await sql.run(transaction, input, deadlineMs - waitMs)
          // What was rolled back has no reply worth losing: it is definite either way.
          return outcome.kind === 'committed'
            ? { kind: 'unknown', error: new MetadataError('unavailable', `${transaction}: a fault of the test lost the reply to COMMIT`) }
            : outcome
        }
      }
    },
    close: () => sql.close(),
  }
}

function away(message: string): Outcome<never> {
  return { kind: 'rolled back', error: new MetadataError('unavailable', message, { reason: 'unreachable' }) }
}
