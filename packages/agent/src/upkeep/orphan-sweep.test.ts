// The sweep of orphans over a store in memory: what it removes, what it leaves alone, when it halts, and what it says about each object.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Incarnation } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { defaultLimits, fixedLimits } from '../limits.ts'
import type { Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aCommitIn, aNonce, aTopic, committed, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { type ListedObject, ObjectStoreError } from '../objects/object-store.ts'
import type { AgentEvent } from '../observe/events.ts'
import { sleep } from '../time/sleep.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { OrphanSweep, type OrphanSweepParts } from './orphan-sweep.ts'

const intervalMs = 3_600_000
const never = new AbortController().signal
let clock: ManualClock
let objects: MemoryObjects
let store: OpenedMetadata
let me: Registration
let topic: Topic
let events: AgentEvent[]

beforeEach(async () => {
  clock = new ManualClock()
  objects = new MemoryObjects()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store)
  events = []
})
afterEach(() => store.close())

const keyOf = (sequence: number, incarnation: Incarnation = me.incarnation): string => objectKey(store.clusterId, incarnation, sequence)
const put = (key: string): Promise<void> => objects.put(key, [Buffer.from('0123456789')])
const now = { dryRun: false, confirmed: false }

async function commit(sequence: number, prev = sequence - 1): Promise<void> {
  await put(keyOf(sequence))
  await committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, [{}], { prev })))
}

function aSweep(more: Partial<OrphanSweepParts> = {}): OrphanSweep {
  return new OrphanSweep({
    clusterId: store.clusterId,
    store: store.orphans,
    rows: store.damage,
    expiry: store.expiry,
    listed: objects,
    objects,
    isMine: () => true,
    clock,
    ioClock: clock,
    limits: defaultLimits,
    intervalMs,
    emit: (event) => void events.push(event),
    ...more,
  })
}

async function stored(): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of objects.list('')) keys.push(key)
  return keys.toSorted()
}

/** A store that claims larger objects than it has. */
function ofSize(sizeBytes: number): Pick<MemoryObjects, 'list'> {
  return {
    async *list(prefix): AsyncIterable<ListedObject> {
      for await (const { key } of objects.list(prefix)) yield { key, sizeBytes }
    },
  }
}

test('what no commit has named goes when none can name it any more, and what is committed or may still be stays', async () => {
  await commit(1)
  await put(keyOf(2))
  const sweep = aSweep()
  expect(await sweep.sweep(now, never)).toMatchObject({ open: { objects: 1, bytes: 10 }, orphans: { objects: 0 }, removed: { objects: 0 } })
  // Flush 2 was given up.
  await commit(3, 1)
  await put(keyOf(4))
  expect(await sweep.sweep(now, never)).toMatchObject({
    stored: { objects: 4, bytes: 40 },
    open: { objects: 1 },
    removed: { objects: 1, bytes: 10, failed: 0 },
    deletions: [
      { key: keyOf(2), sizeBytes: 10, why: `flush 2 was given up: its incarnation ${me.incarnation.id} has committed flush 3 since` },
    ],
    halted: null,
  })
  await registered(store, 'next', 'all')
  await sweep.sweep(now, never)
  expect(await stored()).toEqual([keyOf(1), keyOf(3)].toSorted())
  expect(events).toEqual([
    { kind: 'orphans removed', objects: 1, bytes: 10, failed: 0 },
    { kind: 'orphans removed', objects: 1, bytes: 10, failed: 0 },
  ])
})

test('a PUT that arrives after its incarnation was fenced and a pass has ended goes with the next pass', async () => {
  await commit(1)
  const sweep = aSweep()
  await registered(store, 'next', 'all')
  await sweep.sweep(now, never)
  await put(keyOf(2))
  await sweep.sweep(now, never)
  expect(await stored()).toEqual([keyOf(1)])
})

test('a dry run removes nothing and explains each deletion', async () => {
  await commit(1)
  await put(keyOf(2))
  await registered(store, 'next', 'all')
  expect(await aSweep().sweep({ dryRun: true, confirmed: false }, never)).toMatchObject({
    orphans: { objects: 1, bytes: 10 },
    removed: { objects: 0 },
    deletions: [{ key: keyOf(2), why: `flush 2 was never committed, and its incarnation ${me.incarnation.id} has ended after flush 1` }],
  })
  expect([await stored(), events]).toEqual([[keyOf(1), keyOf(2)].toSorted(), []])
})

