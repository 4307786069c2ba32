// What was begun and takes real time: work in a thread, on a disk, over a network. Whoever moves time lets it come to rest first.
import type { Clock } from './clock.ts'

/** Work begets work (a save, then what it answers): so many rounds are waited for, then it is traffic that never rests. */
const rounds = 3
/** Turns of the event loop without work before it counts as rest: a socket's answer and its next request take one each. */
const turns = 3
/** What takes longer than this hangs, and time goes on without it. */
const patienceMs = 5_000

export class InFlight {
  readonly #clock: Pick<Clock, 'soon' | 'after'>
  readonly #work = new Set<Promise<unknown>>()

  /** `clock`: the machine's own, which goes by itself. */
  constructor(clock: Pick<Clock, 'soon' | 'after'>) {
    this.#clock = clock
  }

  /** The work itself, counted until it has ended. */
  during<T>(work: Promise<T>): Promise<T> {
    const ended: Promise<unknown> = work.then(
      () => this.#work.delete(ended),
      () => this.#work.delete(ended),
    )
    this.#work.add(ended)
    return work
  }

  /** Settles when promises and sockets had their turns and what was begun by then has ended; or when it has taken too long. */
  async settled(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => this.#clock.soon(resolve))
      if (this.#work.size === 0) return
      await this.#ended([...this.#work])
    }
  }

  async #ended(work: readonly Promise<unknown>[]): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = this.#clock.after(patienceMs, late.resolve)
    await Promise.race([Promise.all(work), late.promise])
    timer.cancel()
  }
}
