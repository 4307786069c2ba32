// Closes stalled readers: while answers of other clients find no memory, the reader that has stalled for the longest time gives way.
import { fixedLimits } from '../limits.ts'
import type { Clock } from '../time/clock.ts'

/** A connection that may hold answers. */
export interface Holder {
  /** The time since which its client has read no bytes of its answers, on the monotonic clock; undefined when it holds none. */
  readonly stalledSinceMs: number | undefined
}

export interface StalledReadersParts<H extends Holder> {
  readonly clock: Clock
  readonly holders: Iterable<H>
  /** Closes the holder. */
  readonly giveWay: (holder: H, message: string) => void
}

export class StalledReaders<H extends Holder> {
  readonly #parts: StalledReadersParts<H>
  #starvedAtMs = Number.NEGATIVE_INFINITY
  #checking = false

  constructor(parts: StalledReadersParts<H>) {
    this.#parts = parts
  }

  /** An answer found no memory. Checks the readers now, and again as long as this is called every few seconds. */
  starved(): void {
    this.#starvedAtMs = this.#parts.clock.monotonic()
    if (!this.#checking) this.#check()
  }

  #check(): void {
    const { clock, holders, giveWay } = this.#parts
    const now = clock.monotonic()
    this.#checking = now - this.#starvedAtMs <= 2 * fixedLimits.answerStallCheckMs
    if (!this.#checking) return
    clock.after(fixedLimits.answerStallCheckMs, () => this.#check())
    let longest: { readonly holder: H; readonly sinceMs: number } | undefined
    for (const holder of holders) {
      const sinceMs = holder.stalledSinceMs
      if (sinceMs !== undefined && (longest === undefined || sinceMs < longest.sinceMs)) longest = { holder, sinceMs }
    }
    if (longest === undefined || now - longest.sinceMs < fixedLimits.answerStallMs) return
    const seconds = Math.floor((now - longest.sinceMs) / 1000)
    giveWay(longest.holder, `its client had read nothing of its answers for ${seconds} s, and the answers of other clients found no memory`)
  }
}
