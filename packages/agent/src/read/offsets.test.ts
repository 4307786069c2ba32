// Offsets by time: found in the segment that the database names, whatever a producer wrote into a batch, and never in damaged bytes.
import { batchLayout, buildBatch, crc32c, readBatchHeader } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { nodeCodecs } from '../codecs.ts'
import { defaultLimits } from '../limits.ts'
import { Unpacker } from '../memory/unpacker.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import { CachedObjects } from '../objects/wrappers/cached.ts'
import type { AgentEvent } from '../observe/events.ts'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { Owners } from '../view/owners.ts'
import { DamageReports } from './damage.ts'
import { Offsets } from './offsets.ts'
import { SegmentReader } from './segment-reader.ts'

const topicId = 'topic'
const incarnation = { id: 1, nonce: '0000000000000001' }
const signal = new AbortController().signal

test('the first record since a time is found inside its batch', async () => {
  const { offsets } = await stored(Buffer.concat([aBatch([10, 20]), aBatch([30, 40])]), 4)
  expect(await offsets.list([{ topicId, partition: 0, at: { timestamp: 15 } }], signal)).toMatchObject([{ offset: 1, timestamp: 20 }])
  expect(await offsets.list([{ topicId, partition: 0, at: { timestamp: 35 } }], signal)).toMatchObject([{ offset: 3, timestamp: 40 }])
})

test('a batch that cannot be unpacked answers with its first offset, and does not affect other partitions', async () => {
  const garbage = aBatch([30, 40])
  garbage.fill(0xff, batchLayout.records)
  const view = new DataView(garbage.buffer, garbage.byteOffset, garbage.byteLength)
  view.setUint32(batchLayout.crc, crc32c(garbage.subarray(batchLayout.attributes)))
  const { offsets, events } = await stored(Buffer.concat([aBatch([10, 20]), garbage]), 4)
  expect(await offsets.list([{ topicId, partition: 0, at: { timestamp: 35 } }], signal)).toMatchObject([
    { kind: 'offset', offset: 2, timestamp: 40 },
  ])
  expect(events).toEqual([])
})

test('H1: a time is answered from the batches before the damage, otherwise with the error that Fetch answers, never "no such record"', async () => {
  const damagedAt = 2 * aBatch([10, 20]).length
  const bytes = Buffer.concat([aBatch([10, 20]), aBatch([12, 22]), aBatch([30, 40]), aBatch([50, 60])])
  bytes[damagedAt + 42] = (bytes[damagedAt + 42] ?? 0) ^ 0xff // the end of the third batch's largest timestamp
  expect(readBatchHeader(bytes, damagedAt).maxTimestamp).not.toBe(40)
  const { offsets, events } = await stored(bytes, 8)
  const at = async (timestamp: number) => (await offsets.list([{ topicId, partition: 0, at: { timestamp } }], signal))[0]
  expect(await at(21)).toMatchObject({ kind: 'offset', offset: 3, timestamp: 22 })
  for (const timestamp of [35, 55])
    expect(await at(timestamp)).toMatchObject({
      kind: 'error',
      error: 'CORRUPT_MESSAGE',
      damage: { offset: 4, lastOffset: 5, objectKey: 'object', damageKind: 'changed' },
    })
  expect(events).toMatchObject([{ kind: 'corrupt data', partition: 0, offset: 4, lastOffset: 5 }])
})

test('an object that is gone is damage, and a store that is away is not', async () => {
  const { offsets, events, store } = await stored(aBatch([10, 20]), 2)
  const read = store.read.bind(store)
  store.read = () => Promise.reject(new ObjectStoreError('unavailable', 'no', 'the store is away'))
  const ask = { topicId, partition: 0, at: { timestamp: 15 } }
  expect(await offsets.list([ask], signal)).toEqual([{ kind: 'error', error: 'KAFKA_STORAGE_ERROR' }])
  expect(events).toMatchObject([{ kind: 'store request failed' }])
  store.read = read
  await store.remove(['object'], signal)
  expect(await offsets.list([ask], signal)).toMatchObject([
    { kind: 'error', error: 'CORRUPT_MESSAGE', damage: { offset: 0, lastOffset: 1 } },
  ])
})

function aBatch(timestamps: readonly number[]): Uint8Array {
  const records = timestamps.map((timestamp, offsetDelta) => ({
    offsetDelta,
    timestamp,
    key: null,
    value: Buffer.from('value'),
    headers: [],
  }))
  return buildBatch({ baseTimestamp: timestamps[0] ?? 0, records }, crc32c)
}

async function stored(bytes: Uint8Array, count: number) {
  const store = new MemoryObjects()
  await store.put('object', [bytes])
  const segment: Segment = {
    baseOffset: 0,
    lastOffset: count - 1,
    objectKey: 'object',
    byteStart: 0,
    sizeBytes: bytes.length,
    maxTimestamp: 40,
  }
  const watermarks = { logStartOffset: 0, highWatermark: count, lastStableOffset: count }
  const owners = new Owners({ slots: 1, brokerId: 1, incarnation })
  owners.publishSlots([{ slot: 0, owner: incarnation.id, epoch: 1 }])
  const events: AgentEvent[] = []
  const emit = (event: AgentEvent): void => void events.push(event)
  const damage = new DamageReports({ emit, topicName: () => undefined })
  const offsets = new Offsets({
    log: {
      partitions: async () => [],
      findByTime: async (asks) => asks.map(() => ({ kind: 'found', segment, ...watermarks })),
    },
    segments: new SegmentReader({ objects: new CachedObjects(store, { maxBytes: 0 }), crc32c, emit, damage, limits: defaultLimits }),
    owners,
    turns: new Turns(systemClock),
    unpacker: new Unpacker({ codecs: nodeCodecs, clock: systemClock, limits: defaultLimits }),
  })
  return { offsets, events, store }
}
