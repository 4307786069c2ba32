// Waits for a condition: checks it, and checks again when an event may have changed it. Only the time-out depends on the clock.
import { type AgentEvent, type Clock, longPoll, orLate } from '@local-kafka-service/agent'
import type { EventListeners } from './event-listeners.ts'
import { durationText } from './record-text.ts'
import { RefusedError } from './rejection-error.ts'
import { WaitTimeoutError } from './wait-timeout-error.ts'

export interface WaitParts {
  readonly listeners: EventListeners
  readonly clock: Clock
  /** Settles when the server ends, which ends every wait. */
  readonly ended: Promise<unknown>
}

export interface Wait<T> {
  /** The call as the caller wrote it: `waitFor('orders', 3)`. */
  readonly call: string
  readonly timeoutMs: number
  /** The condition to wait for; it stops when the signal aborts, and its later result is ignored. */
  readonly work: (signal: AbortSignal) => Promise<T>
  /** What was there instead. */
  readonly report: () => Promise<string>
  /** The error's stack begins at the caller of this function. */
  readonly from: (...given: never[]) => unknown
}

/** Rejects with a WaitTimeoutError at the time-out, with a RefusedError when the server ends meanwhile, or as the work does. */
export async function wait<T>({ call, timeoutMs, work, report, from }: Wait<T>, { clock, ended }: WaitParts): Promise<T> {
  if (!(timeoutMs >= 0)) throw new RangeError(`${call}: timeoutMs is ${timeoutMs}; use a number of milliseconds`)
  // Created here: at the end of the wait the caller is no longer on the stack.
  const late = new WaitTimeoutError()
  const stopped = new RefusedError('SERVER_STOPPED', `${call}: the server was stopped while it waited`)
  for (const error of [late, stopped]) Error.captureStackTrace(error, from)
  const giveUp = new AbortController()
  try {
    const working = work(giveUp.signal).then((value) => ({ value }))
    const first = await orLate(Promise.race([working, ended.then(() => 'ended' as const)]), { clock, afterMs: timeoutMs }, 'late' as const)
    if (typeof first === 'object') return first.value
    giveUp.abort()
    if (first === 'ended') throw stopped
    late.message = `${call}: not within ${durationText(timeoutMs)}\n\n${await report()}`
    late.stack = restated(late)
    throw late
  } finally {
    giveUp.abort()
  }
}

/** Settles when `look` finds something; it looks again after every event that `matters`. Rejects when the signal aborts. */
export async function untilFound<T>(
  look: () => Promise<T | undefined>,
  {
    listeners,
    signal,
    matters,
  }: { readonly listeners: EventListeners; readonly signal: AbortSignal; readonly matters: (event: AgentEvent) => boolean },
): Promise<T> {
  const found = await longPoll({
    watch: (wake) =>
      listeners.listen((event) => {
        if (matters(event)) wake()
      }),
    look,
    isEnough: (one) => one !== undefined,
    signal,
  })
  if (found === undefined) throw new Error('the wait has ended')
  return found
}

/** The stack contains the message that the error had when it was created. */
function restated({ name, message, stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  return [`${name}: ${message}`, ...frames].join('\n')
}
