// Merges of real objects on a clock that a test moves: what is merged when, that every batch keeps its bytes and its offset, and what damage and rivals do.
// It is one thing: all tests have the same objects, clock and job.
import { batchSizeAt, buildBatch, readBatchHeader } from '@local-kafka-service/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nativeCrc32c } from '../codecs.ts'
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import type { MergedSegmentBounds } from '../core/log/merge/merged-segments.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import { defaultLimits } from '../limits.ts'
import { SlabPool } from '../memory/slab-pool.ts'
import { type CommitBatch, MetadataError, type Registration, type Segment, type Topic } from '../metadata/metadata-store.ts'
import type { OpenedMetadata } from '../metadata/open.ts'
import { openSqlite } from '../metadata/sqlite.ts'
import { aBatch, aCommitIn, aTopic, committed, openCluster, registered } from '../metadata/testing/a-cluster.ts'
import type { TransactionalRequest } from '../metadata/transaction-store.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { decodeObject, encodeObject } from '../objects/object-format.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import { CachedObjects } from '../objects/wrappers/cached.ts'
import type { AgentEvent } from '../observe/events.ts'
import { DamageReports } from '../read/damage.ts'
import { markerBatch } from '../read/marker-batch.ts'
import { SegmentReader } from '../read/segment-reader.ts'
import { readTogether } from '../read/segments-together.ts'
import { sleep } from '../time/sleep.ts'
import { Slots } from '../time/slots.ts'
import { systemRandom } from '../time/system-clock.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { Turns } from '../time/turns.ts'
import { GrownPartitions } from '../view/grown-partitions.ts'
import { Owners } from '../view/owners.ts'
import { SegmentMerge, type SegmentMergeParts } from './merge.ts'

const partitions = 3
const intervalMs = 1_000
const maxAgeMs = 60_000
const limits = {
  mergeObjectBytes: 10_000,
  mergeSegmentBytes: 2_000,
  mergeSources: 100,
  mergeQuietMs: 5_000,
  mergeTwiceBytes: 4_000,
  readersGraceMs: 600_000,
}
const bounds: MergedSegmentBounds = { segmentBytes: 2_000, topicSegmentBytes: 1e9, topicSegmentMs: 1e12 }

/** Runs something before a put. */
class ObservedObjects extends MemoryObjects {
  beforePut: (key: string) => Promise<void> = async () => {}

  override async put(key: string, body: readonly Uint8Array[]): Promise<void> {
    await this.beforePut(key)
    await super.put(key, body)
  }
}

let clock: ManualClock
let objects: ObservedObjects
let memory: SlabPool
let store: OpenedMetadata
let me: Registration
let topic: Topic
let events: AgentEvent[]
let stopped: AbortController
let running: Promise<void>
let sequence: number
let swapped: (readonly [partition: number, nextOffset: number])[]

beforeEach(async () => {
  clock = new ManualClock()
  objects = new ObservedObjects()
  memory = new SlabPool({ maxFreeBytes: 1_000_000, fillsReleased: true })
  store = await openCluster(openSqlite({ path: ':memory:', durability: 'memory', now: () => clock.now() }))
  me = await registered(store, 'me')
  topic = await aTopic(store, { partitions })
  events = []
  swapped = []
  stopped = new AbortController()
  sequence = 0
})
afterEach(async () => {
  stopped.abort()
  await running
  expect(memory.gauge.usedBytes, 'a merge gives its memory back, however it ends').toBe(0)
  await store.close()
})

function start(more: Partial<SegmentMergeParts> = {}): void {
  const owners = new Owners({ slots: store.slots, brokerId: me.brokerId, incarnation: me.incarnation })
  owners.publishSlots(me.slots)
  const emit = (event: AgentEvent): void => void events.push(event)
  const turns = new Turns(clock)
  const damage = new DamageReports({ emit, topicName: () => 'topic' })
  const segments = new SegmentReader({
    objects: new CachedObjects(objects, { maxBytes: 0 }),
    crc32c: nativeCrc32c,
    damage,
    emit,
    limits: defaultLimits,
  })
  running = new SegmentMerge({
    clusterId: store.clusterId,
    topics: store.topics,
    swaps: store.swaps,
    objects,
    owners,
    grown: { take: () => 'all' },
    readSegments: (asked, read) => readTogether({ objects, segments, crc32c: nativeCrc32c, turns }, asked, read),
    boundsOf: () => bounds,
    onSwapped: ({ partition }, nextOffset) => void swapped.push([partition, nextOffset]),
    rewrites: new Slots(1),
    crc32c: nativeCrc32c,
    turns,
    memory,
    clock,
    ioClock: clock,
    random: systemRandom,
    emit,
    limits,
    job: 'me merge',
    intervalMs,
    maxAgeMs,
    ...more,
  }).run(stopped.signal)
}

