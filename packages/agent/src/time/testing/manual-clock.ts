// A Clock that moves only when a test moves it, and a Random with values that a test chooses.
import type { Clock, Random, Timer } from '../clock.ts'

interface ManualTimer {
  readonly due: number
  readonly order: number
  readonly callback: () => void
}

/** `now` and `monotonic` are the same time. Timers fire inside `advance`, in the order of their time, then of their setting. */
export class ManualClock implements Clock {
  #time: number
  #order = 0
  readonly #waiting = new Set<ManualTimer>()
  readonly #arrivals: (() => void)[] = []

  constructor(startMs = 1_000_000) {
    this.#time = startMs
  }

  /** Timers that are set and have not fired. */
  get waiting(): number {
    return this.#waiting.size
  }

  now(): number {
    return this.#time
  }

  monotonic(): number {
    return this.#time
  }

  after(delayMs: number, callback: () => void): Timer {
    const waiting = { due: this.#time + Math.max(0, delayMs), order: (this.#order += 1), callback }
    this.#waiting.add(waiting)
    for (const arrive of this.#arrivals.splice(0)) arrive()
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  soon(callback: () => void): void {
    this.after(0, callback)
  }

  /** Moves time forward and fires the timers that are due. Promises run between any two timers. */
  async advance(byMs: number): Promise<void> {
    const until = this.#time + byMs
    await settled()
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#waiting.delete(next)
      this.#time = Math.max(this.#time, next.due)
      next.callback()
      await settled()
    }
    this.#time = until
  }

  /** Advances to the next timer. Without one, time does not move. */
  async advanceToNext(): Promise<void> {
    await settled()
    const next = this.#next(Number.POSITIVE_INFINITY)
    if (next !== undefined) await this.advance(Math.max(0, next.due - this.#time))
  }

  /** Settles when at least `count` timers are set, so that `advance` has timers to fire. */
  async until(count: number): Promise<void> {
    while (this.#waiting.size < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }

  #next(until: number): ManualTimer | undefined {
    let first: ManualTimer | undefined
    for (const waiting of this.#waiting)
      if (
        waiting.due <= until &&
        (first === undefined || waiting.due < first.due || (waiting.due === first.due && waiting.order < first.order))
      )
        first = waiting
    return first
  }
}

/** A manual clock that jumps to its next timer when nothing else can run: for tests of code that also happens to wait. */
export function runningClock(): { readonly clock: ManualClock; readonly stop: () => void } {
  const clock = new ManualClock()
  let running = true
  const run = async (): Promise<void> => {
    for (await clock.until(1); running; await clock.until(1)) await clock.advanceToNext()
  }
  void run()
  return { clock, stop: () => void (running = false) }
}

/** `next` always returns `value`; bytes are zeros and a counter, so that none repeat. */
export function steadyRandom(value = 0.5): Random {
  let drawn = 0
  return {
    next: () => value,
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      drawn += 1
      for (let at = 0; at < Math.min(4, length); at += 1) bytes[length - 1 - at] = (drawn >>> (8 * at)) & 0xff
      return bytes
    },
  }
}

/** Waits for a turn of the event loop, so that all pending promises run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
