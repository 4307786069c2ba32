// A clock that stands still until a test moves it.
import type { Clock, Timer } from '@local-kafka-service/agent'

export class HandClock implements Clock {
  #nowMs = 1_000_000
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return { cancel: () => this.#timers.delete(timer) }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Lets pending promises settle, then moves the time and calls the timers that are due, in order. */
  async advance(ms: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#nowMs += ms
    for (const timer of [...this.#timers].toSorted((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#nowMs || !this.#timers.delete(timer)) continue
      timer.callback()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}
