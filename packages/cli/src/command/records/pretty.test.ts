// Records over several lines: the JSON is the same, only easier to read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ConsumedRecord } from './consumed-record.ts'
import { prettyJson, prettyRecord } from './pretty.ts'
import { recordLine } from './record-json.ts'

const record: ConsumedRecord = {
  topic: 'orders',
  partition: 0,
  offset: 42n,
  timestamp: 1_700_000_000_123n,
  key: Buffer.from('k'),
  value: Buffer.from('{"id":12345678901234567890,"tags":["a",{}],"empty":[],"text":"{a: \\"b\\", c}"}'),
  headers: [{ key: Buffer.from('source'), value: Buffer.from('web') }],
}

test('a JSON value is indented, and its numbers keep their digits', () => {
  expect(prettyRecord(record)).toBe(`orders[0]@42  2023-11-14T22:13:20.123Z  k  {source=web}
  {
    "id": 12345678901234567890,
    "tags": [
      "a",
      {}
    ],
    "empty": [],
    "text": "{a: \\"b\\", c}"
  }`)
})

test.each([
  ['text', 'hello', '  hello'],
  ['text that begins like JSON', '{not json', '  {not json'],
  ['several lines', 'a\nb', '  a\\nb'],
  ['control characters in JSON', '{"a":"\u202e"}', '  {\n    "a": "\\u{202e}"\n  }'],
])('%s', (_name, value, shown) => {
  expect(prettyRecord({ ...record, value: Buffer.from(value), headers: [] })).toBe(`orders[0]@42  2023-11-14T22:13:20.123Z  k\n${shown}`)
})

test('a tombstone and binary values', () => {
  expect(prettyRecord({ ...record, value: null, key: null, headers: [] })).toBe('orders[0]@42  2023-11-14T22:13:20.123Z\n  (tombstone)')
  expect(prettyRecord({ ...record, value: Buffer.from([0xff]), headers: [] })).toMatch(/\n {2}0xff$/)
})

test('with --output json it is the same object', () => {
  const pretty = prettyJson(record)
  expect(pretty.split('\n').slice(0, 4)).toEqual(['{', '  "topic": "orders",', '  "partition": 0,', '  "offset": 42,'])
  expect(JSON.parse(pretty)).toEqual(JSON.parse(recordLine(record)))
})

test('whatever JSON it is, reading it again gives the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify({ value })
      const shown = prettyRecord({ ...record, value: Buffer.from(text) })
      // Format characters are escaped for the terminal, which JSON does not know.
      fc.pre(!/\p{Cf}|\p{Cc}|[\u2028\u2029]/u.test(text))
      expect(JSON.parse(shown.slice(shown.indexOf('\n')))).toEqual(JSON.parse(text))
    }),
  )
})
