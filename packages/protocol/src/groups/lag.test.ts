// Which partitions count for a group, and how far it is behind in each.
import { expect, test } from 'vitest'
import { partitionLag, partitionsOfGroup } from './lag.ts'

test('N7: every partition of a topic of which any is committed counts, and each that a member has; of a topic that is gone what is known', () => {
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
  ['the rest after what is committed', { committed: 4, start: 0, end: 10 }, 6],
  ['all that there is where nothing is committed', { committed: undefined, start: 3, end: 10 }, 7],
  ['only what is still there, where the log begins later by now', { committed: 1, start: 5, end: 10 }, 5],
  ['nothing at the end', { committed: 10, start: 0, end: 10 }, 0],
  ['nothing beyond the end', { committed: 12, start: 0, end: 10 }, 0],
  ['nothing in an empty partition', { committed: undefined, start: 7, end: 7 }, 0],
])('N7: unread is %s', (_, at, lag) => {
  expect(partitionLag(at)).toBe(lag)
})
