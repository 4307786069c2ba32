// Batches of a segment: whole ones, within the budget, with their own offsets, or an error when the stored bytes are not those that were committed.
import { batchLayout, buildBatch, crc32c, readBatchHeader } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyBatch, isFiller } from '../core/log/empty-batch.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import {
  CorruptSegmentError,
  checkSegment,
  DamagedOffsetsError,
  salvage,
  type TakenBatches,
  takeBatches,
  takeSalvaged,
  type WantedBatches,
} from './batches.ts'

const lastOffsetDeltaEnd = 26

test('batches from the offset on are returned whole, within the budget, with their final base offsets', () => {
  const { bytes, segment, size } = aSegment({ batches: 3, recordsEach: 2, baseOffset: 10 })
  const taken = take([bytes], segment, { fromOffset: 13, untilOffset: 16, maxBytes: size, atLeastOne: true })
  expect(taken).toMatchObject({ sizeBytes: size, nextOffset: 14 })
  expect(Buffer.concat(taken.chunks).readBigInt64BE(0)).toBe(12n)
  expect(take([bytes], segment, { fromOffset: 10, untilOffset: 14, maxBytes: 1e6, atLeastOne: true })).toMatchObject({
    sizeBytes: 2 * size,
    nextOffset: 14,
  })
})

test('a skipped batch with a wrong number of offsets is an error, even if later batches are intact and the budget ends before the segment', () => {
  const { bytes, segment, size } = aSegment({ batches: 3, recordsEach: 2, baseOffset: 0 })
  bytes[lastOffsetDeltaEnd] = (bytes[lastOffsetDeltaEnd] ?? 0) ^ 2
  expect(() => take([bytes], segment, { fromOffset: 4, untilOffset: 6, maxBytes: size, atLeastOne: true })).toThrow(CorruptSegmentError)
})

test('a batch with a wrong checksum, and a segment that is cut off, are errors', () => {
  const { bytes, segment } = aSegment({ batches: 2, recordsEach: 1, baseOffset: 0 })
  const ask = { fromOffset: 0, untilOffset: 2, maxBytes: 1e6, atLeastOne: true }
  expect(() => take([bytes.subarray(0, bytes.length - 1)], segment, ask)).toThrow(CorruptSegmentError)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  expect(() => take([bytes], segment, ask)).toThrow(CorruptSegmentError)
})

test('wherever the segment is cut into pieces, its batches are checked, numbered and returned alike, as views of the pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 400 }), { maxLength: 6 }),
      fc.nat({ max: 9 }),
      fc.nat({ max: 10 }),
      fc.nat({ max: 600 }),
      (cuts, fromOffset, untilOffset, maxBytes) => {
        const { bytes, segment, size } = aSegment({ batches: 5, recordsEach: 2, baseOffset: 0 })
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length]
        const pieces = ends.map((end, index) => bytes.slice(index === 0 ? 0 : ends[index - 1], end))
        const wanted = { fromOffset, untilOffset, maxBytes, atLeastOne: true }
        const whole = take([Buffer.from(bytes)], segment, wanted)
        const taken = take(pieces, segment, wanted)
        expect({ ...taken, chunks: Buffer.concat(taken.chunks) }).toEqual({ ...whole, chunks: Buffer.concat(whole.chunks) })
        for (const chunk of taken.chunks) expect(pieces.map(({ buffer }) => buffer)).toContain(chunk.buffer)
        for (let at = 0; at < taken.sizeBytes; at += size)
          expect(Buffer.concat(taken.chunks).readBigInt64BE(at)).toBe(BigInt(Math.floor(fromOffset / 2) * 2 + (at / size) * 2))
      },
    ),
  )
})

test('of bytes that are as they were put, the checksums are not computed again, but the offsets must be those of the segment', () => {
  const { bytes, segment } = aSegment({ batches: 3, recordsEach: 2, baseOffset: 10 })
  const check = (of: Segment): Uint8Array[] => [...checkSegment({ pieces: [bytes], isAsPut: true }, of, () => 0).pieces]
  expect(Buffer.concat(check(segment)).readBigInt64BE(0)).toBe(10n)
  expect(() => check({ ...segment, lastOffset: 20 })).toThrow(CorruptSegmentError)
})

test('offsets that log compaction has removed are passed over without a batch, and the others keep theirs', () => {
  const { bytes: batch, segment, size } = aSegment({ batches: 1, recordsEach: 2, baseOffset: 10 })
  const filler = emptyBatch({ offset: 0, lastOffset: 4 }, crc32c)
  const bytes = Buffer.concat([filler, batch, filler, batch, filler])
  const compacted = { ...segment, baseOffset: 10, lastOffset: 28, sizeBytes: bytes.length }
  const from = (fromOffset: number, maxBytes: number) =>
    take([bytes], compacted, { fromOffset, untilOffset: 29, maxBytes, atLeastOne: true })
  expect(from(11, size)).toMatchObject({ sizeBytes: size, nextOffset: 17 })
  expect(Buffer.concat(from(11, size).chunks).readBigInt64BE(0)).toBe(15n)
  expect(from(18, 1e6)).toMatchObject({ sizeBytes: size, nextOffset: 29 })
  expect(Buffer.concat(from(18, 1e6).chunks).readBigInt64BE(0)).toBe(22n)
  expect(from(24, 1e6)).toEqual({ chunks: [], sizeBytes: 0, nextOffset: 29 })
})

