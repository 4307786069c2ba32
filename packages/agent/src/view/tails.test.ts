// The ends of partitions in memory: stamps never decrease, also of tails that were evicted, and all tails together are bounded in memory.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ObjectKey } from '../core/ids.ts'
import { defaultLimits } from '../limits.ts'
import type { PartitionState, Segment } from '../metadata/metadata-store.ts'
import { Tails } from './tails.ts'

const topicId = 'topic'

test('a stamp is never below the largest timestamp of the log, nor below the stamp before it', async () => {
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), defaultLimits)
  await tails.loaded([{ topicId, partition: 0 }])
  expect(tails.stamp(topicId, 0, 400)).toBe(500)
  expect(tails.stamp(topicId, 0, 600)).toBe(600)
  expect(tails.stamp(topicId, 0, 550)).toBe(600)
})

test('the stamp of a tail that is forgotten between the stamp and its commit is kept', async () => {
  // The database does not know the batch yet.
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), defaultLimits)
  await tails.loaded([{ topicId, partition: 0 }])
  tails.stamp(topicId, 0, 700)
  tails.forget(() => true)
  expect(tails.stamp(topicId, 0, 650)).toBe(700)
  await tails.loaded([{ topicId, partition: 0 }])
  expect(tails.stamp(topicId, 0, 650)).toBe(700)
})

test('the stamp of an evicted tail is kept', async () => {
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), {
    ...defaultLimits,
    tails: 3,
    tailSegments: 1,
  })
  await tails.loaded([{ topicId, partition: 0 }])
  tails.stamp(topicId, 0, 700)
  await tails.loaded(Array.from({ length: 3 }, (_, index) => ({ topicId, partition: index + 1 })))
  expect(tails.get(topicId, 0)).toBeUndefined()
  expect(tails.stamp(topicId, 0, 650)).toBe(700)
})

test('a read that began before ownership changed is not kept, and readers look again', async () => {
  let reads = 0
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const tails = new Tails(async (asked) => {
    const read = reads++
    await gates[read]?.promise
    return asked.map(({ partition }) => ({ ...aState({ partition, maxTimestamp: 500 }), highWatermark: read }))
  }, defaultLimits)
  const before = tails.loaded([{ topicId, partition: 0 }])
  let wakes = 0
  tails.watch([{ topicId, partition: 0 }], () => (wakes += 1))
  tails.forget(() => true)
  expect(wakes).toBe(1)
  const after = tails.loaded([{ topicId, partition: 0 }])
  gates[1]?.resolve()
  expect((await after)[0]?.highWatermark).toBe(1)
  gates[0]?.resolve()
  await before
  expect(tails.get(topicId, 0)?.highWatermark).toBe(1)
})

test('above their limit of memory the oldest tails lose their segments, then those that no reader waits for go, but never the newest', async () => {
  const segments = (partition: number, from: number, count: number) => ({
    topicId,
    partition,
    highWatermark: from + count,
    lastStableOffset: from + count,
    segments: Array.from({ length: count }, (_, at) => aSegment(from + at)),
  })
  const limits = { ...defaultLimits, tailBytes: 1_220 }
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), limits)
  const held = () => [0, 1, 2, 3].map((partition) => tails.get(topicId, partition)?.segments.length)
  await tails.loaded([0, 1, 2].map((partition) => ({ topicId, partition })))
  expect([held(), tails.gauge]).toEqual([[0, 0, 0, undefined], { usedBytes: 780, limitBytes: 1_220 }])
  tails.watch([{ topicId, partition: 0 }], () => {})
  tails.publish([segments(1, 0, 2)])
  expect([held(), tails.gauge.usedBytes]).toEqual([[0, 2, 0, undefined], 1_120])
  // Tail 0 has a reader and counts as loaded now; tail 1 loses its segments; tail 2 fits.
  tails.publish([segments(2, 0, 3)])
  expect([held(), tails.gauge.usedBytes]).toEqual([[0, 0, 3, undefined], 1_220])
  expect(tails.get(topicId, 1)).toMatchObject({ highWatermark: 2, lastStableOffset: 2 })
})

test('whatever is loaded, published, awaited and forgotten, the memory of the tails is counted, and is above its limit only for one tail or its readers', async () => {
  const partition = fc.nat(5)
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('load' as const, 'forget' as const, 'watch' as const), partition }),
    fc.record({ kind: fc.constant('publish' as const), partition, count: fc.integer({ min: 1, max: 9 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const ends = [0, 0, 0, 0, 0, 0]
      const limits = { ...defaultLimits, tails: 4, tailSegments: 5, tailBytes: 1_500 }
      const tails = new Tails(
        async (asked) => asked.map((one) => ({ ...aState({ ...one, maxTimestamp: 0 }), highWatermark: ends[one.partition] ?? 0 })),
        limits,
      )
      for (const one of steps) {
        const of = { topicId, partition: one.partition }
        const end = ends[one.partition] ?? 0
        if ('count' in one) {
          ends[one.partition] = end + one.count
          const segments = Array.from({ length: one.count }, (_, at) => aSegment(end + at))
          tails.publish([{ ...of, highWatermark: end + one.count, lastStableOffset: end + one.count, segments }])
        } else if (one.kind === 'load') expect(await tails.loaded([of])).toMatchObject([{ highWatermark: end }])
        else if (one.kind === 'forget') tails.forget((other) => other.partition === one.partition)
        else tails.watch([of], () => {})
        const held = ends.flatMap((_, at) => tails.get(topicId, at) ?? [])
        expect(tails.gauge.usedBytes).toBe(sum(held.map(({ segments }) => (segments.length === 0 ? 260 : 400 + 100 * segments.length))))
        expect(tails.gauge.usedBytes <= limits.tailBytes || held.length === 1).toBe(true)
        for (const { partition: at, highWatermark } of held) expect(highWatermark).toBe(ends[at])
      }
    }),
  )
})