/** A flush with one batch of `records` records of 100 bytes for each of the partitions. */
async function flush(of: readonly number[] = [0, 1, 2], records = 1): Promise<void> {
  sequence += 1
  const value = Buffer.alloc(100, `${sequence}`)
  const groups = of.map((partition) => {
    const list = Array.from({ length: records }, (_, offsetDelta) => ({
      offsetDelta,
      timestamp: clock.now(),
      key: null,
      value,
      headers: [],
    }))
    const chunk = buildBatch({ baseTimestamp: clock.now(), leaderEpoch: 4, records: list }, nativeCrc32c)
    return { topicId: topic.topicId, partition, epoch: 4, chunks: [chunk], batches: 1 }
  })
  const encoded = encodeObject({ clusterId: store.clusterId, incarnation: me.incarnation, sequence, groups }, nativeCrc32c)
  await objects.put(objectKey(store.clusterId, me.incarnation, sequence), encoded.chunks)
  const batches = groups.map(({ partition, chunks }, index): CommitBatch => {
    const slot = slotOfPartition(topic.topicId, partition, store.slots)
    const sizeBytes = must(chunks[0], 'the batch').length
    const byteStart = must(encoded.starts[index], 'its start')
    const epoch = must(me.slots[slot], 'the slot').epoch
    return aBatch(topic, me, store, { partition, epoch, offsets: records, maxTimestamp: clock.now(), sizeBytes, byteStart })
  })
  const { sizeBytes, checksum } = encoded
  await committed(store.log.commit({ ...aCommitIn({ store, me, topic }, sequence, []), batches, object: { sizeBytes, checksum } }))
}

async function segmentsOf(partition: number): Promise<readonly Segment[]> {
  const [found] = await store.log.find([{ topicId: topic.topicId, partition, offset: 0, maxBytes: 1e9, maxSegments: 10_000 }])
  return found?.kind === 'found' ? found.segments : []
}

/** Every batch of the partition: its offset, and all of its bytes but the base offset. */
async function batchesOf(partition: number): Promise<readonly string[]> {
  const batches: string[] = []
  for (const segment of await segmentsOf(partition)) {
    const { baseOffset, lastOffset, objectKey: key, byteStart, sizeBytes, maxTimestamp } = segment
    const ofMarker = markerBatch(segment, nativeCrc32c)
    if (sizeBytes === 0 && ofMarker === undefined) continue
    const bytes = Buffer.from(ofMarker ?? (await objects.read(key, { start: byteStart, length: sizeBytes })))
    let offset = baseOffset
    let newest = -1
    for (let at = 0; at < bytes.length; ) {
      const size = must(batchSizeAt(bytes, at), 'a whole batch')
      const header = readBatchHeader(bytes, at)
      batches.push(`${offset} ${bytes.toString('hex', at + 8, at + size)}`)
      offset += header.lastOffsetDelta + 1
      newest = Math.max(newest, header.maxTimestamp)
      at += size
    }
    expect([offset - 1, newest]).toEqual([lastOffset, maxTimestamp])
  }
  return batches
}

const everything = (): Promise<readonly (readonly string[])[]> => Promise.all([0, 1, 2].map((partition) => batchesOf(partition)))
const merges = (): readonly AgentEvent[] => events.filter(({ kind }) => kind === 'segments merged')
async function eventually(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += intervalMs) await clock.advance(intervalMs)
}

