// A token bucket: a budget per second with a burst, which refills with time. The caller may overdraw it and then waits longer.

export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #atMs: number

  /** `perSecond` may be Infinity: then no caller waits. */
  constructor(options: { readonly perSecond: number; readonly burst: number; readonly nowMs: number }) {
    this.#perSecond = options.perSecond
    this.#burst = options.burst
    this.#left = options.burst
    this.#atMs = options.nowMs
  }

  spend(amount: number, nowMs: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return
    this.#left = this.#at(nowMs) - amount
    this.#atMs = nowMs
  }

  /** The time until `amount` may be spent. An amount above the burst waits for the whole burst. */
  waitMs(amount: number, nowMs: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0
    return Math.max(0, ((Math.min(amount, this.#burst) - this.#at(nowMs)) * 1_000) / this.#perSecond)
  }

  #at(nowMs: number): number {
    return Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1_000)
  }
}
