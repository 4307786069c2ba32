// Movable time: timers that are due during a move fire in order, and no consumer gets a burst.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { every } from './every.ts'
import { MovableTime } from './movable-time.ts'
import { sleep } from './sleep.ts'
import { ManualClock } from './testing/manual-clock.ts'

/** Movable time over a manual clock. */
function aTime(options?: { readonly aheadMs: number }): {
  readonly time: MovableTime
  readonly base: ManualClock
  readonly advance: Advance
} {
  const base = new ManualClock(1_000_000)
  const time = new MovableTime(base, options)
  return { time, base, advance: (byMs, sessions = 'keep') => moved(base, time.advance(byMs, { sessions })) }
}
type Advance = (byMs: number, sessions?: 'keep' | 'expire') => Promise<void>

/** Runs turns of the base during the move, without moving the base's time. */
async function moved(base: ManualClock, moving: Promise<void>): Promise<void> {
  let over = false
  const end = moving.finally(() => {
    over = true
  })
  while (!over) await base.advance(0)
  await end
}

test('without a move it runs like its base, and timers fire by the base', async () => {
  const { time, base } = aTime()
  let fired = 0
  time.clock.after(100, () => (fired += 1))
  const cancelled = time.clock.after(100, () => expect.unreachable())
  cancelled.cancel()
  await base.advance(99)
  expect([fired, time.clock.now(), time.clock.monotonic()]).toEqual([0, 1_000_099, 1_000_099])
  await base.advance(1)
  expect(fired).toBe(1)
})

test('an advance fires timers in the order of their time, then of their setting, each at its own time, also those set during the advance', async () => {
  const { time, advance } = aTime()
  const fired: (readonly [string, number])[] = []
  const note = (name: string) => (): void => void fired.push([name, time.clock.now() - 1_000_000])
  time.clock.after(20, note('b'))
  time.clock.after(10, () => {
    note('a')()
    void sleep(time.clock, 5).then(note('set during the move'))
  })
  time.clock.after(20, note('c'))
  time.clock.after(31, note('later'))
  await advance(30)
  expect(fired).toEqual([
    ['a', 10],
    ['set during the move', 15],
    ['b', 20],
    ['c', 20],
  ])
  expect(time.clock.now()).toBe(1_000_030)
  await advance(1)
  expect(fired.at(-1)).toEqual(['later', 31])
})

test('after an advance a timer waits only for the rest of its delay', async () => {
  const { time, base, advance } = aTime()
  let fired = false
  time.clock.after(1_000, () => {
    fired = true
  })
  await advance(990)
  await base.advance(9)
  expect(fired).toBe(false)
  await base.advance(1)
  expect(fired).toBe(true)
})

test('a beat fires once at the end of an advance, also if several were missed, and later beats keep their times', async () => {
  const { time, base, advance } = aTime()
  const stop = new AbortController()
  const beats: number[] = []
  const beating = (async () => {
    for await (const now of every(time.clock, 10, stop.signal)) beats.push(now - 1_000_000)
  })()
  await advance(86_400_003)
  expect(beats).toEqual([86_400_003])
  await base.advance(7)
  expect(beats).toEqual([86_400_003, 86_400_010])
  stop.abort()
  await beating
})

test('an endless chain of timers does not block an advance', async () => {
  const { time, advance } = aTime()
  let polls = 0
  const poll = (): void => {
    polls += 1
    time.clock.after(5_000, poll)
  }
  time.clock.after(5_000, poll)
  await advance(8 * 86_400_000)
  expect(polls).toBeGreaterThan(10)
  expect(polls).toBeLessThan(100)
})

test('the clock of sessions does not move unless the caller says so', async () => {
  const { time, advance } = aTime()
  const fired: string[] = []
  time.sessions.after(20, () => fired.push('session'))
  time.clock.after(10, () => fired.push('request'))
  await advance(1_000)
  expect(fired).toEqual(['request'])
  const before = time.sessions.monotonic()
  time.clock.after(5, () => fired.push('before'))
  time.clock.after(25, () => fired.push('after'))
  await advance(30, 'expire')
  expect(fired).toEqual(['request', 'before', 'session', 'after'])
  expect(time.sessions.monotonic() - before).toBe(30)
})

