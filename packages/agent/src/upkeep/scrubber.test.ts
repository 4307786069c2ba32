// The scrubber on a clock that a test moves: when it reads, how fast, what it remembers, and what it reports.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aBatch as aRecordBatch } from '../api/testing/an-agent.ts'
import { nativeCrc32c } from '../codecs.ts'
import type { ObjectKey } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { defaultLimits, fixedLimits } from '../limits.ts'
import type { Registration, Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aBatch, aTopic, laidOut, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { encodeObject } from '../objects/object-format.ts'
import { type ByteRange, ObjectStoreError } from '../objects/object-store.ts'
import { CachedObjects } from '../objects/wrappers/cached.ts'
import type { AgentEvent } from '../observe/events.ts'
import { DamageReports } from '../read/damage.ts'
import { SegmentReader } from '../read/segment-reader.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Scrubber, type ScrubberParts } from './scrubber.ts'

const day = 86_400_000
const interval = 30 * day

/** Memory that notes the keys of its reads, and is away while `away` is set. */
class NotedObjects extends MemoryObjects {
  readonly keys: string[] = []
  away = false

  override async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.away) throw new ObjectStoreError('unavailable', 'no', 'the store is away')
    if (this.keys.at(-1) !== key) this.keys.push(key)
    return await super.read(key, range, signal)
  }
}

let clock: ManualClock
let objects: NotedObjects
let store: OpenedMetadata
let me: Registration
let topic: Topic
let last: number
let events: AgentEvent[]
let damage: DamageReports
let stopped: AbortController

beforeEach(async () => {
  clock = new ManualClock()
  objects = new NotedObjects()
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store)
  last = 0
  events = []
})
afterEach(async () => {
  stopped.abort()
  await store.close()
})

/** Begins to scrub, as after a start of the agent. */
function start({ intervalMs = interval, isMine = true } = {}): void {
  stopped = new AbortController()
  const emit = (event: AgentEvent): void => void events.push(event)
  damage = new DamageReports({ emit, topicName: () => 'hello' })
  const segments = new SegmentReader({
    objects: new CachedObjects(objects, { maxBytes: 0 }),
    crc32c: nativeCrc32c,
    damage,
    emit,
    limits: defaultLimits,
  })
  const parts: Omit<ScrubberParts, 'intervalMs' | 'isMine'> = {
    objects,
    isDamaged: async ({ segment, ...of }, signal) => (await segments.examine({ of, segment, signal })).left !== undefined,
    onIntact: (objectKey) => damage.healedObject(objectKey),
    store: store.damage,
    crc32c: nativeCrc32c,
    clock,
    emit,
  }
  void new Scrubber({ ...parts, intervalMs, isMine: () => isMine }).run(stopped.signal)
}

async function restart(): Promise<void> {
  stopped.abort()
  start()
  await clock.advance(fixedLimits.scrubFirstMs)
}

/** Stores and commits one object with a batch of two records. */
async function flush(): Promise<ObjectKey> {
  last += 1
  const batch = aRecordBatch([`first ${last}`, `second ${last}`])
  const groups = [{ topicId: topic.topicId, partition: 0, epoch: 1, chunks: [batch], batches: 1 }]
  const encoded = encodeObject({ clusterId: store.clusterId, incarnation: me.incarnation, sequence: last, groups }, nativeCrc32c)
  const key = objectKey(store.clusterId, me.incarnation, last)
  await objects.put(key, encoded.chunks)
  const bytes = Buffer.concat(encoded.chunks)
  const place = { byteStart: bytes.indexOf(batch), sizeBytes: batch.length }
  const [laid] = laidOut([aBatch(topic, me, store, { offsets: 2 })])
  const outcome = await store.log.commit({
    incarnation: me.incarnation,
    prev: last - 1,
    sequence: last,
    object: { sizeBytes: encoded.sizeBytes, checksum: encoded.checksum },
    batches: laid === undefined ? [] : [{ ...laid, ...place }],
    producerIdExpirationMs: day,
  })
  expect(outcome.kind).toBe('committed')
  return key
}

const scrubs = (): readonly AgentEvent[] => events.filter(({ kind }) => kind === 'storage scrubbed')

