// The records read from a Fetch answer: batches arrive whole, and the reader returns only committed, requested records without markers.
import { nodeCodecs } from '@local-kafka-service/agent/codecs'
import { attributeBits, batchLayout, buildBatch, type CodecName, codecNames, crc32c } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { fetchedRecords } from './fetched-records.ts'
import { blockOf } from './partition-reader.ts'

const transactional = 1 << 4
const control = 1 << 5
const { logAppendTime } = attributeBits

interface BatchOptions {
  readonly records?: number
  readonly lastOffset?: number
  readonly producer?: number
  readonly attributes?: number
  readonly key?: Uint8Array
  readonly codec?: CodecName
}

/** One record per offset from `first` on, whose value is its offset; timestamps begin at 1000, under LogAppendTime 9000. */
function aBatch(
  first: number,
  { records = 1, lastOffset = first + records - 1, producer = -1, attributes = 0, key, codec = 'none' }: BatchOptions = {},
) {
  const built = buildBatch(
    {
      baseTimestamp: 1_000,
      baseOffset: first,
      attributes,
      producer: { id: producer, epoch: 0, baseSequence: 0 },
      compression: { codec, codecs: nodeCodecs },
      records: Array.from({ length: records }, (_, offsetDelta) => ({
        offsetDelta,
        timestamp: 1_000 + offsetDelta,
        key: key ?? null,
        value: Buffer.from(String(first + offsetDelta)),
        headers: [],
      })),
    },
    crc32c,
  )
  const view = new DataView(built.buffer, built.byteOffset)
  view.setInt32(batchLayout.lastOffsetDelta, lastOffset - first)
  if ((attributes & logAppendTime) !== 0) view.setBigInt64(batchLayout.maxTimestamp, 9_000n)
  return withChecksum(built)
}

function withChecksum(batch: Uint8Array): Uint8Array {
  new DataView(batch.buffer, batch.byteOffset).setUint32(batchLayout.crc, crc32c(batch.subarray(batchLayout.attributes)))
  return batch
}

/** A batch that names a codec but has uncompressed bytes; length, count and checksum are right. */
function rubbish(first: number, codec: CodecName, records = 3): Uint8Array {
  const batch = Buffer.concat([aBatch(first, { records }).subarray(0, batchLayout.records), Buffer.from('these are uncompressed bytes')])
  batch.writeInt32BE(batch.length - batchLayout.leaderEpoch, batchLayout.length)
  batch.writeInt16BE(codecNames.indexOf(codec), batchLayout.attributes)
  return withChecksum(batch)
}

function marker(offset: number, producer: number, type: 'commit' | 'abort'): Uint8Array {
  return aBatch(offset, { producer, attributes: transactional | control, key: Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]) })
}

function inTransaction(first: number, producer: number, records = 1): Uint8Array {
  return aBatch(first, { records, producer, attributes: transactional })
}

function fetched(batches: readonly Uint8Array[] | null, from = 0, aborted: readonly (readonly [producer: number, first: number])[] = []) {
  return fetchedRecords(
    {
      records: batches === null ? null : Buffer.concat(batches),
      abortedTransactions: aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset })),
    },
    { topic: 't', partition: 0, from: BigInt(from) },
  )
}

function read(
  batches: readonly Uint8Array[] | null,
  { from = 0, aborted = [] }: { readonly from?: number; readonly aborted?: readonly (readonly [producer: number, first: number])[] } = {},
) {
  const { records: found, next } = fetched(batches, from, aborted)
  return { offsets: found.map(({ offset }) => Number(offset)), next: Number(next) }
}

test('a batch arrives whole, and only the requested records are returned', () => {
  expect(read([aBatch(10, { records: 5 })], { from: 12 })).toEqual({ offsets: [12, 13, 14], next: 15 })
})

test('an empty answer leaves the position', () => {
  expect(read([], { from: 7 })).toEqual({ offsets: [], next: 7 })
  expect(read(null, { from: 7 })).toEqual({ offsets: [], next: 7 })
})

test('markers and offsets removed by compaction are skipped, also at the end', () => {
  expect(read([aBatch(0, { records: 1, lastOffset: 9 }), inTransaction(10, 1), marker(11, 1, 'commit')])).toEqual({
    offsets: [0, 10],
    next: 12,
  })
})