test('keys of other clusters and keys that are not those of objects are left alone', async () => {
  await registered(store, 'next', 'all')
  const others = [`${store.clusterId}/notes.txt`, keyOf(1).replace(store.clusterId, 'another-cluster'), keyOf(1).replace(/0{11}1$/, '1')]
  for (const key of others) await put(key)
  expect(await aSweep().sweep({ dryRun: false, confirmed: true }, never)).toMatchObject({ stored: { objects: 0 }, foreignKeys: 2 })
  expect(await stored()).toEqual(others.toSorted())
})

test.each([
  ['an incarnation that the database does not know', () => keyOf(1, { id: me.incarnation.id + 5, nonce: aNonce() })],
  ['more flushes after the last commit than a crash leaves', () => keyOf(fixedLimits.orphansAfterLastCommit + 2)],
])('the sweep halts when the database seems to be older than the store, and goes on when it is confirmed: %s', async (_, newer) => {
  await commit(1)
  await put(keyOf(2))
  await put(newer())
  await registered(store, 'next', 'all')
  const sweep = aSweep()
  const halted = await sweep.sweep(now, never)
  expect(halted).toMatchObject({
    orphans: { objects: 2 },
    removed: { objects: 0 },
    halted: expect.stringContaining('older than the store'),
  })
  expect(sweep.halted).toBe(halted.halted)
  expect(await stored()).toHaveLength(3)
  expect(await sweep.sweep({ dryRun: false, confirmed: true }, never)).toMatchObject({ removed: { objects: 2 }, halted: null })
  expect([await stored(), sweep.halted]).toEqual([[keyOf(1)], undefined])
})

test('it halts when it would remove more than a tenth of the bytes, unless that is no more than what a crash leaves', async () => {
  for (let sequence = 1; sequence <= 12; sequence += 1) await commit(sequence)
  await put(keyOf(13))
  await registered(store, 'next', 'all')
  const { sweepAlwaysBytes } = fixedLimits
  // One object of thirteen is less than a tenth.
  expect(await aSweep({ listed: ofSize(sweepAlwaysBytes + 1) }).sweep({ ...now, dryRun: true }, never)).toMatchObject({ halted: null })
  await put(keyOf(14))
  const sweep = aSweep({ listed: ofSize(sweepAlwaysBytes + 1) })
  expect(await sweep.sweep(now, never)).toMatchObject({ removed: { objects: 0 }, halted: expect.stringContaining('more than a tenth') })
  expect(await stored()).toHaveLength(14)
  expect(await aSweep({ listed: ofSize(sweepAlwaysBytes / 2) }).sweep(now, never)).toMatchObject({ removed: { objects: 2 }, halted: null })
})

test('what the store cannot remove is counted and tried again', async () => {
  await put(keyOf(1))
  await put(keyOf(2))
  await registered(store, 'next', 'all')
  let away = true
  const remove: MemoryObjects['remove'] = async (keys, signal) => {
    if (!away) return await objects.remove(keys, signal)
    const [first, ...others] = keys
    return [{ key: first ?? '', error: new ObjectStoreError('unavailable', 'no', 'away') }, ...(await objects.remove(others, signal))]
  }
  const sweep = aSweep({ objects: { remove } })
  expect(await sweep.sweep(now, never)).toMatchObject({ removed: { objects: 1, bytes: 10, failed: 1 } })
  away = false
  expect(await sweep.sweep(now, never)).toMatchObject({ removed: { objects: 1, failed: 0 } })
  expect(await stored()).toEqual([])
})

test('more orphans than one request removes go with pauses', async () => {
  const { sweptKeysPerStep } = fixedLimits
  for (let sequence = 1; sequence <= sweptKeysPerStep + 5; sequence += 1) await put(keyOf(sequence))
  await committed(store.log.commit(aCommitIn({ store, me, topic }, sweptKeysPerStep + 6, [], { prev: 0, object: null })))
  const steps: number[] = []
  // Each request takes a second.
  const remove: MemoryObjects['remove'] = async (keys, signal) => {
    steps.push(keys.length)
    await sleep(clock, 1_000)
    return await objects.remove(keys, signal)
  }
  const sweeping = aSweep({ objects: { remove } }).sweep(now, never)
  await expect.poll(() => steps).toEqual([sweptKeysPerStep])
  await clock.advance(1_000 + 1_000 * fixedLimits.sweepPauses - 1)
  expect(steps).toHaveLength(1)
  await clock.advance(1)
  await expect.poll(() => steps).toHaveLength(2)
  await clock.advance(1_000)
  expect(await sweeping).toMatchObject({ removed: { objects: sweptKeysPerStep + 5 } })
  expect(steps).toEqual([sweptKeysPerStep, 5])
  expect(await stored()).toEqual([])
})

