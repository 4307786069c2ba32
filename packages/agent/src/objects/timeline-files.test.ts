// The timelines of a PostgreSQL, as objects.
import { expect, test } from 'vitest'
import { MemoryObjects } from './adapters/memory.ts'
import { highestTimeline, recordTimeline } from './timeline-files.ts'

test('the highest recorded timeline of each system, in any order and however often it is recorded', async () => {
  const store = new MemoryObjects()
  expect(await highestTimeline(store, '71')).toBe(0)
  for (const timeline of [2, 10, 9, 10]) await recordTimeline(store, '71', timeline)
  await recordTimeline(store, '713', 20)
  expect(await highestTimeline(store, '71')).toBe(10)
  expect(await highestTimeline(store, '713')).toBe(20)
})
