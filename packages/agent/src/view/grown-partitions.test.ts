// What a job has to look at, after a start, after commits, and beyond the bound.
import { expect, test } from 'vitest'
import { partitionKey, type TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { GrownPartitions } from './grown-partitions.ts'

const topicId = 'topic' as TopicId
const grow = (grown: GrownPartitions, partition: number): void => grown.add(partitionKey(topicId, partition), { topicId, partition })

test('the first look is at all partitions, and each later one at those that have grown since', () => {
  const grown = new GrownPartitions()
  grow(grown, 1)
  expect(grown.take()).toBe('all')
  expect(grown.take()).toEqual(new Map())
  grow(grown, 1)
  grow(grown, 1)
  grow(grown, 2)
  expect([...(grown.take() as ReadonlyMap<string, unknown>).values()]).toEqual([1, 2].map((partition) => ({ topicId, partition })))
  expect(grown.take()).toEqual(new Map())
})

test('with more partitions than the bound, and when partitions have come, the next look is at all', () => {
  const grown = new GrownPartitions()
  grown.take()
  for (let partition = 0; partition <= fixedLimits.grownPartitions; partition += 1) grow(grown, partition)
  expect(grown.take()).toBe('all')
  grow(grown, 1)
  grown.addAll()
  expect(grown.take()).toBe('all')
  expect(grown.take()).toEqual(new Map())
})
