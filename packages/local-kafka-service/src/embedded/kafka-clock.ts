// The clock of an embedded server, as its user sees it.
import type { Duration } from './faults/fault-types.ts'

/**
 * Follows the system's time, and can be moved: what falls due on the way happens in its order, as if the time had passed. Sockets and stores stay in real
 * time. With metadata in PostgreSQL, which has its own clock, moving it rejects with a UserError.
 */
export interface KafkaClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Settles when everything that falls due until then has happened. */
  advance(duration: Duration, options?: AdvanceOptions): Promise<void>
  /** Sets the time. To the future it is an advance; to the past only timestamps go back, and no time-out is revoked. */
  set(time: number | Date, options?: AdvanceOptions): Promise<void>
}

/** For which members the time passes. */
export interface AdvanceOptions {
  /**
   * `keep` (the default): time stands still for the members of groups, because real clients send heartbeats in real time. `expire`: time passes for them too, and a member
   * without a heartbeat in that time is removed.
   */
  readonly sessions?: 'keep' | 'expire'
}
