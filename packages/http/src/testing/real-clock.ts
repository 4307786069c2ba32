// The machine's clock, for tests over real sockets.
import type { Clock } from '@local-kafka-service/agent'

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delayMs)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    }),
  async *every(periodMs, signal) {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, periodMs))
      yield performance.now()
    }
  },
  soon: (callback) => {
    setImmediate(callback)
  },
}
