// A budget of bytes: together its users hold at most its limit, except that one request always fits when nothing is held.
import { assert } from '../core/assert.ts'
import { OldestFirstSet } from '../core/oldest-first.ts'
import { onAbort } from '../time/abort.ts'
import type { Clock } from '../time/clock.ts'

/** The values that a scrape shows for a part of the memory. */
export interface ByteGauge {
  readonly usedBytes: number
  readonly limitBytes: number
}

interface WaitForBytes {
  /** Ends the wait with false. */
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly clock: Clock
}

interface Waiter {
  readonly bytes: number
  settle(taken: boolean): void
}

export class ByteBudget {
  readonly #limitBytes: number
  /** In the order in which they are served. */
  readonly #waiters = new OldestFirstSet<Waiter>()
  readonly #watchers = new Set<() => void>()
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Negative while the budget is exceeded. */
  get freeBytes(): number {
    return this.#limitBytes - this.#usedBytes
  }

  get gauge(): ByteGauge {
    return { usedBytes: this.#usedBytes, limitBytes: this.#limitBytes }
  }

  /** False: the bytes do not fit, or others wait for theirs, and nothing is taken. */
  tryTake(bytes: number): boolean {
    if (!this.#fitsNow(bytes)) return false
    this.take(bytes)
    return true
  }

  /** Takes bytes even if they do not fit: the caller has a rule of its own. */
  take(bytes: number): void {
    assert(bytes >= 0, 'no negative number of bytes is taken from a budget')
    this.#usedBytes += bytes
  }

  release(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#usedBytes, 'only bytes that were taken from a budget are released')
    this.#usedBytes -= bytes
    this.#letGo()
    if (this.#watchers.size > 0) for (const watcher of new Set(this.#watchers)) watcher()
  }

  /** `onFreed` is called after each release, until the watch is ended by calling the returned function. */
  watch(onFreed: () => void): () => void {
    this.#watchers.add(onFreed)
    return () => void this.#watchers.delete(onFreed)
  }

  /**
   * Takes the bytes when they fit, first come, first served; at once if they fit now. True: they are taken before another caller can ask, and the caller
   * releases them, even if the signal has aborted meanwhile. False: they did not fit in time, or the signal aborted, and nothing is taken.
   */
  takeWhenFits(bytes: number, { signal, timeoutMs, clock }: WaitForBytes): Promise<boolean> {
    if (this.tryTake(bytes)) return Promise.resolve(true)
    if (signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        bytes,
        settle: (taken) => {
          timer.cancel()
          unlisten()
          this.#waiters.delete(waiter)
          resolve(taken)
        },
      }
      const giveUp = (): void => {
        waiter.settle(false)
        this.#letGo()
      }
      const timer = clock.after(timeoutMs, giveUp)
      const unlisten = onAbort(signal, giveUp)
      this.#waiters.add(waiter)
    })
  }

  #fitsNow(bytes: number): boolean {
    return this.#waiters.size === 0 && this.#fits(bytes)
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#limitBytes
  }

  #letGo(): void {
    for (let waiter = this.#waiters.oldest(); waiter !== undefined; waiter = this.#waiters.oldest()) {
      if (!this.#fits(waiter.bytes)) return
      this.take(waiter.bytes)
      waiter.settle(true)
    }
  }
}