test('the empty last batch of a producer is not sent, neither alone in a budget nor between others', () => {
  const { bytes: batch, segment, size } = aSegment({ batches: 1, recordsEach: 2, baseOffset: 10 })
  const emptied = Buffer.from(emptyBatch({ offset: 0, lastOffset: 4 }, crc32c))
  emptied.writeBigInt64BE(7n, batchLayout.producerId)
  emptied.writeUInt32BE(crc32c(emptied.subarray(batchLayout.attributes)), batchLayout.crc)
  expect(isFiller(readBatchHeader(emptied, 0))).toBe(false)
  const bytes = Buffer.concat([batch, emptied, batch])
  const compacted = { ...segment, baseOffset: 10, lastOffset: 18, sizeBytes: bytes.length }
  const from = (fromOffset: number, maxBytes: number) =>
    take([bytes], compacted, { fromOffset, untilOffset: 19, maxBytes, atLeastOne: true })
  expect(from(10, 1e6)).toMatchObject({ sizeBytes: 2 * size, nextOffset: 19 })
  expect(from(12, emptied.length)).toMatchObject({ sizeBytes: size, nextOffset: 19 })
  expect(Buffer.concat(from(12, emptied.length).chunks).readBigInt64BE(0)).toBe(17n)
})

test('H1: in a segment with one damaged batch the others can be read, each at its own offset', () => {
  const { bytes, segment, size } = aSegment({ batches: 4, recordsEach: 2, baseOffset: 10 })
  expect(salvage(bytes, segment, 'nothing', crc32c)).toBeUndefined()
  bytes[2 * size - 1] = (bytes[2 * size - 1] ?? 0) ^ 1
  const left = salvage(bytes, segment, 'a checksum', crc32c)
  if (left === undefined) throw new Error('no damage was found')
  expect(left.damage).toEqual({ offset: 12, lastOffset: 13, objectKey: 'object', damageKind: 'changed', message: 'a checksum' })
  const from = (fromOffset: number) => takeSalvaged(bytes, left, { fromOffset, untilOffset: 18, maxBytes: 1e6, atLeastOne: true })
  expect(from(10)).toMatchObject({ sizeBytes: size, nextOffset: 12 })
  expect(() => from(12)).toThrow(DamagedOffsetsError)
  expect(() => from(13)).toThrow(DamagedOffsetsError)
  expect(from(14)).toMatchObject({ sizeBytes: 2 * size, nextOffset: 18 })
  expect(Buffer.concat(from(14).chunks).readBigInt64BE(0)).toBe(14n)
})

test('H1: after a wrong batch length or the end of the bytes, the whole rest is damaged', () => {
  const { bytes, segment, size } = aSegment({ batches: 4, recordsEach: 2, baseOffset: 10 })
  expect(salvage(bytes.subarray(0, 3 * size - 5), segment, 'cut', crc32c)?.damage).toMatchObject({ offset: 14, lastOffset: 17 })
  expect(salvage(new Uint8Array(), segment, 'gone', crc32c)?.damage).toMatchObject({ offset: 10, lastOffset: 17 })
  bytes[size + 11] = (bytes[size + 11] ?? 0) ^ 4
  expect(salvage(bytes, segment, 'a length', crc32c)?.damage).toMatchObject({ offset: 12, lastOffset: 17 })
})

test('H1: between two damaged batches no batch is trusted', () => {
  const { bytes, segment, size } = aSegment({ batches: 5, recordsEach: 2, baseOffset: 10 })
  for (const batch of [1, 3]) bytes[(batch + 1) * size - 1] = (bytes[(batch + 1) * size - 1] ?? 0) ^ 1
  expect(salvage(bytes, segment, 'two', crc32c)?.damage).toMatchObject({ offset: 12, lastOffset: 17 })
})

/** As a reader does: checks, and takes. */
function take(pieces: readonly Uint8Array[], segment: Segment, wanted: WantedBatches): TakenBatches {
  return takeBatches(checkSegment({ pieces, isAsPut: false }, segment, crc32c), segment, wanted)
}

function aSegment({
  batches,
  recordsEach,
  baseOffset,
}: {
  readonly batches: number
  readonly recordsEach: number
  readonly baseOffset: number
}) {
  const records = Array.from({ length: recordsEach }, (_, offsetDelta) => ({
    offsetDelta,
    timestamp: 1,
    key: null,
    value: Buffer.from('v'),
    headers: [],
  }))
  const one = buildBatch({ baseTimestamp: 1, records }, crc32c)
  const bytes = Buffer.concat(Array.from({ length: batches }, () => one))
  const segment: Segment = {
    baseOffset,
    lastOffset: baseOffset + batches * recordsEach - 1,
    objectKey: 'object',
    byteStart: 0,
    sizeBytes: bytes.length,
    maxTimestamp: 1,
  }
  return { bytes, segment, size: one.length }
}
