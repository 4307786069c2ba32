// The one race of a promise with a timer: a wait that ends after a time by any clock.
import type { Clock } from './clock.ts'

export interface Lateness {
  readonly clock: Pick<Clock, 'after'>
  readonly afterMs: number
}

/** Settles as the promise does, or with `late` after `afterMs`. A later result of the promise is ignored, also a rejection. */
export async function orLate<T, L>(promise: Promise<T>, { clock, afterMs }: Lateness, late: L): Promise<T | L> {
  const over = Promise.withResolvers<L>()
  const timer = clock.after(afterMs, () => over.resolve(late))
  try {
    return await Promise.race([promise, over.promise])
  } finally {
    timer.cancel()
  }
}
