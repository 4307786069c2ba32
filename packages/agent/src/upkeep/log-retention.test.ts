// The job of retention on a clock that a test moves: when it looks, what it publishes, and what a database that is away does to it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { type CommitBatch, MetadataError, type Registration, type Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aCommitIn, aTopic, committed, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import type { AgentEvent } from '../observe/events.ts'
import { sleep } from '../time/sleep.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Owners } from '../view/owners.ts'
import { LogRetention, type LogRetentionParts } from './log-retention.ts'

const checkMs = 300_000
let clock: ManualClock
let store: OpenedMetadata
let me: Registration
let topic: Topic
let starts: (readonly [partition: number, logStartOffset: number])[]
let forgotten: number
let events: AgentEvent[]
let stopped: AbortController
let sequence: number

beforeEach(async () => {
  clock = new ManualClock()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store, { partitions: 2, configs: { 'retention.ms': '1000' } })
  starts = []
  forgotten = 0
  events = []
  stopped = new AbortController()
  sequence = 0
})
afterEach(async () => {
  stopped.abort()
  await store.close()
})

async function commit(batch: Partial<CommitBatch>): Promise<void> {
  sequence += 1
  await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, [{ maxTimestamp: clock.now(), ...batch }])))
}

function run(more: Partial<LogRetentionParts> = {}): Promise<void> {
  const owners = new Owners({ slots: store.slots, brokerId: me.brokerId, incarnation: me.incarnation })
  owners.publishSlots(me.slots)
  return new LogRetention({
    topics: store.topics,
    store: store.retention,
    owners,
    tails: { forget: (matches) => void (matches({ topicId: topic.topicId, partition: 0 }) && (forgotten += 1)) },
    publishStart: ({ partition }, logStartOffset) => void starts.push([partition, logStartOffset]),
    defaults: () => ({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }),
    clock,
    ioClock: clock,
    limits: defaultLimits,
    checkMs,
    emit: (event) => void events.push(event),
    ...more,
  }).run(stopped.signal)
}

test('it looks soon after the start, and then once an interval', async () => {
  await commit({ offsets: 10 })
  const running = run()
  await clock.advance(defaultLimits.retentionFirstMs - 1)
  expect(starts).toEqual([])
  await clock.advance(1)
  expect(starts).toEqual([[0, 10]])
  expect(events).toMatchObject([{ kind: 'records removed', partitions: 1, segments: 1, bytes: 100 }])
  await commit({ partition: 1, offsets: 5 })
  await clock.advance(checkMs - 1)
  expect(starts).toHaveLength(1)
  await clock.advance(1)
  expect(starts).toEqual([
    [0, 10],
    [1, 5],
  ])
  stopped.abort()
  await running
})

test('more than one step removes is removed with pauses', async () => {
  for (let count = 0; count <= fixedLimits.retentionSegmentsPerStep; count += 1) await commit({ offsets: 1 })
  // Each step takes a second.
  const step: typeof store.retention.step = async (asked) => {
    await sleep(clock, 1_000)
    return await store.retention.step(asked)
  }
  const running = run({ store: { ...store.retention, step } })
  await clock.advance(defaultLimits.retentionFirstMs + 1_000)
  expect(starts).toEqual([[0, fixedLimits.retentionSegmentsPerStep]])
  await clock.advance(1_000 * fixedLimits.retentionPauses + 999)
  expect(starts).toHaveLength(1)
  await clock.advance(1)
  expect(starts.at(-1)).toEqual([0, fixedLimits.retentionSegmentsPerStep + 1])
  stopped.abort()
  await running
}, 30_000)

test('after a step without an answer, memory reads the starts again, and the next pass goes on', async () => {
  await commit({ offsets: 10 })
  let away = true
  const step: typeof store.retention.step = async (asked) => {
    const logs = await store.retention.step(asked)
    if (away) throw new MetadataError('unavailable', 'the answer was lost')
    return logs
  }
  const running = run({ store: { ...store.retention, step } })
  await clock.advance(defaultLimits.retentionFirstMs)
  expect([starts, forgotten]).toEqual([[], 1])
  away = false
  await commit({ offsets: 5 })
  await clock.advance(checkMs)
  expect(starts).toEqual([[0, 15]])
  stopped.abort()
  await running
})

test('an agent leaves the partitions of others alone', async () => {
  await commit({ offsets: 10 })
  const owners = new Owners({ slots: store.slots, brokerId: 2, incarnation: { id: 99, nonce: '00000000000000ff' } })
  owners.publishSlots(me.slots)
  const running = run({ owners })
  await clock.advance(defaultLimits.retentionFirstMs + checkMs)
  expect(starts).toEqual([])
  expect((await store.log.partitions([{ topicId: topic.topicId, partition: 0 }]))[0]?.logStartOffset).toBe(0)
  stopped.abort()
  await running
})