test('aborted transactions are left out, and records around them are not', () => {
  const batches = [
    inTransaction(0, 1, 2),
    inTransaction(2, 2),
    marker(3, 1, 'abort'),
    marker(4, 2, 'commit'),
    inTransaction(5, 1),
    marker(6, 1, 'commit'),
    aBatch(7),
  ]
  expect(read(batches, { aborted: [[1, 0]] })).toEqual({ offsets: [2, 5, 7], next: 8 })
})

test('two aborted transactions of one producer, with a committed one between them', () => {
  const batches = [
    inTransaction(0, 1),
    marker(1, 1, 'abort'),
    inTransaction(2, 1),
    marker(3, 1, 'commit'),
    inTransaction(4, 1),
    marker(5, 1, 'abort'),
  ]
  const aborted = [[1, 4] as const, [1, 0] as const]
  expect(read(batches, { aborted })).toEqual({ offsets: [2], next: 6 })
})

test('an aborted transaction whose marker is not in this answer is also left out', () => {
  expect(read([inTransaction(0, 1), aBatch(1)], { aborted: [[1, 0]] })).toEqual({ offsets: [1], next: 2 })
})

test('a transaction that began before this answer is recognised by its producer', () => {
  expect(read([inTransaction(8, 1), marker(9, 1, 'abort'), inTransaction(10, 1)], { from: 8, aborted: [[1, 3]] })).toEqual({
    offsets: [10],
    next: 11,
  })
})

test('with LogAppendTime the time of a record is that of its batch', () => {
  const at = (attributes: number) => fetched([aBatch(0, { records: 2, attributes })]).records.map(({ timestamp }) => timestamp)
  expect(at(0)).toEqual([1_000n, 1_001n])
  expect(at(logAppendTime)).toEqual([9_000n, 9_000n])
})

test('a batch that is truncated at the end of an answer is read from the next answer', () => {
  const whole = aBatch(0, { records: 2 })
  for (const length of [whole.length - 1, 61, 17, 12, 3]) {
    expect(read([whole, aBatch(2).subarray(0, Math.min(length, aBatch(2).length - 1))])).toEqual({ offsets: [0, 1], next: 2 })
  }
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'C5: a batch that is not valid %s ends the reading before it, and is named',
  (codec) => {
    const { records, next, unreadable } = fetched([aBatch(0, { records: 2, codec }), rubbish(2, codec), aBatch(5)])
    expect(records.map(({ offset }) => offset)).toEqual([0n, 1n])
    expect(next).toBe(2n)
    expect(unreadable).toMatchObject({ firstOffset: 2n, lastOffset: 4n, codec })
    expect(unreadable?.why.toLowerCase()).toContain(codec)
  },
)

test('C5: so does a batch with a wrong checksum, invalid records, an unknown codec or an older format', () => {
  const flipped = aBatch(2)
  flipped[flipped.length - 1] = 0x55
  const unknown = aBatch(2)
  unknown[22] = 5
  const older = aBatch(2)
  older[16] = 1
  const found = [flipped, rubbish(2, 'none'), withChecksum(unknown), older].map((batch) => fetched([aBatch(0, { records: 2 }), batch]))
  expect(found.map(({ next }) => next)).toEqual([2n, 2n, 2n, 2n])
  expect(found.map(({ unreadable }) => unreadable?.firstOffset)).toEqual([2n, 2n, 2n, 2n])
  expect(found.map(({ unreadable }) => unreadable?.codec)).toEqual(['none', 'none', 'codec 5', 'none'])
  expect(found[0]?.unreadable?.why).toContain('checksum')
  expect(found[3]?.unreadable?.why).toContain('format 1')
})

test('C5: an unreadable batch does not affect a reader that begins after it', () => {
  expect(read([rubbish(0, 'gzip'), aBatch(3, { records: 2 })], { from: 3 })).toEqual({ offsets: [3, 4], next: 5 })
})

test('C14: a block ends where its reading ends, in the middle of a batch', () => {
  const reading = { topic: 't', partition: 0, position: 0n, notBefore: 0n, until: 3n }
  const block = blockOf(reading, { records: aBatch(0, { records: 8 }), abortedTransactions: null })
  expect(block.records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
  expect(block.next).toBe(3n)
})
