// The properties of merged pages of records.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogRecord } from './log-record.ts'
import { mergePages, type Page, recordMatcher, sizeOf } from './record-pages.ts'

const aRecord = (parts: Partial<LogRecord>): LogRecord => ({
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: null,
  value: Buffer.from('v'),
  headers: [],
  ...parts,
})
const aPage = (records: readonly LogRecord[], next: number): Page => ({ records, sizes: records.map(sizeOf), unreadable: [], next })
const unbounded = { maxRecords: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER }

/** Pages of some partitions with any timestamps, in any order. */
const pages = fc.array(fc.array(fc.nat({ max: 20 }), { maxLength: 10 }), { maxLength: 6 }).map((partitions) =>
  partitions.map(
    (timestamps, partition): Page =>
      aPage(
        timestamps.map((timestamp, offset) => aRecord({ partition, offset, timestamp })),
        timestamps.length + 3,
      ),
  ),
)

test('merging neither loses nor duplicates a record, and keeps the order of each partition', () => {
  fc.assert(
    fc.property(pages, (given) => {
      const { records, next } = mergePages(given, unbounded)
      for (const [partition, page] of given.entries()) {
        expect(records.filter((record) => record.partition === partition)).toEqual(page.records)
        expect(next[partition]).toBe(page.next)
      }
    }),
  )
})

test('a merge that goes on from the positions of another returns the rest', () => {
  fc.assert(
    fc.property(pages, fc.integer({ min: 1, max: 7 }), (given, maxRecords) => {
      const whole = mergePages(given, unbounded).records
      const pieces: LogRecord[] = []
      let left = given
      for (;;) {
        const { records, next } = mergePages(left, { ...unbounded, maxRecords })
        if (records.length === 0) break
        pieces.push(...records)
        left = left.map((page, index) => ({ ...page, records: page.records.filter(({ offset }) => offset >= (next[index] ?? 0)) }))
      }
      expect(pieces).toEqual(whole)
    }),
  )
})

test('between partitions with rising timestamps the result is sorted by time', () => {
  fc.assert(
    fc.property(pages, (given) => {
      const rising = given.map((page) => ({
        ...page,
        records: page.records
          .map(({ timestamp }) => timestamp)
          .toSorted((a, b) => a - b)
          .map((timestamp, offset) => aRecord({ partition: 0, offset, timestamp })),
      }))
      const stamps = mergePages(rising, unbounded).records.map(({ timestamp }) => timestamp)
      expect(stamps).toEqual(stamps.toSorted((a, b) => a - b))
    }),
  )
})

test('the first record is returned however large it is; the byte limit applies to the others', () => {
  const page = aPage([aRecord({ offset: 0, value: Buffer.alloc(100) }), aRecord({ offset: 1 })], 2)
  expect(mergePages([page], { maxRecords: 10, maxBytes: 10 })).toEqual({ records: [page.records[0]], bytes: 100, next: [1] })
})

test('the size of a record counts its key, value and headers', () => {
  expect(sizeOf(aRecord({ key: Buffer.from('ab'), value: null, headers: [{ key: 'h', value: Buffer.from('xyz') }] }))).toBe(6)
})

test('a filter matches an equal key, not a null one, and a time at or after since and before until', () => {
  const matches = recordMatcher({ key: Buffer.from('k'), since: 5, until: 7 })
  const k = Buffer.from('k')
  expect([4, 5, 6, 7].map((timestamp) => matches(aRecord({ key: k, timestamp })))).toEqual([false, true, true, false])
  expect(matches(aRecord({ key: null, timestamp: 5 }))).toBe(false)
  expect(matches(aRecord({ key: Buffer.from('kk'), timestamp: 5 }))).toBe(false)
  expect(recordMatcher({ key: new Uint8Array(0) })(aRecord({ key: null }))).toBe(false)
  expect(recordMatcher({})(aRecord({}))).toBe(true)
})
