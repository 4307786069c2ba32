// Expiry on a clock that a test moves: what it forgets, and when, and that it leaves the job to its agent.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import type { CommitBatch, Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aCommitIn, aTopic, committed, day, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Expiry, type ExpiryParts } from './expiry.ts'

const checkMs = 300_000
let clock: ManualClock
let store: OpenedMetadata
let me: Registration
let topic: Topic
let sequence: number
let stopped: AbortController
let running: Promise<void>

beforeEach(async () => {
  clock = new ManualClock()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store)
  sequence = 0
  stopped = new AbortController()
})
afterEach(async () => {
  stopped.abort()
  await running
  await store.close()
})

async function verdictOf(batch: Partial<CommitBatch>): Promise<string | undefined> {
  sequence += 1
  return (await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, [batch])))).verdicts[0]?.kind
}

function run(more: Partial<ExpiryParts> = {}): void {
  const parts = {
    store: store.expiry,
    isMine: () => true,
    clock,
    ioClock: clock,
    limits: defaultLimits,
    checkMs,
    producersMs: () => day,
    keysMs: 7 * day,
    emit: () => {},
  }
  running = new Expiry({ ...parts, ...more }).run(stopped.signal)
}

const key: Partial<CommitBatch> = { idempotency: { key: 'k', bodyHash: 'h', timestamp: 1 } }

test('a key is free again after its time, and not before', async () => {
  await verdictOf(key)
  run()
  for (let hours = 0; hours < 7 * 24 - 1; hours += 1) await clock.advance(3_600_000)
  expect(await verdictOf(key)).toBe('duplicate')
  await clock.advance(3_600_000)
  await clock.advance(checkMs)
  expect(await verdictOf(key)).toBe('appended')
})

test('silent producers go, page by page with pauses, and rows of others stay', async () => {
  const rows = fixedLimits.expiryRowsPerStep + 1
  for (let producerId = 1; producerId <= rows; producerId += 1) await verdictOf({ producerId, producerEpoch: 0, baseSequence: 0 })
  await clock.advance(day)
  await verdictOf({ producerId: 1, producerEpoch: 0, baseSequence: 1 })
  const removed: number[] = []
  const expireProducers: typeof store.expiry.expireProducers = async (page) => {
    const step = await store.expiry.expireProducers(page)
    removed.push(step.removed)
    return step
  }
  run({ store: { ...store.expiry, expireProducers }, producersMs: () => day - 1 })
  await clock.advance(defaultLimits.retentionFirstMs)
  await clock.advance(1)
  expect(removed).toEqual([fixedLimits.expiryRowsPerStep - 1, 1])
}, 30_000)

test('an agent that does not have the job forgets nothing', async () => {
  await verdictOf(key)
  let mine = false
  run({ isMine: () => mine, keysMs: 0 })
  await clock.advance(2 * checkMs)
  expect(await verdictOf(key)).toBe('duplicate')
  mine = true
  await clock.advance(checkMs)
  expect(await verdictOf(key)).toBe('appended')
})