test('a merge that had to wait for log compaction for long looks again, because its sources may be gone', async () => {
  for (let count = 0; count < 3; count += 1) await flush()
  const rewrites = new Slots(1)
  const compaction = Promise.withResolvers<void>()
  const compacting = rewrites.run(() => compaction.promise, stopped.signal)
  start({ rewrites, limits: { ...limits, readersGraceMs: 20_000 } })
  await eventually(maxAgeMs + 2 * intervalMs)
  // It waits with what it has found.
  await eventually(11_000)
  compaction.resolve()
  await compacting
  await clock.advance(0)
  expect(merges()).toEqual([])
  await eventually(2 * intervalMs)
  expect(merges()).toMatchObject([{ end: 'swapped', objects: 3 }])
})

test('small objects become one that is sorted by partition, and every batch keeps its bytes and its offset', async () => {
  for (let count = 0; count < 5; count += 1) await flush(count % 2 === 0 ? [2, 0, 1] : [1, 0], 2)
  const before = await everything()
  start()
  await eventually(maxAgeMs - intervalMs)
  expect(merges()).toEqual([])
  await eventually(2 * intervalMs)
  expect(merges()).toMatchObject([{ end: 'swapped', objects: 5, partitions: 3, sources: 13, segments: 3 }])
  expect(await everything()).toEqual(before)
  const keys = new Set((await Promise.all([0, 1, 2].map(segmentsOf))).flat().map((segment) => segment.objectKey))
  expect(keys.size).toBe(1)
  const merged = decodeObject(await objects.read(must([...keys][0], 'a key')), nativeCrc32c)
  expect(merged.groups.map(({ partition, batches }) => [partition, batches])).toEqual([
    [0, 5],
    [1, 5],
    [2, 3],
  ])
  expect(swapped.toSorted(([a], [b]) => a - b)).toEqual([
    [0, 10],
    [1, 10],
    [2, 6],
  ])
  // The sweep may have them.
  expect(await store.sweep.released({ maxObjects: 100 })).toHaveLength(5)
})

test('markers are written into the object, and their rows go; those at the end of a log wait', async () => {
  const transactionalId = 'id'
  const decide = (request: TransactionalRequest['request'], more: Partial<TransactionalRequest> = {}) =>
    store.transactions.decide({ transactionalId, incarnation: me.incarnation, request, ...more })
  const init = { kind: 'init', timeoutMs: 60_000, expected: undefined } as const
  const begun = await decide(init, { newProducerId: await store.log.allocateProducerIds(1) })
  let row = begun.kind === 'decided' ? must(begun.row, 'the row') : expect.fail(begun.kind)
  const transaction = async (outcome: 'commit' | 'abort', of: readonly number[]): Promise<void> => {
    const partitions = [0, 1].map((partition) => ({ topicId: topic.topicId, partition }))
    await decide({ kind: 'add', producer: row }, { partitions })
    if (of.length > 0) await flush(of)
    const ended = await decide({ kind: 'end', producer: row, outcome, transactionVersion: 2 })
    row = ended.kind === 'decided' ? must(ended.row, 'the row') : expect.fail(ended.kind)
  }
  // Partition 1 begins with a marker, and partition 0 ends with markers only.
  await transaction('commit', [0])
  await transaction('abort', [0, 1])
  await flush([1])
  await transaction('commit', [0])
  const before = await everything()
  start()
  await eventually(maxAgeMs + intervalMs)
  expect(await everything()).toEqual(before)
  for (const partition of [0, 1]) expect((await segmentsOf(partition)).filter(({ marker }) => marker !== undefined)).toEqual([])
  expect(merges()).toMatchObject([{ end: 'swapped', objects: 4, partitions: 2 }])
  await transaction('commit', [])
  await eventually(maxAgeMs + intervalMs)
  const markers = async (): Promise<number> => (await segmentsOf(0)).filter(({ marker }) => marker !== undefined).length
  expect(await markers()).toBe(1)
  await flush([0, 1])
  await flush([0, 1])
  await eventually(maxAgeMs + intervalMs)
  expect(await markers()).toBe(0)
})

