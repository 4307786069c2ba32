// The walk over uncompressed records agrees with `readRecords`, and reports malformed records.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBatchHeader } from './batch.ts'
import { crc32c } from './crc32c.ts'
import { walkRecords } from './record-walk.ts'
import { buildBatch, type DecodedRecord } from './records.ts'

const recordsStart = 61
const bytes = fc.option(fc.uint8Array({ maxLength: 200 }))
const record = fc.record({
  timestamp: fc.integer({ min: -1, max: 2 ** 48 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: bytes }), { maxLength: 3 }),
})
const batches = fc.array(record, { minLength: 1, maxLength: 20 }).map((given) => {
  const records = given.map((one, offsetDelta): DecodedRecord => ({ ...one, offsetDelta }))
  return { records, batch: buildBatch({ baseTimestamp: given[0]?.timestamp ?? 0, records }, crc32c) }
})

test('C4: the timestamps of a batch are those of its records', () => {
  fc.assert(
    fc.property(batches, ({ records, batch }) => {
      const stamps = records.map(({ timestamp }) => timestamp).filter((timestamp) => timestamp !== -1)
      expect(walkRecords(batch, recordsStart, readBatchHeader(batch, 0))).toEqual({
        kind: 'ok',
        earliest: stamps.length === 0 ? -1 : Math.min(...stamps),
        latest: Math.max(-1, ...stamps),
        recordsWithoutKey: records.filter(({ key }) => key === null).length,
      })
    }),
  )
})

test('H7: a batch with a byte too few or too many, or with a wrong count, is malformed', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 30 }), ({ batch }, bytesOff) => {
      const header = readBatchHeader(batch, 0)
      const cut = batch.subarray(0, Math.max(recordsStart, batch.length - bytesOff))
      const longer = new Uint8Array(batch.length + bytesOff)
      longer.set(batch)
      for (const wrong of [cut, longer]) expect(walkRecords(wrong, recordsStart, header)).toMatchObject({ problem: 'malformed' })
      for (const recordCount of [header.recordCount - 1, header.recordCount + 1, 2 ** 31 - 1])
        expect(walkRecords(batch, recordsStart, { ...header, recordCount })).toMatchObject({ problem: 'malformed' })
    }),
  )
})

const one = { recordCount: 1, baseTimestamp: 1_000 }
test.each([
  ['a length below zero', [1]],
  ['no length', [0]],
  ['more bytes than there are', [100, 0, 0, 0, 1, 1, 0]],
  ['fewer bytes than it holds', [6, 0, 0, 0, 1, 1, 0]],
  ['an offset delta that is not its index', [12, 0, 0, 2, 1, 1, 0]],
  ['headers below zero', [12, 0, 0, 0, 1, 1, 1]],
  ['more headers than bytes', [14, 0, 0, 0, 1, 1, 0x80, 0x7d]],
  ['a header without a name', [16, 0, 0, 0, 1, 1, 2, 1, 1]],
  ['a varint of six bytes', [22, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 1, 0]],
  ['a timestamp of eleven bytes', [32, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0, 1, 1, 0]],
])('H7: a record with %s is malformed', (_what, given) => {
  expect(walkRecords(Uint8Array.from(given), 0, one)).toMatchObject({ kind: 'error', problem: 'malformed' })
})

test('a negative length is a null, as Kafka reads it, and a varint may have zeros in front', () => {
  expect(walkRecords(Uint8Array.from([0x8c, 0x80, 0x00, 0, 0, 0, 3, 5, 0]), 0, one)).toEqual({
    kind: 'ok',
    earliest: 1_000,
    latest: 1_000,
    recordsWithoutKey: 1,
  })
})

test('a timestamp beyond 2^53 and a malformed record are different errors', () => {
  const beyond = [30, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 1, 1, 0]
  expect(walkRecords(Uint8Array.from(beyond), 0, one)).toMatchObject({ kind: 'error', problem: 'timestamp' })
})
