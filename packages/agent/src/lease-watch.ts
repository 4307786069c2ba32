// Which leases are over: those that this agent has itself seen unchanged for a whole time-out, by its own monotonic clock, in successive successful reads.
import type { IncarnationId } from './core/ids.ts'
import { fixedLimits } from './limits.ts'
import type { WatchedLease } from './metadata/lease.ts'

/** When a read of the leases was sent, and when its answer came, in monotonic milliseconds. */
export interface ReadTimes {
  readonly askedMs: number
  readonly answeredMs: number
}

interface SeenLease extends WatchedLease {
  /** When the answer came that first had this counter. */
  readonly sinceMs: number
}

export class LeaseWatch {
  #seen: ReadonlyMap<IncarnationId, SeenLease> = new Map()
  #lastReadMs = Number.NEGATIVE_INFINITY

  /**
   * Call it after each successful read, and only then. The answer has the leases that are over. Reads that are too far apart begin all time-outs again: while
   * the database was away or this process was paused, no holder could beat either.
   */
  observe(leases: Iterable<WatchedLease>, { askedMs, answeredMs }: ReadTimes): readonly WatchedLease[] {
    const continues = answeredMs - this.#lastReadMs <= fixedLimits.leaseReadGapMs
    this.#lastReadMs = answeredMs
    const seen = new Map<IncarnationId, SeenLease>()
    for (const { incarnation, beats } of leases) {
      const before = continues ? this.#seen.get(incarnation) : undefined
      seen.set(incarnation, before?.beats === beats ? before : { incarnation, beats, sinceMs: answeredMs })
    }
    this.#seen = seen
    return [...seen.values()].filter(({ sinceMs }) => askedMs - sinceMs >= fixedLimits.leaseMs)
  }
}