test('enough bytes or segments are merged before they are old, but what was just written is left alone', async () => {
  for (let count = 0; count < 40; count += 1) await flush([0], 1)
  start()
  await eventually(limits.mergeQuietMs - intervalMs)
  expect(merges()).toEqual([])
  await eventually(intervalMs)
  expect(merges()).toEqual([])
  for (let count = 0; count < 40; count += 1) await flush([0], 1)
  await eventually(limits.mergeQuietMs)
  // 10,000 bytes are an object, and so many of them are taken as fill five segments but for the place of a batch.
  const { sizeBytes } = must((await segmentsOf(0)).at(-1), 'the last segment')
  expect(merges()).toMatchObject([{ end: 'swapped', sources: Math.floor((10_000 * 31) / 32 / sizeBytes) }])
  expect((await segmentsOf(0)).at(-1)?.objectKey).toBe(objectKey(store.clusterId, me.incarnation, 80))
})

test('a log whose first merges are small is merged twice, so that it has long runs of large segments, and a byte is written three times at most', async () => {
  // A third of an object is a segment that is two thirds full.
  const segmentBytes = 5_000
  start({ boundsOf: () => ({ ...bounds, segmentBytes }), limits: { ...limits, mergeSegmentBytes: segmentBytes } })
  let bytes = 0
  for (let count = 0; count < 300; count += 1) {
    await flush([0, 1, 2], 3)
    await clock.advance(200)
  }
  const before = await everything()
  await eventually(2 * maxAgeMs)
  expect(await everything()).toEqual(before)
  for (const partition of [0, 1, 2]) {
    const segments = await segmentsOf(partition)
    const size = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    bytes += size
    // 300 flushes.
    expect(segments.length).toBeLessThan((size / segmentBytes) * 1.6)
    expect(new Set(segments.map((segment) => segment.objectKey)).size).toBeLessThan(size / 4_000 + 6)
  }
  const written = merges().reduce((sum, event) => sum + (event.kind === 'segments merged' ? event.bytesWritten : 0), 0)
  expect(written / bytes).toBeGreaterThan(1)
  expect(written / bytes).toBeLessThan(2.1)
  expect(merges().every((event) => event.kind === 'segments merged' && event.end === 'swapped')).toBe(true)
})

test('a log whose first merges fill segments is merged once, and a byte is written twice', async () => {
  start()
  for (let count = 0; count < 300; count += 1) {
    await flush([0, 1, 2], 3)
    await clock.advance(200)
  }
  const before = await everything()
  await eventually(2 * maxAgeMs)
  expect(await everything()).toEqual(before)
  let [bytes, rows] = [0, 0]
  for (const partition of [0, 1, 2]) {
    const segments = await segmentsOf(partition)
    rows += segments.length
    for (const { sizeBytes } of segments) bytes += sizeBytes
  }
  expect(rows).toBeLessThan((bytes / bounds.segmentBytes) * 1.3)
  const written = merges().reduce((sum, event) => sum + (event.kind === 'segments merged' ? event.bytesWritten : 0), 0)
  expect(written / bytes).toBeLessThan(1.1)
})

test.for([
  { sources: 4_000, timesMerged: 1, what: 'if an object has room for all of its sources' },
  { sources: 100, timesMerged: 2, what: 'if its sources are small' },
])('a topic ends in few large objects with full segments, $what', async ({ sources, timesMerged }) => {
  // 24 segments, as in production: eight of each partition.
  const [objectBytes, segmentBytes] = [192_000, 8_000]
  const grown = new GrownPartitions()
  start({
    grown,
    boundsOf: () => ({ ...bounds, segmentBytes }),
    limits: {
      ...limits,
      mergeObjectBytes: objectBytes,
      mergeSegmentBytes: segmentBytes,
      mergeSources: sources,
      mergeTwiceBytes: (objectBytes * 7) / 8,
    },
  })
  for (let count = 0; count < 900; count += 1) {
    await flush([0, 1, 2], 3)
    for (const partition of [0, 1, 2]) grown.add(partitionKey(topic.topicId, partition), { topicId: topic.topicId, partition })
    await clock.advance(200)
  }
  const before = await everything()
  // What is left of a topic that no client writes to is merged, too.
  await eventually(4 * maxAgeMs)
  expect(await everything()).toEqual(before)
  const segments = (await Promise.all([0, 1, 2].map(segmentsOf))).flat()
  const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(bytes / objectBytes).toBeGreaterThan(4)
  const objectCount = new Set(segments.map((segment) => segment.objectKey)).size
  // Seven eighths of an object are enough for one. Of the rest, less than half of an object does not count.
  expect(objectCount, 'objects').toBeLessThan(bytes / (objectBytes * 0.8) + 4)
  // A batch is a fiftieth of a segment.
  expect(segments.length, 'segments').toBeLessThan((bytes / segmentBytes) * 1.1 + 3)
  const written = merges().reduce((sum, event) => sum + (event.kind === 'segments merged' ? event.bytesWritten : 0), 0)
  expect(written / bytes).toBeLessThan(timesMerged + 0.2)
})

