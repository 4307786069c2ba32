// The tails of other agents' partitions: a fetch finds what was committed before it came, and readers that wait hear of the rest soon.
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { MetadataError, type PartitionState } from '../metadata/metadata-store.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Tails } from '../view/tails.ts'
import { Follower } from './follower.ts'

const topicId = 'topic'
const foreign = { topicId, partition: 1 }
const own = { topicId, partition: 0 }

/** Partition 0 is this agent's, all others are another's. */
function aFollower({ isAlone = false } = {}) {
  const clock = new ManualClock()
  const stored = { highWatermark: 5, open: 0, logStartOffset: 0, away: undefined as 'unavailable' | 'invalid' | undefined, reads: 0 }
  const log = {
    partitions: async (asked: readonly { readonly topicId: string; readonly partition: number }[]) => {
      stored.reads += 1
      if (stored.away !== undefined) throw new MetadataError(stored.away, 'away')
      const { highWatermark, logStartOffset, open } = stored
      const more = { logId: 1, owner: null, epoch: 1, lastStableOffset: highWatermark - open, lastAbortOffset: -1, maxTimestamp: 1 }
      return asked.map((of): PartitionState => ({ ...of, highWatermark, logStartOffset, ...more }))
    },
  }
  const tails = new Tails(log.partitions, defaultLimits)
  const owners = { isAlone, ofPartition: (_: string, partition: number) => ({ mine: partition === 0, epoch: 1, leader: 1 }) }
  const follower = new Follower({ log, tails, owners, clock })
  const highWatermark = async (of: typeof own): Promise<number | undefined> =>
    (await follower.loaded([of], clock.monotonic()))[0]?.highWatermark
  return { follower, tails, clock, stored, owners, highWatermark }
}

test('a fetch from another agent’s partition finds what was committed before it came; for an own one memory is enough', async () => {
  const { stored, clock, highWatermark } = aFollower()
  expect([await highWatermark(foreign), await highWatermark(own)]).toEqual([5, 5])
  stored.highWatermark = 9
  await clock.advance(1)
  expect([await highWatermark(foreign), await highWatermark(own)]).toEqual([9, 5])
})

test('a look after the first one of a fetch reads nothing again', async () => {
  const { follower, clock, stored } = aFollower()
  const sinceMs = clock.monotonic()
  await follower.loaded([foreign], sinceMs)
  const { reads } = stored
  await clock.advance(50)
  await follower.loaded([foreign], sinceMs)
  expect(stored.reads).toBe(reads)
})

test('a reader that waits wakes when another agent has committed or removed records, and an own partition is read now and then', async () => {
  for (const [of, withinMs] of [
    [foreign, fixedLimits.followMs],
    [own, 10 * fixedLimits.followMs],
  ] as const) {
    const { follower, tails, clock, stored } = aFollower()
    const over = new AbortController()
    const running = follower.run(over.signal)
    await tails.loaded([of])
    let wakes = 0
    tails.watch([of], () => (wakes += 1))
    await clock.advance(withinMs)
    expect(wakes).toBe(0)
    stored.highWatermark = 6
    await clock.advance(withinMs)
    expect([wakes, tails.get(topicId, of.partition)?.highWatermark]).toEqual([1, 6])
    stored.logStartOffset = 2
    await clock.advance(withinMs)
    expect([wakes, tails.get(topicId, of.partition)?.logStartOffset]).toEqual([2, 2])
    over.abort()
    await running
  }
})

test('an own partition with an open transaction, which another agent may end, is read as those of others', async () => {
  const { follower, tails, clock, stored } = aFollower()
  const over = new AbortController()
  const running = follower.run(over.signal)
  stored.open = 2
  await tails.loaded([own])
  let wakes = 0
  const unwatch = tails.watch([own], () => (wakes += 1))
  stored.open = 0
  stored.highWatermark = 6
  await clock.advance(fixedLimits.followMs)
  expect([wakes, tails.get(topicId, 0)?.lastStableOffset]).toEqual([1, 6])
  unwatch()
  // A fetch that does not wait finds the end, too.
  stored.open = 1
  stored.highWatermark = 7
  tails.forget(() => true)
  expect((await follower.loaded([own], clock.monotonic()))[0]?.lastStableOffset).toBe(6)
  stored.open = 0
  stored.highWatermark = 8
  await clock.advance(1)
  expect((await follower.loaded([own], clock.monotonic()))[0]?.lastStableOffset).toBe(8)
  const { reads } = stored
  await clock.advance(1)
  await follower.loaded([own], clock.monotonic())
  expect(stored.reads).toBe(reads)
  over.abort()
  await running
})

test('an agent whose last fellow has gone forgets what that one may have changed', async () => {
  const { follower, tails, clock, owners } = aFollower()
  const over = new AbortController()
  const running = follower.run(over.signal)
  await tails.loaded([own])
  await clock.advance(fixedLimits.followMs)
  expect(tails.get(topicId, 0)).toBeDefined()
  owners.isAlone = true
  await clock.advance(fixedLimits.followMs)
  expect(tails.get(topicId, 0)).toBeUndefined()
  await tails.loaded([own])
  await clock.advance(fixedLimits.followMs)
  expect(tails.get(topicId, 0)).toBeDefined()
  over.abort()
  await running
})

test('nothing is read while no reader waits, or while the agent is alone', async () => {
  for (const isAlone of [false, true]) {
    const { follower, tails, clock, stored } = aFollower({ isAlone })
    const over = new AbortController()
    const running = follower.run(over.signal)
    await tails.loaded([foreign])
    const { reads } = stored
    if (isAlone) tails.watch([foreign], () => {})
    await clock.advance(20 * fixedLimits.followMs)
    expect(stored.reads).toBe(reads)
    over.abort()
    await running
  }
})

test('a database that is away ends nothing; an answer that is not allowed is a defect', async () => {
  const { follower, tails, clock, stored } = aFollower()
  const running = follower.run(new AbortController().signal)
  await tails.loaded([foreign])
  let woken = false
  tails.watch([foreign], () => (woken = true))
  stored.away = 'unavailable'
  await clock.advance(5 * fixedLimits.followMs)
  stored.away = undefined
  stored.highWatermark = 6
  await clock.advance(fixedLimits.followMs)
  expect(woken).toBe(true)
  stored.away = 'invalid'
  const rejected = expect(running).rejects.toThrow('away')
  await clock.advance(fixedLimits.followMs)
  await rejected
})
