// The records of one request: the partition of each, and when the chunk is full.
import { partitionOfKey } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { type ChunkLimits, RecordChunk } from './record-chunk.ts'

const roomy: ChunkLimits = { batchBytes: 1_000, chunkBytes: 2_000, recordCount: 100 }

function aRecord({
  key = null,
  size = 10,
  partition,
}: {
  readonly key?: string | null
  readonly size?: number
  readonly partition?: number
} = {}) {
  return { partition, timestamp: undefined, key: key === null ? null : Buffer.from(key), value: Buffer.alloc(size), headers: [] }
}

function aChunk({
  limits = roomy,
  keylessPartition = 0,
}: {
  readonly limits?: ChunkLimits
  readonly keylessPartition?: number
} = {}): RecordChunk {
  return new RecordChunk({ limits, partitionCount: 4, keylessPartition })
}

test('the named partition, otherwise that of the key, otherwise one partition for all records without a key', () => {
  const chunk = aChunk({ keylessPartition: 7 })
  for (const record of [aRecord({ partition: 2, key: 'k' }), aRecord({ key: 'k' }), aRecord({ key: '' }), aRecord(), aRecord()])
    chunk.add(record, 1)
  expect(chunk.records.map(({ partition }) => partition)).toEqual([
    2,
    partitionOfKey(Buffer.from('k'), 4),
    partitionOfKey(Buffer.from(''), 4),
    3,
    3,
  ])
})

test('the bytes of one partition, all bytes or the record count fill the chunk', () => {
  const perPartition = aChunk()
  expect([400, 400, 400].map((size) => perPartition.add(aRecord({ size, partition: 0 }), 1))).toEqual(['taken', 'taken', 'full'])
  expect(perPartition.add(aRecord({ size: 400, partition: 1 }), 1)).toBe('taken')
  const inAll = aChunk()
  expect([0, 1, 2].map((partition) => inAll.add(aRecord({ size: 800, partition }), 1))).toEqual(['taken', 'taken', 'full'])
  const inNumber = aChunk({ limits: { ...roomy, recordCount: 2 } })
  expect([1, 1, 1].map((size) => inNumber.add(aRecord({ size }), 1))).toEqual(['taken', 'taken', 'full'])
})

test('a record that is larger than any chunk goes alone', () => {
  const chunk = aChunk()
  expect(chunk.add(aRecord({ size: 5_000 }), 1)).toBe('taken')
  expect(chunk.add(aRecord(), 2)).toBe('full')
})
