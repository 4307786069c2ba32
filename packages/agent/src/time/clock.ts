// The ports of time and randomness: all code of the agent that waits or needs random values uses one of these two.

/** `sleep.ts` and `every.ts` are the waits on a clock. */
export interface Clock {
  /** Milliseconds since the epoch by the wall clock, which may jump. Use it for timestamps, never for time-outs. */
  now(): number
  /** Milliseconds on a clock that never goes back. For time-outs, leases and measurements. */
  monotonic(): number
  /** Runs the callback once, after at least `delayMs`. The timer does not keep a process alive. A clock that jumps over several beats may fire only the last. */
  after(delayMs: number, callback: () => void, kind?: 'timer' | 'beat'): Timer
  /** Runs the callback in a later turn of the event loop, after pending I/O. */
  soon(callback: () => void): void
}

export interface Timer {
  cancel(): void
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** `length` random bytes, suitable for identifiers that must never collide. */
  bytes(length: number): Uint8Array
}
