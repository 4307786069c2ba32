// The machine's own time and randomness: only this file of the agent may use them.
import type { Clock, Random, Timer } from './clock.ts'
import { randomBytes } from './random-bytes.ts'
import { clearTimeout, monotonic, setImmediate, setTimeout, wallNow } from './real-globals.ts'

// Saved when the module loads, like the globals of time.
const { random } = Math

export const systemClock: Clock = {
  now: () => wallNow(),
  monotonic: () => monotonic(),
  after,
  soon: (callback) => void setImmediate(callback),
}

export const systemRandom: Random = {
  next: () => random(),
  bytes: randomBytes,
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