test('it sweeps some time after the start and once an interval, reports that it has halted, and leaves the job to its agent', async () => {
  await put(keyOf(1))
  await put(keyOf(1, { id: me.incarnation.id + 5, nonce: aNonce() }))
  let mine = false
  const stopped = new AbortController()
  const sweep = aSweep({ isMine: () => mine })
  const running = sweep.run(stopped.signal)
  await clock.advance(fixedLimits.orphanSweepFirstMs)
  expect([events, sweep.halted]).toEqual([[], undefined])
  mine = true
  await clock.advance(intervalMs)
  expect(events).toEqual([{ kind: 'sweep halted', message: sweep.halted }])
  stopped.abort()
  await running
  await aSweep({ intervalMs: 0 }).run(new AbortController().signal)
})

test('a job that was left behind is fenced after a day, and forgotten a day after its end', async () => {
  const job = await store.swaps.beginJob({ job: 'gone merge', nonce: aNonce() })
  await put(keyOf(1, job))
  const { incarnation } = me
  const next = await registered(store, 'next', 'all')
  const stopped = new AbortController()
  const running = aSweep().run(stopped.signal)
  const standing = async (of: Incarnation) => (await store.orphans.standings([{ incarnation: of, sequence: 1 }]))[0]?.kind
  await clock.advance(fixedLimits.orphanSweepFirstMs)
  for (let hours = 0; hours < 23; hours += 1) await clock.advance(intervalMs)
  expect([await standing(incarnation), await standing(job), await stored()]).toEqual(['uncommitted', 'open', [keyOf(1, job)]])
  for (let hours = 0; hours < 3; hours += 1) await clock.advance(intervalMs)
  // The job was fenced, and the pass after that has removed its object.
  expect([await standing(incarnation), await standing(job), await stored()]).toEqual(['uncommitted', 'uncommitted', []])
  for (let hours = 0; hours < 26; hours += 1) await clock.advance(intervalMs)
  expect([await standing(job), await standing(incarnation), await standing(next.incarnation)]).toEqual(['unknown', 'uncommitted', 'open'])
  stopped.abort()
  await running
})

test('objects that segments name and the store does not have are reported, and those that no segment names are not', async () => {
  for (const sequence of [1, 2, 3]) await commit(sequence)
  const sweep = aSweep()
  expect((await sweep.sweep(now, never)).missing).toEqual({ objects: 0, keys: [] })
  expect(sweep.missing).toBeUndefined()
  await objects.remove([keyOf(2)])
  expect((await sweep.sweep(now, never)).missing).toEqual({ objects: 1, keys: [keyOf(2)] })
  expect(sweep.missing).toContain(`does not have 1 objects that segments name, such as ${keyOf(2)}`)
  await store.topics.delete(topic.topicId)
  while ((await store.retention.purge({ undeleteMs: 0 })).more);
  expect((await sweep.sweep(now, never)).missing).toEqual({ objects: 0, keys: [] })
  expect(sweep.missing).toBeUndefined()
})

test('an object that is committed while the store is listed is not missing', async () => {
  await commit(1)
  const late: Pick<MemoryObjects, 'list'> = {
    async *list(prefix) {
      yield* objects.list(prefix)
      if (prefix === `${store.clusterId}/`) await commit(2)
    },
  }
  expect((await aSweep({ listed: late }).sweep(now, never)).missing).toEqual({ objects: 0, keys: [] })
})

test('the job reports missing objects with each pass', async () => {
  await commit(1)
  await objects.remove([keyOf(1)])
  const stopped = new AbortController()
  const running = aSweep().run(stopped.signal)
  await clock.advance(fixedLimits.orphanSweepFirstMs)
  expect(events).toContainEqual({ kind: 'notice', message: expect.stringContaining('lks doctor storage') })
  stopped.abort()
  await running
})
