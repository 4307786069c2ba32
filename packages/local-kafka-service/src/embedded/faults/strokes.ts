// The log of every stroke of every fault, as `faults.seen()` shows it.
import type { SeenFault } from './fault-types.ts'

const kept = 1_000

export class Strokes {
  #list: SeenFault[] = []
  /** Strokes below the protocol so far: whoever saw it grow while a request was under way knows that one of them may have spoilt it. */
  below = 0
  lastBelow: string | undefined

  get list(): readonly SeenFault[] {
    return this.#list.slice(-kept)
  }

  clear(): void {
    this.#list = []
  }

  add(stroke: SeenFault): void {
    this.#list.push(stroke)
    if (this.#list.length > 2 * kept) this.#list = this.#list.slice(-kept)
  }

  addBelow(stroke: SeenFault): void {
    this.below += 1
    this.lastBelow = stroke.fault
    this.add(stroke)
  }
}
