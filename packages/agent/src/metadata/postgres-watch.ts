// What an agent looks at beside its transactions on PostgreSQL: the highest timeline that any agent has seen, and the ages that keep vacuum from its work.
import type { Clock } from '../time/clock.ts'
import { MetadataError } from './metadata-store.ts'
import type { Timelines } from './timelines.ts'

/** Both keep dead versions of rows in the tables. Sessions of other users count only if this user may see them (pg_read_all_stats). */
export interface DatabaseAges {
  /** Transactions since the oldest snapshot that a session, a standby or a replication slot still holds. */
  readonly oldestXminAge: number
  readonly longestTransactionMs: number
}

export interface PostgresWatchParts {
  readonly clock: Pick<Clock, 'monotonic'>
  /** PostgreSQL's identifier of the primary and its standbys. */
  readonly system: string
  readonly timelines: Timelines
  readonly readAges: () => Promise<DatabaseAges>
}

const agesEveryMs = 15_000
/** Bounds how long an agent that was left on the old primary commits there after another agent has seen the new one. */
const timelinesEveryMs = 30_000

export class PostgresWatch {
  readonly #parts: PostgresWatchParts
  #highest = 0
  #recording: Promise<void> | undefined
  #ages: DatabaseAges | undefined
  #agesReadAt = Number.NEGATIVE_INFINITY
  #timelinesReadAt = Number.NEGATIVE_INFINITY

  constructor(parts: PostgresWatchParts) {
    this.#parts = parts
  }

  /** As of the last look. Undefined: none so far, or the last one failed. */
  get ages(): DatabaseAges | undefined {
    return this.#ages
  }

  /** Rejects with a MetadataError when the server is an old primary. */
  async start(timeline: number): Promise<void> {
    await this.#readTimelines()
    try {
      await this.check(timeline)
    } catch (error) {
      if (!(error instanceof MetadataError) || error.reason !== 'old primary') throw error
      throw new MetadataError('invalid', error.message, { reason: 'old primary' })
    }
  }

  /** For each transaction, before its writes. Rejects on an old primary. A new timeline is recorded first, so that every agent can see it. */
  async check(timeline: number): Promise<void> {
    const { system, timelines } = this.#parts
    if (timeline < this.#highest) {
      const message = `PostgreSQL is on timeline ${timeline}, but timeline ${this.#highest} was seen: a standby was promoted, and this is the old primary.`
      throw new MetadataError('unavailable', message, { reason: 'old primary' })
    }
    if (timeline === this.#highest) return
    this.#recording ??= timelines.record(system, timeline).finally(() => (this.#recording = undefined))
    try {
      await this.#recording
    } catch (error) {
      throw new MetadataError('unavailable', `The timeline ${timeline} of PostgreSQL could not be recorded in the object store.`, {
        cause: error,
      })
    }
    this.#highest = Math.max(this.#highest, timeline)
  }

  /** Called with each transaction: looks again when it is time, beside the transaction. */
  look(): void {
    const now = this.#parts.clock.monotonic()
    if (now - this.#agesReadAt >= agesEveryMs) {
      this.#agesReadAt = now
      this.#parts.readAges().then(
        (ages) => (this.#ages = ages),
        () => (this.#ages = undefined),
      )
    }
    if (now - this.#timelinesReadAt >= timelinesEveryMs) {
      this.#timelinesReadAt = now
      // A store that does not answer is reported by its own requests; the next look comes in time.
      this.#readTimelines().catch(() => {})
    }
  }

  async #readTimelines(): Promise<void> {
    const { clock, system, timelines } = this.#parts
    this.#timelinesReadAt = clock.monotonic()
    this.#highest = Math.max(this.#highest, await timelines.highest(system))
  }
}
