// A token bucket: a budget per second with a burst, which refills with time. A caller may spend without waiting; a debt makes later callers wait longer.

export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #debt: number
  #left: number
  #atMs: number

  /** `perSecond` may be Infinity: then no caller waits. `debt` limits what can be owed. */
  constructor(options: { readonly perSecond: number; readonly burst: number; readonly debt: number; readonly nowMs: number }) {
    this.#perSecond = options.perSecond
    this.#burst = options.burst
    this.#debt = options.debt
    this.#left = options.burst
    this.#atMs = options.nowMs
  }

  spend(amount: number, nowMs: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return
    this.#left = Math.max(-this.#debt, this.#at(nowMs) - amount)
    this.#atMs = nowMs
  }

  /** The time until `amount` may be spent. An amount above the burst waits for the whole burst. */
  waitMs(amount: number, nowMs: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0
    const missing = Math.min(amount, this.#burst) - this.#at(nowMs)
    // After such a wait, rounding may leave a rest whose wait is too short to move the clock.
    return missing < roundingRest ? 0 : (missing * 1_000) / this.#perSecond
  }

  #at(nowMs: number): number {
    return Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1_000)
  }
}

const roundingRest = 1e-6
