// Batches out of a segment: whole ones, within the budget, under their own offsets, or an error when the stored bytes are not what was committed.
import { buildBatch, crc32c } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { Segment } from '../metadata/metadata-store.ts'
import { CorruptSegmentError, takeBatches } from './batches.ts'

const lastOffsetDeltaEnd = 26

test('batches from the offset on are taken whole, within the budget, with their final base offsets', () => {
  const { bytes, segment, size } = aSegment({ batches: 3, recordsEach: 2, baseOffset: 10 })
  const taken = takeBatches(bytes, segment, { fromOffset: 13, untilOffset: 16, maxBytes: size, atLeastOne: true }, crc32c)
  expect(taken).toMatchObject({ sizeBytes: size, nextOffset: 14 })
  expect(Buffer.concat(taken.chunks).readBigInt64BE(0)).toBe(12n)
  expect(takeBatches(bytes, segment, { fromOffset: 10, untilOffset: 14, maxBytes: 1e6, atLeastOne: true }, crc32c)).toMatchObject({
    sizeBytes: 2 * size,
    nextOffset: 14,
  })
})

test('a skipped batch that says a wrong number of offsets is an error, although what follows it is intact and the budget ends before the segment', () => {
  const { bytes, segment, size } = aSegment({ batches: 3, recordsEach: 2, baseOffset: 0 })
  bytes[lastOffsetDeltaEnd] = (bytes[lastOffsetDeltaEnd] ?? 0) ^ 2
  expect(() => takeBatches(bytes, segment, { fromOffset: 4, untilOffset: 6, maxBytes: size, atLeastOne: true }, crc32c)).toThrow(
    CorruptSegmentError,
  )
})

test('a taken batch with a wrong checksum, and a segment that is cut off, are errors', () => {
  const { bytes, segment } = aSegment({ batches: 2, recordsEach: 1, baseOffset: 0 })
  const ask = { fromOffset: 0, untilOffset: 2, maxBytes: 1e6, atLeastOne: true }
  expect(() => takeBatches(bytes.subarray(0, bytes.length - 1), segment, ask, crc32c)).toThrow(CorruptSegmentError)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  expect(() => takeBatches(bytes, segment, ask, crc32c)).toThrow(CorruptSegmentError)
})

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
