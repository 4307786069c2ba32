// The trace of a world, line by line, with a hash over all lines: the same seed gives the same hash.
import { createHash } from 'node:crypto'
import type { VirtualTime } from './sim-clock.ts'

export class Trace {
  readonly #time: VirtualTime
  readonly #hash = createHash('sha256')
  readonly #onLine: ((line: string) => void) | undefined
  #lines = 0

  /** `onLine` receives every line as it is written; without it only the hash is kept. */
  constructor(time: VirtualTime, onLine?: (line: string) => void) {
    this.#time = time
    this.#onLine = onLine
  }

  get lines(): number {
    return this.#lines
  }

  /** `who` is a life, a client or a service. Nothing in the text may depend on the machine or on real time. */
  write(who: string, what: string): void {
    const line = `${this.#time.nowMs.toFixed(3).padStart(12)} ${who.padEnd(14)} ${what}`
    this.#lines += 1
    this.#hash.update(line).update('\n')
    this.#onLine?.(line)
  }

  /** The hash of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
