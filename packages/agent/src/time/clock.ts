// The ports of time and chance: everything in the agent that waits or draws asks one of these two.

export interface Clock {
  /** Milliseconds since the epoch by the wall clock. It may jump: for stamps that people and clients read, never for time-outs. */
  now(): number
  /** Milliseconds on a clock that never goes back. For time-outs, leases and measurements. */
  monotonic(): number
  /** Calls once after at least `delayMs`. The handle never keeps a process alive. */
  after(delayMs: number, callback: () => void): Timer
  /** Settles after `delayMs`; rejects with the signal's reason as soon as it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Yields the monotonic time about every `periodMs` until the signal aborts, then returns. A slow consumer skips beats, it never gets a burst. */
  every(periodMs: number, signal: AbortSignal): AsyncIterable<number>
  /** Runs the callback in a later turn of the event loop, after pending I/O had its chance. */
  soon(callback: () => void): void
}

export interface Timer {
  cancel(): void
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** `length` random bytes, fit for identifiers that must never collide. */
  bytes(length: number): Uint8Array
}
