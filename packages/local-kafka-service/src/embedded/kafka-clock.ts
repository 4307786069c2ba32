// The clock of a Kafka inside the calling process, as its user sees it.
import type { Duration } from './faults/fault-types.ts'

/**
 * Goes with the system's time, and can be moved on: what falls due on the way happens in its order, as if the time had passed. Sockets and stores stay in real
 * time. Where metadata is kept in PostgreSQL, which has its own clock, moving it rejects with a UserError.
 */
export interface KafkaClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Settles when everything that falls due until then has happened. */
  advance(duration: Duration, options?: AdvanceOptions): Promise<void>
  /** It is that time now. To the future it is an advance; to the past only stamps go back, and no time-out is taken back. */
  set(time: number | Date, options?: AdvanceOptions): Promise<void>
}

/** For whom time passes. */
export interface AdvanceOptions {
  /**
   * `keep` (the default): time stands still for the members of groups, for real clients beat in real time. `expire`: it passes for them too, and whoever does not
   * beat in the meantime is out.
   */
  readonly sessions?: 'keep' | 'expire'
}
