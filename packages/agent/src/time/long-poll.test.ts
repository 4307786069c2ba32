// A long poll over a number that can be watched.
import { expect, test } from 'vitest'
import { longPoll } from './long-poll.ts'
import { systemClock } from './system-clock.ts'

/** A number that can be watched. */
class Watched {
  value = 0
  readonly watchers = new Set<() => void>()

  readonly watch = (wake: () => void): (() => void) => {
    this.watchers.add(wake)
    return () => void this.watchers.delete(wake)
  }

  set(value: number): void {
    this.value = value
    for (const wake of this.watchers) wake()
  }
}

const never = new AbortController().signal

test('a long poll looks again after each change, and ends when what it found is enough', async () => {
  const number = new Watched()
  const looks: number[] = []
  const polled = longPoll({
    watch: number.watch,
    look: async () => {
      looks.push(number.value)
      return number.value
    },
    isEnough: (found) => found >= 2,
    beforeWait: () => {
      queueMicrotask(() => number.set(number.value + 1))
      return undefined
    },
    signal: never,
  })
  expect(await polled).toBe(2)
  expect(looks).toEqual([0, 1, 2])
  expect(number.watchers.size).toBe(0)
})

test('a change between the look and the wait is not missed', async () => {
  const number = new Watched()
  const polled = longPoll({
    watch: number.watch,
    look: async () => {
      const found = number.value
      if (found === 0) number.set(1)
      return found
    },
    isEnough: (found) => found === 1,
    signal: never,
  })
  expect(await polled).toBe(1)
})

test('a long poll without enough ends at its deadline, and at once when its signal aborts', async () => {
  const number = new Watched()
  const poll = { watch: number.watch, look: async () => number.value, isEnough: () => false }
  const deadline = { clock: systemClock, atMs: systemClock.monotonic() + 1 }
  expect(await longPoll({ ...poll, deadline, signal: never })).toBe(0)
  const gone = new AbortController()
  const polled = longPoll({ ...poll, signal: gone.signal })
  gone.abort()
  expect(await polled).toBe(0)
  expect(number.watchers.size).toBe(0)
})

test('a look that fails ends the watch', async () => {
  const number = new Watched()
  const failing = longPoll({ watch: number.watch, look: () => Promise.reject(new RangeError('no')), isEnough: () => true, signal: never })
  await expect(failing).rejects.toThrow('no')
  expect(number.watchers.size).toBe(0)
})
