// Log compaction of whole logs against a naive model, the rewriting of single batches, and the hash of keys.
import {
  attributeBits,
  buildBatch,
  type CodecName,
  type DecodedRecord,
  type KeyColumns,
  RecordTable,
  readBatchHeader,
  readRecords,
} from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../../../codecs.ts'
import { isFiller } from '../empty-batch.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { type CompactionRules, compactBatch, type RememberedProducer } from './compact-batch.ts'
import { addSegmentKeys, compactSegment, type IntactSegment } from './compact-segment.ts'
import { CompactedSegments } from './compacted-segments.ts'
import { hash128 } from './hash.ts'
import { KeyOffsets } from './key-offsets.ts'

const readers = { crc32c: nativeCrc32c, codecs: nodeCodecs, records: new RecordTable() }
const utf8 = new TextEncoder()

interface NewRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp?: number
}

interface NewLogBatch {
  readonly records: readonly NewRecord[]
  readonly codec?: CodecName
  readonly producer?: { readonly id: number; readonly epoch: number; readonly baseSequence: number }
  readonly attributes?: number
}

function aBatch({ records, codec = 'none', producer, attributes = 0 }: NewLogBatch): Uint8Array {
  const decoded = records.map(({ key, value, timestamp = 1_000 }, offsetDelta): DecodedRecord => {
    const bytes = (text: string | null): Uint8Array | null => (text === null ? null : utf8.encode(text))
    return { offsetDelta, timestamp, key: bytes(key), value: bytes(value), headers: [{ key: 'h', value: utf8.encode('v') }] }
  })
  const compression = { codec, codecs: nodeCodecs }
  const batch = {
    baseTimestamp: decoded[0]?.timestamp ?? 0,
    records: decoded,
    leaderEpoch: 7,
    attributes,
    compression,
    ...(producer && { producer }),
  }
  return buildBatch(batch, nativeCrc32c)
}

/** Records of a log with their offsets. */
interface LoggedRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

type Log = IntactSegment

function logOf(batches: readonly NewLogBatch[], baseOffset = 0): Log {
  return { bytes: Buffer.concat(batches.map((batch) => aBatch(batch))), baseOffset }
}

function recordsOf({ bytes, baseOffset: first }: Log): readonly LoggedRecord[] {
  const records: LoggedRecord[] = []
  let baseOffset = first
  for (let at = 0; at < bytes.length; ) {
    const header = readBatchHeader(bytes, at)
    for (const { offsetDelta, key, value, timestamp } of readRecords(bytes, at, nodeCodecs, 1_000_000)) {
      const text = (octets: Uint8Array | null): string | null => (octets === null ? null : Buffer.from(octets).toString())
      records.push({ offset: baseOffset + offsetDelta, key: text(key), value: text(value), timestamp })
    }
    baseOffset += header.lastOffsetDelta + 1
    at += header.sizeBytes
  }
  return records
}

function endOf({ bytes, baseOffset }: Log): number {
  let end = baseOffset
  for (let at = 0; at < bytes.length; at += readBatchHeader(bytes, at).sizeBytes) end += readBatchHeader(bytes, at).lastOffsetDelta + 1
  return end
}

interface Pass extends Partial<Pick<CompactionRules, 'nowMs' | 'deleteRetentionMs' | 'producerOf'>> {
  readonly fromOffset?: number
  readonly maxBytes?: number
}

