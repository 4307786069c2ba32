// A long poll: look, and when that is not enough, look again after each change, until it is enough or the time is over.
import { onAbort } from './abort.ts'
import type { Clock } from './clock.ts'

export type Unwatch = () => void

export interface LongPoll<T> {
  /** Begins before each look after which there may be a wait, so that no change between the look and the wait is missed. */
  watch(wake: () => void): Unwatch | Promise<Unwatch>
  look(): Promise<T>
  isEnough(found: T): boolean
  /** Called before each wait. Watches what else may end it. */
  beforeWait?(wake: () => void): Unwatch | undefined
  /** The end of the last wait, by the monotonic time of the clock. Absent: only the signal ends it. */
  readonly deadline?: { readonly clock: Clock; readonly atMs: number }
  readonly signal: AbortSignal
}

/** What the last look found: enough, or what was there when the time was over or the signal aborted. Rejects as `look` does. */
export async function longPoll<T>(poll: LongPoll<T>): Promise<T> {
  const { deadline, signal } = poll
  for (;;) {
    const changed = Promise.withResolvers<void>()
    // After the deadline nothing is waited for, so nothing needs to be watched.
    const unwatch = leftOf(deadline) > 0 ? await poll.watch(changed.resolve) : () => {}
    try {
      const found = await poll.look()
      const leftMs = leftOf(deadline)
      if (poll.isEnough(found) || signal.aborted || leftMs <= 0) return found
      const release = onAbort(signal, changed.resolve)
      const unwatchMore = poll.beforeWait?.(changed.resolve)
      const timer = deadline?.clock.after(leftMs, changed.resolve)
      await changed.promise
      unwatchMore?.()
      timer?.cancel()
      release()
    } finally {
      unwatch()
    }
  }
}

function leftOf(deadline: LongPoll<unknown>['deadline']): number {
  return deadline === undefined ? Number.POSITIVE_INFINITY : deadline.atMs - deadline.clock.monotonic()
}
