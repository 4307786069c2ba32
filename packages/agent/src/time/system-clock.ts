// The machine's own time and randomness: only this file of the agent may use them.
import type { Clock, Random, Timer } from './clock.ts'
import { clearTimeout, monotonic, setImmediate, setTimeout, wallNow } from './real-globals.ts'

// Saved when the module loads, like the globals of time.
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
  // Loaded on first use, because loading takes 4 ms that the Kafka port need not wait for.
  bytes: (length) => process.getBuiltinModule('node:crypto').randomBytes(length),
}

/** Node fires a timer with a longer delay at once, so a longer delay is split into parts. */
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
      // The signal may outlive many sleeps, so each sleep removes its listener.
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
    // Skips beats that were due while the consumer was busy.
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