test('a commit over many partitions does not leave more memory than the limit', async () => {
  const limits = { ...defaultLimits, tailBytes: 400_000 }
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), limits)
  const partitions = Array.from({ length: 1_500 }, (_, partition) => partition)
  await tails.loaded(partitions.map((partition) => ({ topicId, partition })))
  tails.publish(partitions.map((partition) => ({ topicId, partition, highWatermark: 3, lastStableOffset: 3, segments: [aSegment(2)] })))
  expect(tails.gauge.usedBytes).toBeLessThanOrEqual(limits.tailBytes)
})

test('a start that is published while a tail loads is not lost, and no publication moves it back', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const tails = new Tails(async (asked) => {
    await promise
    return asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 }))
  }, defaultLimits)
  const loaded = tails.loaded([{ topicId, partition: 0 }])
  tails.publishStart({ topicId, partition: 0 }, 7)
  tails.publishStart({ topicId, partition: 0 }, 5)
  resolve()
  expect(await loaded).toMatchObject([{ logStartOffset: 7 }])
  let wakes = 0
  tails.watch([{ topicId, partition: 0 }], () => (wakes += 1))
  for (const start of [6, 9, 9]) tails.publishStart({ topicId, partition: 0 }, start)
  expect([tails.get(topicId, 0)?.logStartOffset, wakes]).toEqual([9, 1])
})

function aSegment(offset: number): Segment {
  // The cast: no test looks at the object.
  return { baseOffset: offset, lastOffset: offset, objectKey: 'object' as ObjectKey, byteStart: 0, sizeBytes: 10, maxTimestamp: 0 }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

function aState({ partition, maxTimestamp }: { readonly partition: number; readonly maxTimestamp: number }): PartitionState {
  return {
    topicId,
    partition,
    logStartOffset: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    lastAbortOffset: -1,
    logId: 1,
    maxTimestamp,
    owner: 1,
    epoch: 1,
  }
}

test('a gap before a commit may hold the end of an aborted transaction, and one that is published late is not lost', async () => {
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), defaultLimits)
  await tails.loaded([0, 1].map((partition) => ({ topicId, partition })))
  const marker = { producerId: 1, producerEpoch: 1, outcome: 'abort', coordinatorEpoch: 1, leaderEpoch: 1 } as const
  const grown = (partition: number, segments: readonly Segment[], end: number) => {
    return { topicId, partition, highWatermark: end, lastStableOffset: end, segments }
  }
  tails.publish([grown(0, [aSegment(0)], 1)])
  expect(tails.get(topicId, 0)?.lastAbortOffset).toBe(-1)
  // The marker at offset 1 was committed, but its answer comes later.
  tails.publish([grown(0, [aSegment(2)], 3)])
  expect(tails.get(topicId, 0)).toMatchObject({ lastAbortOffset: 1, lastStableOffset: 3 })
  tails.publish([grown(0, [{ ...aSegment(1), marker }], 2)])
  expect(tails.get(topicId, 0)).toMatchObject({ lastAbortOffset: 1, lastStableOffset: 3, highWatermark: 3 })
  tails.publish([grown(1, [{ ...aSegment(0), marker }], 1)])
  expect(tails.get(topicId, 1)?.lastAbortOffset).toBe(0)
})

test('partitions that grow are noted for jobs: by a commit of this agent, and by what was read of another', async () => {
  const tails = new Tails(async (asked) => asked.map(({ partition }) => aState({ partition, maxTimestamp: 500 })), defaultLimits)
  await tails.loaded([{ topicId, partition: 1 }])
  expect(tails.grown.take()).toBe('all')
  const noted = (): readonly unknown[] => [...(tails.grown.take() as ReadonlyMap<string, unknown>).values()]
  tails.publish([{ topicId, partition: 0, highWatermark: 1, lastStableOffset: 1, segments: [aSegment(0)] }])
  tails.refresh({ ...aState({ partition: 1, maxTimestamp: 500 }), highWatermark: 7 })
  expect(noted()).toEqual([0, 1].map((partition) => ({ topicId, partition })))
  tails.refresh({ ...aState({ partition: 1, maxTimestamp: 500 }), highWatermark: 7 })
  expect(noted()).toEqual([])
})
