// LogAppendTime stamps never decrease, even if the clock goes back or the tail was evicted in between.
import { expect, test } from 'vitest'
import { defaultLimits } from '../limits.ts'
import type { PartitionState } from '../metadata/metadata-store.ts'
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
    tails: 3,
    tailSegments: 1,
  })
  await tails.loaded([{ topicId, partition: 0 }])
  tails.stamp(topicId, 0, 700)
  await tails.loaded(Array.from({ length: 3 }, (_, index) => ({ topicId, partition: index + 1 })))
  expect(tails.get(topicId, 0)).toBeUndefined()
  expect(tails.stamp(topicId, 0, 650)).toBe(700)
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

function aState({ partition, maxTimestamp }: { readonly partition: number; readonly maxTimestamp: number }): PartitionState {
  return { topicId, partition, logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, logId: 1, maxTimestamp, owner: 1, epoch: 1 }
}
