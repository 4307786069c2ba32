// Which partitions count for a group, and its lag in each.
import { expect, test } from 'vitest'
import { partitionLag, partitionsOfGroup } from './lag.ts'

test('N7: all partitions of a committed topic count, and those that a member has; a deleted topic counts its known partitions', () => {
  const counts: Record<string, number> = { a: 3, b: 2 }
  const committed = [
    { topic: 'gone', partition: 1 },
    { topic: 'a', partition: 1 },
  ]
  const assigned = [
    { topic: 'b', partition: 1 },
    { topic: 'a', partition: 2 },
  ]
  expect(partitionsOfGroup(committed, assigned, (topic) => counts[topic]).map(({ topic, partition }) => `${topic}[${partition}]`)).toEqual([
    'a[0]',
    'a[1]',
    'a[2]',
    'b[1]',
    'gone[1]',
  ])
})

test.each([
  ['the rest after the committed offset', { committed: 4, start: 0, end: 10 }, 6],
  ['the whole log without a committed offset', { committed: undefined, start: 3, end: 10 }, 7],
  ['only the records that are still there, if the log now starts after the committed offset', { committed: 1, start: 5, end: 10 }, 5],
  ['nothing at the end', { committed: 10, start: 0, end: 10 }, 0],
  ['nothing beyond the end', { committed: 12, start: 0, end: 10 }, 0],
  ['nothing in an empty partition', { committed: undefined, start: 7, end: 7 }, 0],
])('N7: the lag is %s', (_, at, lag) => {
  expect(partitionLag(at)).toBe(lag)
})
