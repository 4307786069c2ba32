// The log of all applications of faults, as `faults.seen()` returns it.
import type { SeenFault } from './fault-types.ts'

const kept = 1_000

export class Strokes {
  #list: SeenFault[] = []
  /** The number of applications below the protocol so far: if it grew while a request was pending, one of them may have affected the request. */
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
