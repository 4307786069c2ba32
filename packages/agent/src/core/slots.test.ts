// Which slot a partition maps to, for every partition that a request can name.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TopicId } from './ids.ts'
import { slotOfPartition } from './slots.ts'

const topicIds = fc.uuid() as fc.Arbitrary<TopicId>

test('every partition that a request can name has a slot, also a negative one', () => {
  fc.assert(
    fc.property(
      topicIds,
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 1_024 }),
      (topicId, partition, slots) => {
        const slot = slotOfPartition(topicId, partition, slots)
        expect(Number.isInteger(slot)).toBe(true)
        expect(slot).toBeGreaterThanOrEqual(0)
        expect(slot).toBeLessThan(slots)
      },
    ),
  )
  expect(slotOfPartition('00000000-0000-4000-8000-000000000001' as TopicId, -(2 ** 31), 256)).toBeGreaterThanOrEqual(0)
})

test('neighbouring partitions have neighbouring slots', () => {
  fc.assert(
    fc.property(topicIds, fc.integer({ min: 0, max: 10_000 }), (topicId, partition) => {
      expect(slotOfPartition(topicId, partition + 1, 256)).toBe((slotOfPartition(topicId, partition, 256) + 1) % 256)
    }),
  )
})
