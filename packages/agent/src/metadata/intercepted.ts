// A database whose every transaction an interceptor sees and may spoil: the faults of a test, below the repetition of what was not definite.
import type { Clock } from '../time/clock.ts'
import { MetadataError } from './metadata-store.ts'
import type { Outcome, Sql, VerbTable } from './sql.ts'

export interface InterceptedRun {
  /** A name of the verb table: `commit`, `beat`, `saveGroup` … */
  readonly verb: string
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

export function interceptedSql<Verbs extends VerbTable>(sql: Sql<Verbs>, clock: Clock, intercept: SqlInterceptor): Sql<Verbs> {
  return {
    async run(verb, input, deadlineMs) {
      const { act, waitMs = 0 } = intercept({ verb, atMs: clock.now() })
      if (waitMs > 0) await clock.sleep(Math.min(waitMs, deadlineMs))
      if (waitMs >= deadlineMs) return away(`${verb}: no answer in ${deadlineMs} ms: a fault of the test`)
      switch (act.kind) {
        case 'unreachable':
          return away(`${verb}: a fault of the test`)
        case 'pass':
          return await sql.run(verb, input, deadlineMs - waitMs)
        case 'lose reply': {
          const outcome = await sql.run(verb, input, deadlineMs - waitMs)
          // What was rolled back has no reply worth losing: it is definite either way.
          return outcome.kind === 'committed'
            ? { kind: 'unknown', error: new MetadataError('unavailable', `${verb}: a fault of the test lost the reply to COMMIT`) }
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
