// What a group reads, over a few partitions and over very many.
import { expect, test } from 'vitest'
import type { TopicId, TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedOffset, PartitionState, Topic } from '../metadata/metadata-store.ts'
import type { Clock } from '../time/clock.ts'
import { Turns } from '../time/turns.ts'
import { type AssignedPartition, type GroupPartitionsParts, groupPartitions } from './group-partitions.ts'

/** Topics whose ids begin with `id-`, each with so many partitions, and logs from 5 to 100. */
function parts(
  counts: Readonly<Record<string, number>>,
): GroupPartitionsParts & { readonly reads: number[]; readonly turnCount: () => number } {
  const reads: number[] = []
  let turnCount = 0
  const clock: Pick<Clock, 'soon'> = {
    soon(callback) {
      turnCount += 1
      setImmediate(callback)
    },
  }
  const aState = (of: TopicPartition): PartitionState =>
    ({ ...of, logStartOffset: 5, highWatermark: 100, lastStableOffset: 100 }) as unknown as PartitionState
  return {
    reads,
    turnCount: () => turnCount,
    turns: new Turns(clock),
    topics: {
      find: async (names) =>
        names.map((name) =>
          counts[name] === undefined
            ? { kind: 'error', code: 3, message: 'There is no such topic.' }
            : { kind: 'ok', value: { name, topicId: `id-${name}`, partitions: counts[name] } as unknown as Topic },
        ),
    },
    log: {
      partitions: async (asked) => {
        reads.push(asked.length)
        return asked.map((of) => (of.topicId === 'id-gone' ? undefined : aState(of)))
      },
    },
  }
}

const aCommit = (topic: string, partition: number, offset: number): CommittedOffset =>
  ({ topic, topicId: `id-${topic}` as TopicId, partition, offset, metadata: 'm' }) as unknown as CommittedOffset

test('the partitions of topics with commits and the assigned ones, by topic and partition, with offsets, lag and members', async () => {
  const assigned: AssignedPartition[] = [
    { topic: 'b', partition: 1, memberId: 'member' },
    { topic: 'a', partition: 0, memberId: 'member' },
    { topic: 'missing', partition: 0, memberId: 'member' },
  ]
  const committed = [aCommit('b', 2, 40), aCommit('b', 0, 2), aCommit('gone', 0, 1)]
  const shared = { start: 5, end: 100 }
  const none = { committed: undefined, memberId: undefined }
  expect(await groupPartitions({ committed, assigned }, parts({ a: 2, b: 3, gone: 1 }))).toEqual([
    { ...shared, ...none, topic: 'a', partition: 0, lag: 95, memberId: 'member' },
    // Records before the start do not count.
    { ...shared, ...none, topic: 'b', partition: 0, committed: { offset: 2, metadata: 'm' }, lag: 95 },
    { ...shared, ...none, topic: 'b', partition: 1, lag: 95, memberId: 'member' },
    { ...shared, ...none, topic: 'b', partition: 2, committed: { offset: 40, metadata: 'm' }, lag: 60 },
  ])
})

test('very many partitions are read in pages, and in several turns', async () => {
  const count = 2 * fixedLimits.namesPerRead + 1
  const committed = Array.from({ length: count }, (_, at) => aCommit(`t-${at}`, 0, 50))
  const of = parts(Object.fromEntries(committed.map(({ topic }) => [topic, 1])))
  const found = await groupPartitions({ committed, assigned: [] }, of)
  expect(found).toHaveLength(count)
  expect(of.reads).toEqual([fixedLimits.namesPerRead, fixedLimits.namesPerRead, 1])
  expect(of.turnCount()).toBeGreaterThanOrEqual(Math.floor((2 * count) / fixedLimits.unitsPerTurn))
})