/** One pass over the whole log, whose keys from `fromOffset` on are new. */
function compacted(log: Log, { fromOffset = 0, maxBytes = 1_000_000, ...rest }: Pass = {}): Log & { readonly cleanedTo: number } {
  const latest = new KeyOffsets({ maxBytes, maxKeys: endOf(log) })
  const dirty = { ...log, ...suffixOf(log, fromOffset) }
  const endOffset = ran(addSegmentKeys(dirty, latest, readers))
  const transactions = new CleanedTransactions()
  const rules = {
    latest,
    endOffset,
    nowMs: 5_000,
    deleteRetentionMs: 100,
    markerRetentionMs: 100,
    producerOf: () => undefined,
    transactions,
    ...rest,
  }
  const into = new CompactedSegments({ baseOffset: log.baseOffset, segmentBytes: 200, crc32c: nativeCrc32c })
  ran(compactSegment(log, rules, readers, into))
  const { segments, bytes: laidOut } = into.finish(endOf(log))
  const bytes = Buffer.from(laidOut)
  let [byteStart, offset] = [0, log.baseOffset]
  for (const segment of segments) {
    expect(segment).toMatchObject({ byteStart, baseOffset: offset })
    const own = { bytes: bytes.subarray(byteStart, byteStart + segment.sizeBytes), baseOffset: offset }
    expect(endOf(own)).toBe(segment.lastOffset + 1)
    expect(segment.maxTimestamp).toBe(Math.max(-1, ...recordsOf(own).map(({ timestamp }) => timestamp)))
    ;[byteStart, offset] = [byteStart + segment.sizeBytes, segment.lastOffset + 1]
  }
  expect([byteStart, offset]).toEqual([bytes.length, endOf(log)])
  return { bytes, baseOffset: log.baseOffset, cleanedTo: endOffset }
}

