// A wait for a time by any clock.
import { orAborted } from './abort.ts'
import type { Clock } from './clock.ts'

/** Settles after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export async function sleep(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = clock.after(delayMs, over.resolve)
  try {
    await orAborted(over.promise, signal)
  } finally {
    timer.cancel()
  }
}
