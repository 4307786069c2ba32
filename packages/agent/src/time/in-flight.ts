// Running work that takes real time: in a thread, on a disk, over a network. Movable time waits for it before it moves.
import type { Clock } from './clock.ts'
import { orLate } from './or-late.ts'

/** Work starts more work (a save, then its answers). `settled` waits for this many rounds; work that is still running then is constant traffic. */
const rounds = 3
/** Turns of the event loop without work that count as settled: a socket's answer and its next request take one each. */
const turns = 3
/** Work that takes longer than this is hanging, and time moves without it. */
const workTimeoutMs = 5_000

export class InFlight {
  readonly #clock: Pick<Clock, 'soon' | 'after'>
  readonly #work = new Set<Promise<unknown>>()

  /** `clock`: the machine's own clock. */
  constructor(clock: Pick<Clock, 'soon' | 'after'>) {
    this.#clock = clock
  }

  /** Returns the same promise, and counts it until it settles. */
  during<T>(work: Promise<T>): Promise<T> {
    const ended: Promise<unknown> = work.then(
      () => this.#work.delete(ended),
      () => this.#work.delete(ended),
    )
    this.#work.add(ended)
    return work
  }

  /** Settles when promises and sockets had their turns and the running work has ended, or after `workTimeoutMs` in each round. */
  async settled(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => this.#clock.soon(resolve))
      if (this.#work.size === 0) return
      await orLate(Promise.all(this.#work), { clock: this.#clock, afterMs: workTimeoutMs }, 'late')
    }
  }
}
