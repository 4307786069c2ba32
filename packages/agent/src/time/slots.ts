// Slots: at most so many calls run at a time, the others wait in order.
import { onAbort } from './abort.ts'

export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** Runs the call when there is a slot. Rejects as the call does, or with the signal's reason if it aborts before the call begins. */
  async run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#turn(signal)
    try {
      return await call()
    } finally {
      this.#pass()
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        release()
        resolve()
      }
      this.#waiting.add(begin)
      const release = onAbort(signal, () => {
        this.#waiting.delete(begin)
        reject(signal.reason)
      })
    })
  }

  /** The slot goes to the call that has waited longest. */
  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