test('an object that is alone is left as it is, and not looked at again', async () => {
  await flush()
  start()
  await eventually(2 * maxAgeMs)
  expect(merges()).toEqual([])
  const asked = [0, 1, 2].map((partition) => ({ topicId: topic.topicId, partition }))
  const states = await store.swaps.mergeStates(asked)
  expect(states.map(({ nextOffset, onceOffset }) => nextOffset - onceOffset)).toEqual([0, 0, 0])
})

test('between two looks at all partitions, only those that have grown or have something left are looked at', async () => {
  const grown = new GrownPartitions()
  const asked: (readonly number[])[] = []
  const swaps: SegmentMergeParts['swaps'] = {
    ...store.swaps,
    mergeStates: (partitions) => {
      asked.push(partitions.map(({ partition }) => partition))
      return store.swaps.mergeStates(partitions)
    },
  }
  const grow = async (of: readonly number[]): Promise<void> => {
    await flush(of)
    for (const partition of of) grown.add(partitionKey(topic.topicId, partition), { topicId: topic.topicId, partition })
  }
  const looks = (): readonly string[] => [...new Set(asked.splice(0).map((partitions) => partitions.join(' ')))]
  start({ swaps, grown })
  await eventually(intervalMs)
  expect(looks(), 'the first look').toEqual(['0 1 2'])
  await eventually(10 * intervalMs)
  expect(looks(), 'nothing has grown').toEqual([])
  await grow([2])
  await grow([2])
  await eventually(intervalMs)
  expect(looks(), 'it grew').toEqual(['2'])
  await eventually(limits.mergeQuietMs)
  expect(looks(), 'what was too young is not any more').toEqual(['2'])
  await eventually(maxAgeMs / 2)
  expect(looks(), 'it waits until it is old').toEqual([])
  await eventually(maxAgeMs)
  expect(merges()).toMatchObject([{ end: 'swapped', partitions: 1, sources: 2 }])
  expect(looks(), 'another agent may have written anything').toEqual(['0 1 2', '2'])
  await eventually(maxAgeMs)
  expect(asked, 'one look, for both merges').toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ])
})

test('what a look could not read is looked at by the next one', async () => {
  let fails = true
  let looks = 0
  const swaps: SegmentMergeParts['swaps'] = {
    ...store.swaps,
    mergeStates: (partitions) => {
      looks += 1
      return fails ? Promise.reject(new MetadataError('unavailable', 'away')) : store.swaps.mergeStates(partitions)
    },
  }
  start({ swaps, grown: new GrownPartitions() })
  await eventually(3 * intervalMs)
  expect(looks).toBe(3)
  fails = false
  await eventually(intervalMs)
  const done = looks
  await eventually(3 * intervalMs)
  expect(looks).toBe(done)
})

test('a line that is too slow for the largest objects gets smaller ones', async () => {
  for (let count = 0; count < 60; count += 1) await flush()
  const before = await everything()
  const stored: number[] = []
  const timedOut: number[] = []
  const slowLine = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> => {
    const sizeBytes = body.reduce((sum, chunk) => sum + chunk.length, 0)
    await sleep(clock, 3_000, signal)
    if (sizeBytes > 2_000) {
      timedOut.push(sizeBytes)
      throw new ObjectStoreError('timeout', 'unknown', 'no answer')
    }
    stored.push(sizeBytes)
    await objects.put(key, body)
  }
  start({ objects: { put: slowLine } })
  await eventually(2 * maxAgeMs)
  expect(await everything()).toEqual(before)
  expect(timedOut).toHaveLength(2)
  expect(Math.min(...timedOut)).toBeLessThan(Math.max(...timedOut) * 0.6)
  expect(Math.min(...stored)).toBeGreaterThan(600)
  const segments = (await Promise.all([0, 1, 2].map(segmentsOf))).flat()
  const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(new Set(segments.map((segment) => segment.objectKey)).size).toBeLessThan(bytes / 900 + 2)
})

