// A record on a terminal: one line without control characters.
import { expect, test } from 'vitest'
import type { ConsumedRecord } from './consumed-record.ts'
import { bytesView, recordView, timeView } from './record-view.ts'

const record: ConsumedRecord = {
  topic: 'orders',
  partition: 0,
  offset: 42n,
  timestamp: 1_700_000_000_123n,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [],
}

test('the line has position, time, key, value and headers', () => {
  expect(recordView(record)).toBe('orders[0]@42  2023-11-14T22:13:20.123Z  k   v')
  const headers = [
    { key: Buffer.from('a'), value: Buffer.from('1') },
    { key: Buffer.from('n'), value: null },
  ]
  expect(recordView({ ...record, key: null, value: null, headers })).toBe('orders[0]@42  2023-11-14T22:13:20.123Z  (tombstone)  {a=1, n}')
})

test('bytes that are not UTF-8 are hex, and control characters are escaped', () => {
  expect(bytesView(Buffer.from([0xff, 0x00]))).toBe('0xff00')
  expect(bytesView(Buffer.from('a\nb\tc\r\x1b[2J\u202e ü\u{1f600}'))).toBe('a\\nb\\tc\\r\\u{1b}[2J\\u{202e} ü\u{1f600}')
})

test('a missing or invalid timestamp is shown as its number', () => {
  expect(timeView(-1n)).toBe('-1')
  expect(timeView(2n ** 62n)).toBe(String(2n ** 62n))
})
