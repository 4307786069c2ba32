// Percentiles of any number of times in little memory: counts in buckets that grow by 2 % each.

export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const smallestMs = 0.01
const growth = 1.02
/** The last bucket has everything above 100 s. */
const bucketCount = Math.ceil(Math.log(100_000 / smallestMs) / Math.log(growth))

export class Latencies {
  readonly #counts = new Uint32Array(bucketCount + 1)
  #count = 0
  #maxMs = 0

  /** A negative time, from clocks that differ, counts as none. */
  add(ms: number): void {
    const at = ms <= smallestMs ? 0 : Math.min(bucketCount, Math.ceil(Math.log(ms / smallestMs) / Math.log(growth)))
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#count += 1
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** Undefined without any time. A percentile is at most 2 % above the exact one. */
  summary(): LatencySummary | undefined {
    if (this.#count === 0) return undefined
    return { count: this.#count, p50Ms: this.#at(0.5), p95Ms: this.#at(0.95), p99Ms: this.#at(0.99), maxMs: this.#maxMs }
  }

  #at(share: number): number {
    const wanted = Math.ceil(this.#count * share)
    let seen = 0
    const at = this.#counts.findIndex((count) => (seen += count) >= wanted)
    return Math.min(this.#maxMs, smallestMs * growth ** at)
  }
}
