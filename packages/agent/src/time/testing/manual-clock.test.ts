// The manual clock keeps the promises of Clock, so that tests may rely on it.
import { expect, test } from 'vitest'
import { every } from '../every.ts'
import { sleep } from '../sleep.ts'
import { ManualClock, runningClock, steadyRandom } from './manual-clock.ts'

test('timers fire in the order of their time, then of their setting, each at its own time, also those set during an advance', async () => {
  const clock = new ManualClock(0)
  const fired: (readonly [string, number])[] = []
  const note = (name: string) => (): void => void fired.push([name, clock.monotonic()])
  clock.after(20, note('b'))
  clock.after(10, () => {
    note('a')()
    clock.after(5, note('set during the advance'))
  })
  clock.after(20, note('c'))
  clock.after(21, note('later'))
  await clock.advance(20)
  expect(fired).toEqual([
    ['a', 10],
    ['set during the advance', 15],
    ['b', 20],
    ['c', 20],
  ])
  expect(clock.waiting).toBe(1)
})

test('a cancelled timer never fires', async () => {
  const clock = new ManualClock()
  let fired = false
  clock
    .after(1, () => {
      fired = true
    })
    .cancel()
  await clock.advance(10)
  expect(fired).toBe(false)
})

test('a sleep rejects with the reason as soon as its signal aborts, and leaves no timer', async () => {
  const clock = new ManualClock()
  const give = new AbortController()
  const sleeping = sleep(clock, 100, give.signal)
  give.abort('enough')
  await expect(sleeping).rejects.toBe('enough')
  await expect(sleep(clock, 100, AbortSignal.abort('before'))).rejects.toBe('before')
  expect(clock.waiting).toBe(0)
})

test('beats come until the signal aborts, and a slow consumer gets no burst', async () => {
  const clock = new ManualClock(0)
  const give = new AbortController()
  const beats: number[] = []
  const consumer = (async () => {
    for await (const now of every(clock, 10, give.signal)) {
      beats.push(now)
      if (now === 10) await sleep(clock, 35)
    }
  })()
  await clock.advance(80)
  give.abort()
  await consumer
  expect(beats).toEqual([10, 50, 60, 70, 80])
})

test('a running clock jumps to the next timer', async () => {
  const { clock, stop } = runningClock()
  const began = clock.now()
  await sleep(clock, 86_400_000)
  expect(clock.now() - began).toBe(86_400_000)
  stop()
})

test('random bytes do not repeat', () => {
  const random = steadyRandom()
  expect(random.bytes(8)).not.toEqual(random.bytes(8))
})
