// The keys of partitions in maps: the same for the same partition, also after many others.
import { expect, test } from 'vitest'
import { partitionKey, type TopicId } from './ids.ts'

const topicIds = Array.from({ length: 300 }, (_, topic) => `topic-${topic}` as TopicId)

test('a key names its topic and its partition, however many others were asked for in between', () => {
  const keys = new Set<string>()
  for (const round of ['first', 'again'])
    for (const topicId of topicIds)
      for (let partition = -1; partition < 100; partition += 1) {
        const key = partitionKey(topicId, partition)
        expect(key === `${topicId}/${partition}`, `${round} ${topicId} ${partition}`).toBe(true)
        keys.add(key)
      }
  expect(keys.size).toBe(300 * 101)
})