test('a damaged segment stays where it is, and all others are merged', async () => {
  for (let count = 0; count < 6; count += 1) await flush()
  const damaged = must((await segmentsOf(1))[2], 'a segment')
  const object = Buffer.from(await objects.read(damaged.objectKey))
  object.writeUInt8(object.readUInt8(damaged.byteStart + 70) ^ 1, damaged.byteStart + 70)
  await objects.remove([damaged.objectKey])
  await objects.put(damaged.objectKey, [object])
  const before = await everything()
  start()
  await eventually(2 * maxAgeMs)
  expect(await everything()).toEqual(before)
  expect(await segmentsOf(0)).toHaveLength(1)
  expect(await segmentsOf(1)).toEqual(expect.arrayContaining([damaged]))
  expect(await segmentsOf(1)).toHaveLength(3)
  expect(events.filter(({ kind }) => kind === 'corrupt data')).not.toEqual([])
})

test('skipped offsets keep their segment without bytes', async () => {
  for (let count = 0; count < 6; count += 1) await flush()
  const skipped = must((await segmentsOf(1))[2], 'a segment')
  const { baseOffset: offset, lastOffset } = skipped
  await store.damage.skip({ topicId: topic.topicId, partition: 1, segment: skipped, offset, lastOffset, kept: [], reason: 'damaged' })
  start()
  await eventually(3 * maxAgeMs)
  expect((await segmentsOf(1)).map(({ baseOffset, lastOffset: last, sizeBytes }) => [baseOffset, last, sizeBytes > 0])).toEqual([
    [0, 1, true],
    [2, 2, false],
    [3, 5, true],
  ])
})

test('a log that changes before the swap is left alone, and the others are swapped', async () => {
  for (let count = 0; count < 6; count += 1) await flush()
  const sources = (await segmentsOf(1)).slice(0, 2)
  const rival = await store.swaps.beginJob({ job: 'rival', nonce: '00000000000000aa' })
  objects.beforePut = async () => {
    objects.beforePut = async () => {}
    const segments = [{ baseOffset: 0, lastOffset: 1, byteStart: 0, sizeBytes: 0, maxTimestamp: 1 }]
    const logs = [{ topicId: topic.topicId, partition: 1, sources, segments }]
    await store.swaps.swap({ incarnation: rival, sequence: 1, object: { sizeBytes: 100, checksum: 1 }, logs })
  }
  start()
  await eventually(maxAgeMs + intervalMs)
  expect((await segmentsOf(0)).length).toBe(1)
  expect((await segmentsOf(1)).map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
    [0, 1],
    [2, 5],
  ])
})

test('a job that was begun again elsewhere swaps nothing', async () => {
  for (let count = 0; count < 6; count += 1) await flush()
  objects.beforePut = async () => {
    objects.beforePut = async () => {}
    await store.swaps.beginJob({ job: 'me merge', nonce: '00000000000000aa' })
  }
  const before = await segmentsOf(0)
  start()
  await eventually(maxAgeMs)
  expect(merges()).toMatchObject([{ end: 'fenced' }])
  expect(await segmentsOf(0)).toEqual(before)
  // The next look begins again.
  await eventually(intervalMs)
  expect(merges()).toMatchObject([{ end: 'fenced' }, { end: 'swapped' }])
})

test('records of a deleted topic, and those before the start of the log, are left alone', async () => {
  for (let count = 0; count < 6; count += 1) await flush()
  await store.log.deleteRecords(me.incarnation.id, [{ topicId: topic.topicId, partition: 0, beforeOffset: 4 }])
  const before = await segmentsOf(0)
  start()
  await eventually(maxAgeMs + intervalMs)
  expect((await segmentsOf(0)).slice(0, 4)).toEqual(before.slice(0, 4))
  expect(await segmentsOf(0)).toHaveLength(5)
  await store.topics.delete(topic.topicId)
  const done = merges().length
  await eventually(maxAgeMs)
  expect(merges()).toHaveLength(done)
})