function ran<T>(steps: Generator<number, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

function suffixOf(log: Log, fromOffset: number): Log {
  let { baseOffset } = log
  for (let at = 0; at < log.bytes.length; ) {
    if (baseOffset >= fromOffset) return { bytes: log.bytes.subarray(at), baseOffset }
    const header = readBatchHeader(log.bytes, at)
    baseOffset += header.lastOffsetDelta + 1
    at += header.sizeBytes
  }
  return { bytes: new Uint8Array(), baseOffset }
}

/** The records that must stay: the last one of each key, and all without keys after the compacted part. */
function lastOfEachKey(records: readonly LoggedRecord[]): readonly LoggedRecord[] {
  const last = new Map(records.map((record) => [record.key, record]))
  return records.filter((record) => record.key !== null && last.get(record.key) === record)
}

const someBatches = fc.array(
  fc.record({
    records: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd', 'key of more than sixteen bytes', null),
        value: fc.constantFrom('1', '2', null),
        timestamp: fc.integer({ min: -1, max: 9_000 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    codec: fc.constantFrom<CodecName>('none', 'gzip', 'snappy', 'lz4', 'zstd'),
  }),
  { minLength: 1, maxLength: 12 },
)

test('a pass leaves the last record of each key, with its offset, value and timestamp', () => {
  fc.assert(
    fc.property(someBatches, fc.nat(3), (batches, baseOffset) => {
      const log = logOf(batches, baseOffset)
      const after = compacted(log)
      expect(recordsOf(after)).toEqual(lastOfEachKey(recordsOf(log)))
      expect(endOf(after)).toBe(endOf(log))
      // A second pass finds nothing to do before the delete horizon.
      expect(compacted(after).bytes).toEqual(after.bytes)
    }),
  )
})

test('several passes with little memory leave the same records as one', () => {
  fc.assert(
    fc.property(someBatches, (batches) => {
      const log = logOf(batches)
      // Room for eight keys: a batch has at most six.
      let state: Log & { readonly cleanedTo: number } = { ...log, cleanedTo: 0 }
      let passes = 0
      for (; state.cleanedTo < endOf(log); passes++) {
        state = compacted(state, { fromOffset: state.cleanedTo, maxBytes: 9 * 24 })
        expect(passes).toBeLessThan(100)
      }
      expect(recordsOf(state)).toEqual(lastOfEachKey(recordsOf(log)))
    }),
  )
})

test('a tombstone stays until the delete horizon that the first pass sets', () => {
  const log = logOf([
    { records: [{ key: 'a', value: '1' }] },
    {
      records: [
        { key: 'b', value: '1', timestamp: 1_001 },
        { key: 'a', value: null, timestamp: 1_002 },
      ],
    },
  ])
  const first = compacted(log, { nowMs: 5_000, deleteRetentionMs: 100 })
  const fillerBytes = readBatchHeader(first.bytes, 0).sizeBytes
  const header = readBatchHeader(first.bytes, fillerBytes)
  expect(isFiller(readBatchHeader(first.bytes, 0))).toBe(true)
  expect(header).toMatchObject({ attributes: attributeBits.deleteHorizon, baseTimestamp: 5_100, maxTimestamp: 1_002, leaderEpoch: 7 })
  expect(recordsOf(first).map(({ key, timestamp }) => [key, timestamp])).toEqual([
    ['b', 1_001],
    ['a', 1_002],
  ])
  expect(compacted(first, { nowMs: 5_099 }).bytes).toEqual(first.bytes)
  const second = compacted(first, { nowMs: 5_100 })
  expect(recordsOf(second)).toEqual([{ offset: 1, key: 'b', value: '1', timestamp: 1_001 }])
  // The batch keeps the horizon.
  expect(readBatchHeader(second.bytes, fillerBytes)).toMatchObject({ attributes: attributeBits.deleteHorizon, baseTimestamp: 5_100 })
})

test('a tombstone that is new to the pass outlives a delete.retention.ms of 0', () => {
  const log = logOf([{ records: [{ key: 'a', value: '1' }] }, { records: [{ key: 'a', value: null }] }])
  const first = compacted(log, { nowMs: 5_000, deleteRetentionMs: 0 })
  expect(recordsOf(first).map(({ offset }) => offset)).toEqual([1])
  expect(recordsOf(compacted(first, { nowMs: 5_000, deleteRetentionMs: 0 }))).toEqual([])
})

test('the last batch of a live producer is kept without records', () => {
  const producer = { id: 4, epoch: 2, baseSequence: 10 }
  const log = logOf([
    {
      records: [
        { key: 'a', value: '1' },
        { key: 'a', value: '2' },
      ],
      producer,
    },
    { records: [{ key: 'a', value: '3' }] },
  ])
  const producerOf = (id: number): RememberedProducer | undefined => (id === 4 ? { lastOffset: 1, producerEpoch: 2 } : undefined)
  const { bytes } = compacted(log, { producerOf })
  const header = readBatchHeader(bytes, 0)
  expect(header).toMatchObject({ producerId: 4, producerEpoch: 2, baseSequence: 10, recordCount: 0, lastOffsetDelta: 1 })
  expect(header).toMatchObject({ baseTimestamp: -1, maxTimestamp: 1_000, leaderEpoch: 7 })
  expect(compacted({ bytes, baseOffset: 0 }, { producerOf }).bytes).toEqual(bytes)
  expect(isFiller(readBatchHeader(compacted({ bytes, baseOffset: 0 }).bytes, 0))).toBe(true)
})

test('a batch with LogAppendTime keeps its stamp', () => {
  const log = logOf([
    {
      records: [
        { key: 'a', value: '1' },
        { key: 'b', value: null },
        { key: 'a', value: '2' },
      ],
      attributes: attributeBits.logAppendTime,
    },
  ])
  const { bytes } = compacted(log)
  expect(recordsOf({ bytes, baseOffset: 0 }).map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
    [1, 1_000],
    [2, 1_000],
  ])
  expect(readBatchHeader(bytes, 0).maxTimestamp).toBe(1_000)
})

test('records of an aborted transaction go, and supersede nothing', () => {
  const inTransaction = { attributes: attributeBits.transactional, producer: { id: 7, epoch: 0, baseSequence: 0 } }
  const log: Log = {
    ...logOf([
      { records: [{ key: 'a', value: 'kept' }] },
      { ...inTransaction, records: [{ key: 'a', value: 'aborted' }] },
      { records: [{ key: 'b', value: 'kept' }] },
      { ...inTransaction, records: [{ key: 'c', value: 'committed' }] },
    ]),
    isAborted: (producerId, baseOffset) => producerId === 7 && baseOffset === 1,
  }
  const left = (pass?: Pass) => recordsOf(compacted(log, pass)).map(({ offset, value }) => [offset, value])
  const expected = [
    [0, 'kept'],
    [2, 'kept'],
    [3, 'committed'],
  ]
  expect(left()).toEqual(expected)
  // The last batch of a live producer keeps its sequence, and nothing else.
  expect(left({ producerOf: () => ({ lastOffset: 1, producerEpoch: 0 }) })).toEqual(expected)
})

const everythingIsOld: CompactionRules = {
  latest: { lastOffsetsOf: (_, offsets) => void offsets.fill(Number.MAX_SAFE_INTEGER) },
  endOffset: 10,
  nowMs: 0,
  deleteRetentionMs: 0,
  markerRetentionMs: 0,
  producerOf: () => undefined,
}

test('a batch that reaches the end of the part stays', () => {
  const batch = aBatch({
    records: [
      { key: 'a', value: '1' },
      { key: 'b', value: '1' },
    ],
  })
  expect(compactBatch(batch, { at: 0, baseOffset: 9, isAborted: false }, everythingIsOld, readers)).toEqual({ kind: 'kept' })
})

test('a batch that cannot be unpacked stays', () => {
  const batch = aBatch({ records: [{ key: 'a', value: '1' }], codec: 'gzip' })
  batch.fill(0xff, 70)
  expect(compactBatch(batch, { at: 0, baseOffset: 0, isAborted: false }, everythingIsOld, readers)).toEqual({ kind: 'kept' })
})

test('removed offsets beyond 2^31 have several fillers', () => {
  const into = new CompactedSegments({ baseOffset: 5, segmentBytes: 1_000, crc32c: nativeCrc32c })
  const { segments, bytes } = into.finish(2 ** 33)
  expect(endOf({ bytes, baseOffset: 5 })).toBe(2 ** 33)
  expect(segments).toEqual([{ baseOffset: 5, lastOffset: 2 ** 33 - 1, byteStart: 0, sizeBytes: 4 * 61, maxTimestamp: -1 }])
})

test('the smallest map has room for one key, and does not find another', () => {
  const latest = new KeyOffsets({ maxBytes: 1, maxKeys: 100 })
  expect(latest.room).toBe(1)
  put(latest, ['a'], 5)
  expect([latest.room, ...lastOffsets(latest, ['a', 'b', null])]).toEqual([0, 5, -1, -1])
})

test('the map grows up to its bound, and finds each key in a full table', () => {
  const maxBytes = 24 * 50_000
  const latest = new KeyOffsets({ maxBytes, maxKeys: 1e9 })
  expect(latest.sizeBytes).toBeLessThan(maxBytes / 2)
  const keys = Array.from({ length: latest.room }, (_, index) => `key ${index}`)
  put(latest, keys, 0)
  put(latest, ['key 7', null], 3)
  expect([latest.room, latest.keys, latest.sizeBytes]).toEqual([0, 45_000, maxBytes])
  expect(lastOffsets(latest, keys)).toEqual(keys.map((_, offset) => offset))
  expect(lastOffsets(latest, ['another'])).toEqual([-1])
  put(latest, ['key 7'], 60_000)
  expect(lastOffsets(latest, ['key 7', 'key 8'])).toEqual([60_000, 8])
})

/** Each key has the next offset. */
function put(latest: KeyOffsets, keys: readonly (string | null)[], baseOffset: number): void {
  latest.putAll(columnsOf(keys), { baseOffset, offsetDelta: Int32Array.from(keys.keys()) })
}

function lastOffsets(latest: KeyOffsets, keys: readonly (string | null)[]): readonly number[] {
  const offsets = new Float64Array(keys.length)
  latest.lastOffsetsOf(columnsOf(keys), offsets)
  return [...offsets]
}

function columnsOf(keys: readonly (string | null)[]): KeyColumns {
  const ends: number[] = []
  for (const key of keys) ends.push((ends.at(-1) ?? 0) + (key?.length ?? 0))
  return {
    count: keys.length,
    bytes: utf8.encode(keys.join('')),
    keyStart: Int32Array.from([0, ...ends].slice(0, keys.length)),
    keyEnd: Int32Array.from(ends, (end, index) => (keys[index] === null ? -1 : end)),
  }
}

// The check of the reference implementation (smhasher's VerificationTest), which publishes this number.
test('the hash is MurmurHash3', () => {
  const into = new Uint32Array(4)
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const hashes = new Uint32Array(256 * 4)
  for (let length = 0; length < 256; length++) {
    hash128(bytes, { start: 0, end: length, seed: 256 - length }, hashes, length * 4)
  }
  hash128(new Uint8Array(hashes.buffer), { start: 0, end: hashes.byteLength }, into)
  expect(into[0]).toBe(0xb3ec_e62a)
})
