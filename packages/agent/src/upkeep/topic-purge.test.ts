// The purge of deleted topics on a clock that a test moves: when it looks, what it leaves alone, and what a database that is away does to it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { MetadataError, type Registration, type Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aCommitIn, aTopic, committed, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import type { AgentEvent } from '../observe/events.ts'
import { sleep } from '../time/sleep.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { TopicPurge, type TopicPurgeParts } from './topic-purge.ts'

const checkMs = 300_000
const undeleteMs = 3_600_000
let clock: ManualClock
let store: OpenedMetadata
let me: Registration
let events: AgentEvent[]
let stopped: AbortController
let running: Promise<void> | undefined
let sequence: number

beforeEach(async () => {
  clock = new ManualClock()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  events = []
  stopped = new AbortController()
  sequence = 0
})
afterEach(async () => {
  stopped.abort()
  await running
  await store.close()
})

async function topicWith(name: string, segments: number): Promise<Topic> {
  const topic = await aTopic(store, { name, partitions: 2 })
  for (let count = 0; count < segments; count += 1) {
    sequence += 1
    await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, [{ partition: count % 2, offsets: 1 }])))
  }
  return topic
}

function run(more: Partial<TopicPurgeParts> = {}): void {
  const parts = {
    store: store.retention,
    isMine: () => true,
    clock,
    ioClock: clock,
    limits: defaultLimits,
    checkMs,
    undeleteMs,
    emit: (event: AgentEvent) => void events.push(event),
  }
  running = new TopicPurge({ ...parts, ...more }).run(stopped.signal)
}

async function canBeUndeleted({ topicId }: Topic): Promise<boolean> {
  return (await store.topics.undelete(topicId)).kind === 'undeleted'
}

test('a deleted topic goes after the time in which it can be brought back, and a living one stays', async () => {
  const deleted = await topicWith('deleted', 4)
  const living = await topicWith('living', 1)
  await store.topics.delete(deleted.topicId)
  const deletedMs = clock.now()
  run()
  // Before the next pass that is due, and after it.
  while (clock.now() < deletedMs + undeleteMs) await clock.advance(checkMs)
  await clock.advance(defaultLimits.retentionFirstMs)
  expect(events).toEqual([{ kind: 'topics purged', topics: 1, segments: 4, bytes: 400 }])
  expect(await canBeUndeleted(deleted)).toBe(false)
  expect((await store.sweep.released({ maxObjects: 10 })).map((object) => object.sequence)).toEqual([1, 2, 3, 4])
  expect((await store.log.partitions([{ topicId: living.topicId, partition: 0 }]))[0]).toMatchObject({ highWatermark: 1 })
  expect((await store.log.partitions([{ topicId: deleted.topicId, partition: 0 }]))[0]).toBeUndefined()
})

test('a topic that was brought back is not purged', async () => {
  const topic = await topicWith('back again', 2)
  await store.topics.delete(topic.topicId)
  run()
  await clock.advance(undeleteMs - 1)
  expect(await canBeUndeleted(topic)).toBe(true)
  await clock.advance(2 * undeleteMs)
  expect(events).toEqual([])
  expect((await store.log.partitions([{ topicId: topic.topicId, partition: 0 }]))[0]).toMatchObject({ highWatermark: 1 })
})

test('more than one step removes is removed with pauses, and cannot be brought back from the first step on', async () => {
  const topic = await topicWith('large', fixedLimits.retentionSegmentsPerStep + 2)
  await store.topics.delete(topic.topicId)
  // Each step takes a second.
  const purge: typeof store.retention.purge = async (asked) => {
    await sleep(clock, 1_000)
    return await store.retention.purge(asked)
  }
  run({ store: { purge }, undeleteMs: 0 })
  await clock.advance(defaultLimits.retentionFirstMs + 1_000)
  expect(await canBeUndeleted(topic)).toBe(false)
  await clock.advance(1_000 * fixedLimits.retentionPauses - 1)
  const first = (await store.sweep.released({ maxObjects: 100_000 })).length
  expect(first).toBeLessThanOrEqual(fixedLimits.retentionSegmentsPerStep)
  await clock.advance(60_000)
  expect(events).toMatchObject([{ kind: 'topics purged', topics: 1, segments: fixedLimits.retentionSegmentsPerStep + 2 }])
}, 30_000)

test('a pass that the database interrupts leaves what a later one finds', async () => {
  const topics = [await topicWith('one', 1), await topicWith('two', 1)]
  for (const { topicId } of topics) await store.topics.delete(topicId)
  let steps = 0
  const purge: typeof store.retention.purge = async (asked) => {
    const step = await store.retention.purge(asked)
    steps += 1
    if (steps === 2) throw new MetadataError('unavailable', 'the answer was lost')
    return step
  }
  run({ store: { purge }, undeleteMs: 0 })
  await clock.advance(defaultLimits.retentionFirstMs)
  expect([steps, events]).toEqual([2, []])
  await clock.advance(checkMs)
  expect(events).toEqual([{ kind: 'topics purged', topics: 1, segments: 1, bytes: 100 }])
})

test('an agent that does not have the job purges nothing', async () => {
  const { topicId } = await topicWith('deleted', 1)
  await store.topics.delete(topicId)
  let mine = false
  run({ isMine: () => mine, undeleteMs: 0 })
  await clock.advance(3 * checkMs)
  expect(events).toEqual([])
  mine = true
  await clock.advance(checkMs)
  expect(events).toHaveLength(1)
})