test('set to a later time is an advance; to an earlier time it changes only timestamps, never the monotonic time, and fires no timer', async () => {
  const { time, base } = aTime()
  let fired = 0
  time.clock.after(50, () => (fired += 1))
  await moved(base, time.set(500_000, { sessions: 'keep' }))
  expect([time.clock.now(), time.clock.monotonic(), fired, time.aheadMs]).toEqual([500_000, 1_000_000, 0, -500_000])
  await moved(base, time.set(500_060, { sessions: 'keep' }))
  expect([time.clock.now(), time.clock.monotonic(), fired]).toEqual([500_060, 1_000_060, 1])
})

test('timestamps are whole milliseconds, also if a timer is due in the middle of one', async () => {
  const { time, base, advance } = aTime()
  const stamps: number[] = []
  time.clock.after(0.25, () => stamps.push(time.clock.now()))
  time.clock.after(7.1, () => stamps.push(time.clock.now()))
  await advance(10)
  await advance(0.5)
  await moved(base, time.set(2_000_000.4, { sessions: 'keep' }))
  stamps.push(time.clock.now())
  expect(stamps).toEqual([1_000_000, 1_000_007, 2_000_000])
})

test('a database in another thread reads the same time, and a copy may begin ahead', async () => {
  const { time, advance } = aTime({ aheadMs: 7_000 })
  const seen = (): bigint => Atomics.load(new BigInt64Array(time.shared), 0)
  expect([seen(), time.clock.now()]).toEqual([7_000n, 1_007_000])
  const onTheWay: bigint[] = []
  time.clock.after(100, () => onTheWay.push(seen()))
  await advance(500)
  expect([...onTheWay, seen()]).toEqual([7_100n, 7_500n])
})

test('a move waits for work in real time before time continues', async () => {
  const { time, base } = aTime()
  const order: string[] = []
  time.clock.after(10, () => {
    void time.inFlight.during(sleep(base, 40).then(() => order.push('saved')))
  })
  time.clock.after(200, () => order.push('next'))
  const moving = time.advance(1_000, { sessions: 'keep' })
  // The work takes 40 ms of real time.
  const going = (async () => {
    for (let ms = 0; ms < 60; ms++) await base.advance(1)
  })()
  await Promise.all([moving, going])
  expect(order).toEqual(['saved', 'next'])
})

test('a move does not wait indefinitely for work that hangs', async () => {
  const { time, base } = aTime()
  void time.inFlight.during(new Promise(() => {}))
  const moving = time.advance(10, { sessions: 'keep' })
  let over = false
  const end = moving.then(() => {
    over = true
  })
  while (!over) await base.advance(1_000)
  await end
  expect(time.clock.now()).toBeGreaterThan(1_000_010)
})

test('two advances run one after the other', async () => {
  const { time, base } = aTime()
  const seen: number[] = []
  time.clock.after(15, () => seen.push(time.clock.monotonic() - 1_000_000))
  await moved(
    base,
    Promise.all([time.advance(10, { sessions: 'keep' }), time.advance(10, { sessions: 'keep' })]).then(() => {}),
  )
  expect([seen, time.clock.monotonic()]).toEqual([[15], 1_000_020])
})

test('a sleep rejects with the reason of its signal and leaves no timer', async () => {
  const { time, base, advance } = aTime()
  const stop = new AbortController()
  const sleeping = sleep(time.clock, 10, stop.signal)
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(sleep(time.clock, 10, stop.signal)).rejects.toBe(reason)
  expect(base.waiting).toBe(0)
  await advance(20)
})

test('property: for any timers and moves, each timer fires once, at its time, in order', async () => {
  const timer = fc.record({
    delayMs: fc.integer({ min: 0, max: 50 }),
    children: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3 }),
  })
  const timers = fc.array(timer, { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(timers, fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }), async (set, moves) => {
      const { time, advance } = aTime()
      const began = time.clock.monotonic()
      const fired: { readonly dueMs: number; readonly atMs: number }[] = []
      let expected = 0
      const end = moves.reduce((sum, ms) => sum + ms, 0)
      const add = (delayMs: number, children: readonly number[]): void => {
        const dueMs = time.clock.monotonic() - began + delayMs
        if (dueMs <= end) expected += 1
        time.clock.after(delayMs, () => {
          fired.push({ dueMs, atMs: time.clock.monotonic() - began })
          for (const child of children) add(child, [])
        })
      }
      for (const { delayMs, children } of set) add(delayMs, children)
      for (const ms of moves) await advance(ms)
      expect(fired).toHaveLength(expected)
      for (const { dueMs, atMs } of fired) expect(atMs).toBe(dueMs)
      expect(fired.map(({ dueMs }) => dueMs)).toEqual(fired.map(({ dueMs }) => dueMs).toSorted((a, b) => a - b))
    }),
    { numRuns: 60 },
  )
})
