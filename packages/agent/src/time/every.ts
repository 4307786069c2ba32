// Beats by any clock: the loop of a service that does something periodically.
import { orAborted } from './abort.ts'
import type { Clock } from './clock.ts'

type BeatClock = Pick<Clock, 'monotonic' | 'after'>

/**
 * Yields the monotonic time about every period, in milliseconds, until the signal aborts, then returns. A slow consumer skips beats and never gets a burst.
 * A period that can change is read after each beat.
 */
export async function* every(clock: BeatClock, period: number | (() => number), signal: AbortSignal): AsyncGenerator<number, void> {
  const read = typeof period === 'number' ? () => period : period
  for (let dueMs = clock.monotonic() + read(); await isDue(dueMs, clock, signal); ) {
    yield clock.monotonic()
    const periodMs = read()
    // Skips beats that were due while the consumer was busy, or while the clock jumped.
    const lateMs = Math.max(0, clock.monotonic() - dueMs)
    dueMs += periodMs * (Math.floor(lateMs / periodMs) + 1)
  }
}

/** False: the signal aborted first. */
async function isDue(dueMs: number, clock: BeatClock, signal: AbortSignal): Promise<boolean> {
  const due = Promise.withResolvers<boolean>()
  const timer = clock.after(dueMs - clock.monotonic(), () => due.resolve(true), 'beat')
  try {
    return await orAborted(due.promise, signal, () => false)
  } finally {
    timer.cancel()
  }
}
