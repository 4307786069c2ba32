// Turns of the event loop: long work over many names, partitions or records runs in slices, and other requests run between two slices.
import { fixedLimits } from '../limits.ts'
import type { Clock } from './clock.ts'

/**
 * One per agent. After N units of work, await `Slice.next()`:
 *
 *     const slice = turns.slice()
 *     for (const name of names) {
 *       answers.push(answerFor(name))
 *       if (slice.spent(1)) await slice.next()
 *     }
 *
 * Work is counted, never timed, so the simulator stays deterministic; there, a turn is a step of virtual time. In each turn two slices run: one of the work that
 * has hardly waited yet, and one of the long work, each in the order in which it began to wait. So a hundred long requests delay a short one no more than one of them does.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'soon'>
  readonly #short: (() => void)[] = []
  readonly #long: (() => void)[] = []
  #scheduled = false

  constructor(clock: Pick<Clock, 'soon'>) {
    this.#clock = clock
  }

  /** A slice for the work of one request or one round of a job. A unit is a name, a partition or a small record: a few microseconds. */
  slice(units: number = fixedLimits.unitsPerTurn): Slice {
    return new Slice(this, units)
  }

  /** Settles in a later turn of the event loop, after pending I/O. */
  next(work: Work = 'short'): Promise<void> {
    return new Promise((resolve) => {
      const queue = work === 'short' ? this.#short : this.#long
      queue.push(resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.soon(this.#release)
  }

  readonly #release = (): void => {
    const released = [this.#short.shift(), this.#long.shift()]
    this.#scheduled = false
    if (this.#short.length + this.#long.length > 0) this.#schedule()
    for (const resolve of released) resolve?.()
  }
}

/** Short work is that of most requests; long work is that of a few large ones. */
type Work = 'short' | 'long'

/** The kind of work that has waited so often. */
function workAfter(waits: number): Work {
  return waits < fixedLimits.turnsOfShortWork ? 'short' : 'long'
}

/** Counts the work of one request since its last turn. */
export class Slice {
  readonly #turns: Turns
  readonly #units: number
  #left: number
  #waits = 0

  constructor(turns: Turns, units: number) {
    this.#turns = turns
    this.#units = units
    this.#left = units
  }

  /** Counts finished work. True: this slice is used up, await `next()` before more work. */
  spent(units: number): boolean {
    this.#left -= units
    return this.#left <= 0
  }

  /** Lets other work run, then starts a new slice. */
  async next(): Promise<void> {
    await this.#turns.next(workAfter(this.#waits))
    this.#waits += 1
    this.#left = this.#units
  }
}

/** The work for a name that is hashed and compared: one unit, and more for one that is thousands of characters long. */
export function unitsOfName({ length }: string): number {
  return 1 + Math.floor(length / fixedLimits.charactersPerUnit)
}

/** Runs the steps to their end, in as many turns as they need. They yield their work. Rejects as they throw. */
export async function finished<T>(steps: Iterator<number, T>, turns: Turns, workPerUnit = 1): Promise<T> {
  const slice = turns.slice()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (slice.spent(step.value / workPerUnit)) await slice.next()
  }
}

/** Splits the items into groups of one slice each, one unit per item. If there are several groups, other requests run before each. */
export async function* inSlices<T>(
  items: readonly T[],
  turns: Turns,
  units: number = fixedLimits.unitsPerTurn,
): AsyncGenerator<readonly T[]> {
  if (items.length <= units) {
    yield items
    return
  }
  for (let from = 0; from < items.length; from += units) {
    await turns.next(workAfter(from / units))
    yield items.slice(from, from + units)
  }
}
