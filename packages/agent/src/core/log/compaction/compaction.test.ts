// Log compaction of whole logs against a naive model, the rewriting of single batches, and the memory of what is left.
import {
  attributeBits,
  buildBatch,
  type CodecName,
  type DecodedRecord,
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
import { CompactedSegments, pieceBytes } from './compacted-segments.ts'
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
  const { segments, pieces } = into.finish(endOf(log))
  const bytes = Buffer.concat(pieces)
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
  const { segments, pieces } = into.finish(2 ** 33)
  expect(endOf({ bytes: Buffer.concat(pieces), baseOffset: 5 })).toBe(2 ** 33)
  expect(segments).toEqual([{ baseOffset: 5, lastOffset: 2 ** 33 - 1, byteStart: 0, sizeBytes: 4 * 61, maxTimestamp: -1 }])
})

test('what is left is in pieces of one size, and none of them is copied while it grows', () => {
  const into = new CompactedSegments({ baseOffset: 0, segmentBytes: 1_000_000, crc32c: nativeCrc32c })
  const batches = Array.from({ length: 40 }, (_, offset) => aBatch({ records: [{ key: `${offset}`, value: 'x'.repeat(50_000) }] }))
  for (const [offset, bytes] of batches.entries()) into.keep({ bytes, baseOffset: offset, lastOffset: offset, maxTimestamp: 1_000 })
  const { pieces } = into.finish(batches.length)
  expect(Buffer.concat(pieces).equals(Buffer.concat(batches))).toBe(true)
  const last = into.sizeBytes % pieceBytes
  expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual([pieceBytes, pieceBytes, pieceBytes, last])
})
