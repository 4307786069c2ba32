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
  readonly clock: Clock
  settle(fits: boolean): void
}

export class ByteBudget {
  readonly #limitBytes: number
  /** In the order in which they are served. */
  readonly #waiters = new OldestFirstSet<Waiter>()
  readonly #watchers = new Set<() => void>()
  #usedBytes = 0
  /** The bytes of the waiters that were let go in this turn of the event loop: they may not have taken them yet. */
  #promisedBytes = 0

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

  /** Takes bytes even if they do not fit: the caller has waited for them, or has a rule of its own. */
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
   * Settles with true when the bytes fit, first come, first served; at once if they fit now. It takes nothing: the caller takes them, in the same turn, or
   * leaves them to the others. False: they did not fit in time, or the signal aborted.
   */
  whenFits(bytes: number, { signal, timeoutMs, clock }: WaitForBytes): Promise<boolean> {
    if (this.#fitsNow(bytes)) return Promise.resolve(true)
    if (signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        bytes,
        clock,
        settle: (fits) => {
          timer.cancel()
          unlisten()
          this.#waiters.delete(waiter)
          resolve(fits)
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
    const busyBytes = this.#usedBytes + this.#promisedBytes
    return busyBytes === 0 || busyBytes + bytes <= this.#limitBytes
  }

  #letGo(): void {
    for (let waiter = this.#waiters.oldest(); waiter !== undefined; waiter = this.#waiters.oldest()) {
      if (!this.#fits(waiter.bytes)) return
      if (this.#promisedBytes === 0) waiter.clock.soon(() => this.#nextTurn())
      this.#promisedBytes += waiter.bytes
      waiter.settle(true)
    }
  }

  /** Promised bytes that were not taken are free for the next waiters. */
  #nextTurn(): void {
    this.#promisedBytes = 0
    this.#letGo()
  }
}