test('the first pass begins an interval after the first start, and the next one an interval after that', async () => {
  const keys = [await flush(), await flush(), await flush()]
  start()
  await clock.advance(interval - day)
  expect(objects.keys).toEqual([])
  await clock.advance(day + fixedLimits.scrubCheckMs)
  expect(objects.keys).toEqual(keys)
  expect(scrubs()).toMatchObject([{ objects: 3, damagedObjects: 0 }])
  await clock.advance(interval - day)
  expect(scrubs()).toHaveLength(1)
  await clock.advance(day + fixedLimits.scrubCheckMs)
  expect(scrubs()).toHaveLength(2)
})

test('damage is reported with its offsets, and again after a restart, before any pass is due', async () => {
  await flush()
  const lost = await flush()
  await flush()
  await store.damage.saveScrub({ after: undefined, complete: true, begins: true, damaged: [] })
  await clock.advance(interval)
  await objects.remove([lost])
  start()
  await clock.advance(fixedLimits.scrubFirstMs + 1_000)
  const found = { partition: 0, offset: 2, lastOffset: 3, objectKey: lost, damageKind: 'missing' }
  expect(damage.all()).toMatchObject([found])
  expect(scrubs()).toMatchObject([{ objects: 3, damagedObjects: 1 }])
  objects.keys.length = 0
  await restart()
  expect(damage.all()).toMatchObject([found])
  expect(new Set(objects.keys)).toEqual(new Set([lost]))
})

test('a pass that was interrupted continues after the last object that it saved', async () => {
  const keys = [await flush(), await flush(), await flush(), await flush()]
  await store.damage.saveScrub({ after: { incarnation: me.incarnation.id, sequence: 2 }, complete: false, begins: true, damaged: [] })
  start()
  await clock.advance(fixedLimits.scrubFirstMs + 1_000)
  expect(objects.keys).toEqual(keys.slice(2))
  expect(await store.damage.scrub()).toMatchObject({ complete: true, after: undefined })
})

test('an object that is whole again is forgotten by the next pass', async () => {
  await flush()
  await store.damage.saveScrub({
    after: undefined,
    complete: true,
    begins: true,
    damaged: [{ incarnation: me.incarnation.id, sequence: 1 }],
  })
  await clock.advance(interval)
  start()
  await clock.advance(fixedLimits.scrubFirstMs + 1_000)
  expect(await store.damage.scrub()).toMatchObject({ complete: true, damaged: [] })
})

test('it reads no faster than its rate', async () => {
  for (let flushed = 0; flushed < 200; flushed += 1) await flush()
  await store.damage.saveScrub({ after: undefined, complete: false, begins: true, damaged: [] })
  start()
  await clock.advance(fixedLimits.scrubFirstMs + 10_000)
  const expectedMs = (199 * fixedLimits.checkReadLeastBytes * 1_000) / fixedLimits.scrubBytesPerSecond
  const [scrub] = scrubs()
  if (scrub?.kind !== 'storage scrubbed') throw new Error('it was not completed')
  expect(scrub.durationMs).toBeGreaterThan(expectedMs - 2 * fixedLimits.checkPauseMs)
  expect(scrub.durationMs).toBeLessThan(expectedMs + 2 * fixedLimits.checkPauseMs)
})

test('while the store is away it waits, then it continues', async () => {
  await flush()
  await store.damage.saveScrub({ after: undefined, complete: false, begins: true, damaged: [] })
  objects.away = true
  start()
  await clock.advance(fixedLimits.scrubFirstMs + 10 * fixedLimits.scrubRetryMs)
  expect(scrubs()).toEqual([])
  objects.away = false
  await clock.advance(fixedLimits.scrubRetryMs)
  expect(scrubs()).toMatchObject([{ objects: 1, damagedObjects: 0 }])
})

test('it reads nothing if it is turned off, or if another agent scrubs', async () => {
  await flush()
  await store.damage.saveScrub({ after: undefined, complete: false, begins: true, damaged: [] })
  for (const options of [{ intervalMs: 0 }, { intervalMs: -1 }, { isMine: false }]) {
    start(options)
    await clock.advance(2 * interval)
    stopped.abort()
  }
  expect(objects.keys).toEqual([])
})
