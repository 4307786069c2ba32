// What is read of a Fetch answer: whole batches come, and of them only what is committed, asked for, and no marker.
import { expect, test } from 'vitest'
import { fetchedRecords } from './fetched-records.ts'

type Fetched = Parameters<typeof fetchedRecords>[0]
type Batch = NonNullable<Fetched['records']>[number]

const transactional = 1 << 4
const control = 1 << 5
const logAppendTime = 1 << 3

/** One record per offset from `first` on, each with its offset as its value. */
function aBatch(
  first: number,
  {
    records = 1,
    lastOffset = first + records - 1,
    producer = -1,
    attributes = 0,
  }: { readonly records?: number; readonly lastOffset?: number; readonly producer?: number; readonly attributes?: number } = {},
): Batch {
  return {
    firstOffset: BigInt(first),
    lastOffsetDelta: lastOffset - first,
    attributes,
    producerId: BigInt(producer),
    firstTimestamp: 1_000n,
    maxTimestamp: 9_000n,
    length: 0,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    producerEpoch: 0,
    firstSequence: 0,
    records: Array.from({ length: records }, (_, index) => ({
      length: 0,
      attributes: 0,
      offsetDelta: index,
      timestampDelta: BigInt(index),
      key: null,
      value: Buffer.from(String(first + index)),
      headers: [],
    })),
  }
}

function marker(offset: number, producer: number, type: 'commit' | 'abort'): Batch {
  const batch = aBatch(offset, { producer, attributes: transactional | control })
  return { ...batch, records: batch.records.map((record) => ({ ...record, key: Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]) })) }
}

function inTransaction(first: number, producer: number, records = 1): Batch {
  return aBatch(first, { records, producer, attributes: transactional })
}

function read(
  records: Batch[] | null,
  { from = 0, aborted = [] }: { readonly from?: number; readonly aborted?: readonly (readonly [producer: number, first: number])[] } = {},
) {
  const abortedTransactions = aborted.map(([producer, first]) => ({ producerId: BigInt(producer), firstOffset: BigInt(first) }))
  const { records: found, next } = fetchedRecords({ records, abortedTransactions }, { topic: 't', partition: 0, from: BigInt(from) })
  return { offsets: found.map(({ offset }) => Number(offset)), next: Number(next) }
}

test('a batch is sent whole, and of it only what was asked for is read', () => {
  expect(read([aBatch(10, { records: 5 })], { from: 12 })).toEqual({ offsets: [12, 13, 14], next: 15 })
})

test('nothing came: the position stays', () => {
  expect(read([], { from: 7 })).toEqual({ offsets: [], next: 7 })
  expect(read(null, { from: 7 })).toEqual({ offsets: [], next: 7 })
})

test('markers and offsets that compaction took are passed over, also at the end', () => {
  expect(read([aBatch(0, { records: 1, lastOffset: 9 }), inTransaction(10, 1), marker(11, 1, 'commit')])).toEqual({
    offsets: [0, 10],
    next: 12,
  })
})

test('aborted transactions are left out, those around them are not', () => {
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

test('an aborted transaction whose marker is not in this answer is left out, too', () => {
  expect(read([inTransaction(0, 1), aBatch(1)], { aborted: [[1, 0]] })).toEqual({ offsets: [1], next: 2 })
})

test('a transaction that began before this answer is known by its producer', () => {
  expect(read([inTransaction(8, 1), marker(9, 1, 'abort'), inTransaction(10, 1)], { from: 8, aborted: [[1, 3]] })).toEqual({
    offsets: [10],
    next: 11,
  })
})

test('with LogAppendTime the time of a record is that of its batch', () => {
  const at = (attributes: number) =>
    fetchedRecords(
      { records: [aBatch(0, { records: 2, attributes })], abortedTransactions: null },
      { topic: 't', partition: 0, from: 0n },
    ).records.map(({ timestamp }) => timestamp)
  expect(at(0)).toEqual([1_000n, 1_001n])
  expect(at(logAppendTime)).toEqual([9_000n, 9_000n])
})
