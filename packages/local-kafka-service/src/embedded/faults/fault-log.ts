// The log of all applications of faults, as `faults.seen()` returns it.
import type { SeenFault } from './fault-types.ts'

const kept = 1_000

export class FaultLog {
  #list: SeenFault[] = []
  /** The number of applied faults of the two services so far: if it grew while a request was pending, one of them may have affected the request. */
  serviceFaultCount = 0
  lastServiceFault: string | undefined

  get list(): readonly SeenFault[] {
    return this.#list.slice(-kept)
  }

  clear(): void {
    this.#list = []
  }

  add(application: SeenFault): void {
    this.#list.push(application)
    if (this.#list.length > 2 * kept) this.#list = this.#list.slice(-kept)
  }

  addServiceFault(application: SeenFault): void {
    this.serviceFaultCount += 1
    this.lastServiceFault = application.fault
    this.add(application)
  }
}
