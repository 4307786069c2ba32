// A budget per second with a burst (a token bucket): what is spent comes back with time. It may be overdrawn; then one waits longer.

export class Budget {
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #atMs: number

  /** `perSecond` may be Infinity: then nobody ever waits. */
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

  /** How long until so much may be spent; what is more than the whole burst waits for the whole burst. */
  waitMs(amount: number, nowMs: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0
    return Math.max(0, ((Math.min(amount, this.#burst) - this.#at(nowMs)) * 1_000) / this.#perSecond)
  }

  #at(nowMs: number): number {
    return Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1_000)
  }
}
