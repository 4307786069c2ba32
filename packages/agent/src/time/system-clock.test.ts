// The system clock keeps the promises of Clock.
import { expect, test } from 'vitest'
import { every } from './every.ts'
import { sleep } from './sleep.ts'
import { systemClock, systemRandom } from './system-clock.ts'

/** Settles after a real delay, without the clock under test. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a timer fires once, not before its time, and not when it was cancelled', async () => {
  const startedAtMs = performance.now()
  const cancelled = systemClock.after(1, () => expect.unreachable())
  cancelled.cancel()
  await new Promise<void>((resolve) => systemClock.after(10, resolve))
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(9)
})

test('a delay beyond the limit of Node’s timers does not fire at once', async () => {
  let fired = false
  const timer = systemClock.after(2 ** 40, () => {
    fired = true
  })
  await pass(5)
  timer.cancel()
  expect(fired).toBe(false)
})

test('a delay below zero fires soon, and Node emits no warning', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  try {
    await new Promise<void>((resolve) => systemClock.after(-1, resolve))
    await sleep(systemClock, -5)
    await pass(0)
  } finally {
    process.off('warning', onWarning)
  }
  expect(warnings).toEqual([])
})

test('a sleep rejects with the reason of its signal, also if the signal aborted before', async () => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const sleeping = sleep(systemClock, 60_000, controller.signal)
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(sleep(systemClock, 1, controller.signal)).rejects.toBe(reason)
})

test('a slow consumer skips the beats that it missed', async () => {
  const controller = new AbortController()
  const beats: number[] = []
  for await (const now of every(systemClock, 20, controller.signal)) {
    beats.push(now)
    if (beats.length === 1) await pass(90)
    if (beats.length === 3) controller.abort()
  }
  const [first = 0, second = 0, third = 0] = beats
  expect(second - first).toBeGreaterThanOrEqual(89)
  // No burst: the third beat keeps its time.
  expect(third - second).toBeGreaterThan(5)
})

test('beats end when the signal aborts while they wait', async () => {
  const controller = new AbortController()
  systemClock.after(5, () => controller.abort())
  for await (const _ of every(systemClock, 60_000, controller.signal)) expect.unreachable()
})

test('random numbers are in their range, and random bytes differ', () => {
  expect(systemRandom.bytes(16)).toHaveLength(16)
  expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16))
  expect(systemRandom.next()).toBeLessThan(1)
})
