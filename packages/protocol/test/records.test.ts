// Record batches and their codecs, as properties.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeCodecs } from '../../agent/src/codecs.ts'
import {
  batchSizeAt,
  buildBatch,
  checkBatch,
  codecNames,
  compress,
  crc32c,
  type DecodedRecord,
  decompress,
  lastOffsetDeltaAt,
  packedProblem,
  patchBaseOffset,
  patchLeaderEpoch,
  readBatchHeader,
  readRecords,
  recordCountAt,
  setLogAppendTime,
} from '../src/index.ts'
import { lz4FrameSize } from '../src/records/lz4-frame.ts'

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array | null> => fc.option(fc.uint8Array({ maxLength }), { nil: null })
const records: fc.Arbitrary<readonly DecodedRecord[]> = fc
  .array(
    fc.record({
      timestamp: fc.integer({ min: 0, max: 2 ** 42 }),
      key: bytes(20),
      value: bytes(300),
      headers: fc.array(fc.record({ key: fc.string({ unit: 'binary', maxLength: 9 }), value: bytes(9) }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((made) => made.map((record, offsetDelta) => ({ offsetDelta, ...record })))

test.each(codecNames)('%s: reading a built batch returns its records', (codec) => {
  fc.assert(
    fc.property(records, fc.integer({ min: 0, max: 2 ** 42 }), (given, baseTimestamp) => {
      const batch = buildBatch({ baseTimestamp, records: given, compression: { codec, codecs: nodeCodecs } }, crc32c)
      expect(checkBatch(batch, 0, crc32c)).toMatchObject({ kind: 'ok', header: { recordCount: given.length, sizeBytes: batch.length } })
      expect([...readRecords(batch, 0, nodeCodecs, 1_000_000)].map(plain)).toEqual(given.map(plain))
    }),
    { numRuns: 40 },
  )
})

test('the checksum detects any flipped bit after the leader epoch', () => {
  const batch = aBatch()
  fc.assert(
    fc.property(fc.integer({ min: 16 * 8, max: batch.length * 8 - 1 }), (bit) => {
      const broken = batch.slice()
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(checkBatch(broken, 0, crc32c).kind).toBe('error')
    }),
  )
})

test('a batch that is truncated, too short, of an older format or miscounted has its own error', () => {
  const batch = aBatch()
  expect(checkBatch(batch.subarray(0, batch.length - 1), 0, crc32c)).toMatchObject({ problem: 'truncated' })
  expect(checkBatch(batch.subarray(0, 11), 0, crc32c)).toMatchObject({ problem: 'truncated' })
  expect(
    checkBatch(
      patched(batch, (view) => view.setInt32(8, 48)),
      0,
      crc32c,
    ),
  ).toMatchObject({ problem: 'length' })
  expect(
    checkBatch(
      patched(batch, (view) => view.setInt32(8, -1)),
      0,
      crc32c,
    ),
  ).toMatchObject({ problem: 'length' })
  expect(
    checkBatch(
      patched(batch, (view) => view.setInt8(16, 1)),
      0,
      crc32c,
    ),
  ).toMatchObject({ problem: 'magic' })
  const miscounted = patched(batch, (view) => {
    view.setInt32(23, 7)
    view.setUint32(17, crc32c(new Uint8Array(view.buffer, 21)))
  })
  expect(checkBatch(miscounted, 0, crc32c)).toMatchObject({ problem: 'count' })
})

test('the base offset and the leader epoch lie outside the checksum; setting a timestamp computes it again', () => {
  const batch = aBatch()
  patchBaseOffset(batch, 0, 2 ** 40)
  patchLeaderEpoch(batch, 0, 12)
  expect(checkBatch(batch, 0, crc32c)).toMatchObject({ kind: 'ok', header: { baseOffset: 2 ** 40, leaderEpoch: 12 } })
  setLogAppendTime(batch, 0, 99_000, crc32c)
  expect(checkBatch(batch, 0, crc32c)).toMatchObject({ kind: 'ok', header: { maxTimestamp: 99_000, attributes: 8 } })
  expect([...readRecords(batch, 0, nodeCodecs, 100)].map(({ timestamp }) => timestamp)).toEqual([99_000, 99_000])
})

test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])(
  'a base offset of %d is written as it is',
  (baseOffset) => {
    const batch = aBatch()
    patchBaseOffset(batch, 0, baseOffset)
    expect(new DataView(batch.buffer, batch.byteOffset).getBigInt64(0)).toBe(BigInt(baseOffset))
    expect([lastOffsetDeltaAt(batch, 0), recordCountAt(batch, 0)]).toEqual([1, 2])
  },
)

test('a header that is cut off is an error for those who read a field of it', () => {
  const batch = aBatch().subarray(0, 59)
  expect(() => recordCountAt(batch, 0)).toThrow(RangeError)
  expect(() => patchBaseOffset(batch, 56, 1)).toThrow(RangeError)
})

test('a batch size below the size of the header is not accepted', () => {
  const batch = aBatch()
  expect(batchSizeAt(batch, 0)).toBe(batch.length)
  expect(batchSizeAt(batch, batch.length - 4)).toBeUndefined()
  expect(
    batchSizeAt(
      patched(batch, (view) => view.setInt32(8, 3)),
      0,
    ),
  ).toBeUndefined()
})

test('records that lie about their sizes are rejected', () => {
  const batch = aBatch()
  fc.assert(
    fc.property(fc.integer({ min: 61, max: batch.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const broken = batch.slice()
      broken[at] = value
      try {
        const read = [...readRecords(broken, 0, nodeCodecs, 1_000)]
        expect(read).toHaveLength(readBatchHeader(batch, 0).recordCount)
      } catch (error) {
        expect(error).toMatchObject({ name: 'ProtocolError' })
      }
    }),
    { numRuns: 500 },
  )
})

test('a negative length of a key or a value is a null, as Kafka reads it', () => {
  const none = { offsetDelta: 0, timestamp: 1, key: null, value: null, headers: [] }
  const batch = buildBatch({ baseTimestamp: 1, records: [none] }, crc32c)
  // After the header: the record's length, attributes, two deltas, then the lengths of the key and the value, where 1 is -1.
  expect([...batch.subarray(65, 67)]).toEqual([1, 1])
  batch.set([3, 0x7f], 65)
  expect([...readRecords(batch, 0, nodeCodecs, 1_000)]).toEqual([none])
})

test.each(codecNames.filter((codec) => codec !== 'none'))(
  '%s: a decompression bomb is rejected, and arbitrary bytes are rejected or unpacked within the limit',
  (codec) => {
    const bomb = compress(codec, new Uint8Array(8 * 1024 * 1024), nodeCodecs)
    expect(() => decompress(codec, bomb, nodeCodecs, 1024 * 1024)).toThrow(expect.objectContaining({ name: 'ProtocolError' }))
    expect(decompress(codec, bomb, nodeCodecs, 8 * 1024 * 1024)).toHaveLength(8 * 1024 * 1024)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, cut) => {
        const given = cut ? bomb.subarray(0, Math.min(bomb.length - 1, noise.length)) : noise
        try {
          expect(decompress(codec, given, nodeCodecs, 1_000).length).toBeLessThanOrEqual(1_000)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }),
    )
  },
)

test('the codecs still work after they have rejected a bomb', () => {
  for (const codec of codecNames) {
    const packed = compress(codec, new TextEncoder().encode('still here'), nodeCodecs)
    expect(new TextDecoder().decode(decompress(codec, packed, nodeCodecs, 100))).toBe('still here')
  }
})

test('several gzip members or zstd frames one after another are unpacked together', () => {
  for (const codec of ['gzip', 'zstd'] as const) {
    const [one, two] = ['one ', 'two'].map((word) => compress(codec, new TextEncoder().encode(word), nodeCodecs))
    const both = Buffer.concat([one ?? Buffer.alloc(0), two ?? Buffer.alloc(0)])
    expect(new TextDecoder().decode(decompress(codec, both, nodeCodecs, 100))).toBe('one two')
  }
})

test('snappy is read with and without the framing of snappy-java', () => {
  const raw = nodeCodecs.snappyBlock.compress(new TextEncoder().encode('no frame'))
  expect(new TextDecoder().decode(decompress('snappy', raw, nodeCodecs, 100))).toBe('no frame')
  const framed = compress('snappy', new Uint8Array(100_000).fill(3), nodeCodecs)
  expect([...framed.subarray(0, 8)]).toEqual([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
  expect(decompress('snappy', framed, nodeCodecs, 100_000)).toEqual(new Uint8Array(100_000).fill(3))
})

test('the unpacked size of an LZ4 frame is computed exactly', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.integer({ min: 1, max: 50 }), (part, times) => {
      const whole = Buffer.concat(Array.from({ length: times }, () => part))
      expect(lz4FrameSize(nodeCodecs.lz4Frame.compress(whole), 1_000_000)).toBe(whole.length)
    }),
  )
})

test('an LZ4 frame that other readers accept, but not the Java client, is detected by its header', () => {
  const frame = Buffer.from(compress('lz4', new TextEncoder().encode('an LZ4 frame'), nodeCodecs))
  expect(packedProblem('lz4', frame)).toBeUndefined()
  const skippable = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]
  expect(packedProblem('lz4', Uint8Array.from([...skippable, ...frame]))).toMatch(/not compressed with lz4/)
  expect(packedProblem('lz4', frame.subarray(0, 4))).toMatch(/truncated/)
  frame[4] = 0x40
  expect(packedProblem('lz4', frame)).toMatch(/linked blocks/)
})

test('CRC-32C is that of RFC 3720, in one call or in several', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe306_9283)
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (first, second) => {
      expect(crc32c(second, crc32c(first))).toBe(crc32c(Buffer.concat([first, second])))
    }),
  )
})

function aBatch(): Uint8Array {
  const record = (offsetDelta: number): DecodedRecord => ({
    offsetDelta,
    timestamp: 1_000,
    key: null,
    value: Uint8Array.of(1, 2, 3),
    headers: [],
  })
  return buildBatch({ baseTimestamp: 1_000, records: [record(0), record(1)] }, crc32c)
}

function patched(batch: Uint8Array, patch: (view: DataView) => void): Uint8Array {
  const copy = batch.slice()
  patch(new DataView(copy.buffer))
  return copy
}

function plain(record: DecodedRecord): unknown {
  const list = (value: Uint8Array | null): unknown => (value === null ? null : [...value])
  return {
    ...record,
    key: list(record.key),
    value: list(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: list(value) })),
  }
}
