// The machine's own time and chance: the only file of the agent that may ask for them.
import type { Clock, Random, Timer } from './clock.ts'
import { clearTimeout, monotonic, setImmediate, setTimeout, wallNow } from './real-globals.ts'

// Taken as the module loads, as the time is.
const { random } = Math

export const systemClock: Clock = {
  now: () => wallNow(),
  monotonic: () => monotonic(),
  after,
  sleep,
  every,
  soon: (callback) => void setImmediate(callback),
}

export const systemRandom: Random = {
  next: () => random(),
  // Loaded when it is asked for: 4 ms that the Kafka port need not wait for.
  bytes: (length) => process.getBuiltinModule('node:crypto').randomBytes(length),
}

/** Beyond this Node fires at once: a longer delay is waited for in parts. */
const longestTimeoutMs = 2 ** 31 - 1

function after(delayMs: number, callback: () => void): Timer {
  let timeout: NodeJS.Timeout
  const wait = (leftMs: number): void => {
    const partMs = Math.min(leftMs, longestTimeoutMs)
    timeout = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : callback()), Math.max(0, partMs))
    timeout.unref()
  }
  wait(delayMs)
  return { cancel: () => clearTimeout(timeout) }
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(reasonOf(signal))
    const timer = after(delayMs, () => {
      // The signal may outlive many sleeps: nothing may pile up on it.
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    function onAbort(): void {
      timer.cancel()
      if (signal !== undefined) reject(reasonOf(signal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

async function* every(periodMs: number, signal: AbortSignal): AsyncIterable<number> {
  for (let dueMs = monotonic() + periodMs; ; ) {
    if (!(await sleptUntil(dueMs, signal))) return
    yield monotonic()
    // Beats that fell due while the consumer was busy are skipped.
    const lateMs = Math.max(0, monotonic() - dueMs)
    dueMs += periodMs * (Math.floor(lateMs / periodMs) + 1)
  }
}

/** False: the signal aborted first. */
function sleptUntil(dueMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false)
    const timer = after(dueMs - monotonic(), () => {
      signal.removeEventListener('abort', onAbort)
      resolve(true)
    })
    function onAbort(): void {
      timer.cancel()
      resolve(false)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
