// The life of the last objects: each phase with its duration, flushes that are not done, a line that stopped, and the bound.
import { expect, test } from 'vitest'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { RecentFlushes, recentFlushes } from './recent-flushes.ts'

function seal(flushes: RecentFlushes, sequence: number): void {
  flushes.count({ kind: 'sealed', sequence, trigger: 'time', openMs: 250, sizeBytes: 1000, batches: 3, partitions: 2 })
}

test('a flush is sealed, stored, waits for the one before it, and is committed', async () => {
  const clock = new ManualClock()
  const flushes = new RecentFlushes(clock)
  seal(flushes, 7)
  const sealedAtMs = clock.now()
  const sealed = { sequence: 7, trigger: 'time', openMs: 250, sizeBytes: 1000, batches: 3, partitions: 2, sealedAtMs }
  expect(flushes.read()).toEqual([{ ...sealed, storeMs: undefined, waitMs: undefined, commitMs: undefined, failure: undefined }])
  await clock.advance(100)
  // It waited for 20 ms for its turn to be put: a part of what the store took.
  flushes.count({ kind: 'stored', sequence: 7, durationMs: 80 })
  expect(flushes.read()).toMatchObject([{ storeMs: 100, waitMs: undefined }])
  await clock.advance(35)
  flushes.count({ kind: 'committed', sequence: 7, batches: 3, durationMs: 5 })
  expect(flushes.read()).toEqual([{ ...sealed, storeMs: 100, waitMs: 30, commitMs: 5, failure: undefined }])
})

test('when the line stops, the flushes that are not committed have failed, and no later one', async () => {
  const clock = new ManualClock()
  const flushes = new RecentFlushes(clock)
  for (const sequence of [1, 2, 3]) seal(flushes, sequence)
  flushes.count({ kind: 'stored', sequence: 1, durationMs: 0 })
  flushes.count({ kind: 'committed', sequence: 1, batches: 3, durationMs: 0 })
  flushes.count({ kind: 'stored', sequence: 3, durationMs: 0 })
  flushes.count({ kind: 'line stopped', sequence: 2, abandoned: 2, message: 'the object store failed' })
  seal(flushes, 5)
  const failure = 'the object store failed'
  expect(flushes.read().map((flush) => [flush.sequence, flush.failure])).toEqual([
    [5, undefined],
    [3, failure],
    [2, failure],
    [1, undefined],
  ])
})

test('the oldest flushes are forgotten, and their late events change nothing', () => {
  const flushes = new RecentFlushes(new ManualClock())
  for (let sequence = 1; sequence <= recentFlushes + 5; sequence += 1) seal(flushes, sequence)
  flushes.count({ kind: 'stored', sequence: 1, durationMs: 1 })
  flushes.count({ kind: 'committed', sequence: 1, batches: 1, durationMs: 1 })
  const found = flushes.read()
  expect([found.length, found[0]?.sequence, found.at(-1)?.sequence]).toEqual([recentFlushes, recentFlushes + 5, 6])
})
