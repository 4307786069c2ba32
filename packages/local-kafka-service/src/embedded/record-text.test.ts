// The text of bytes and records for people.
import { expect, test } from 'vitest'
import { counted } from '../counted.ts'
import { bytesText, durationText, recordText } from './record-text.ts'

test.each([
  ['text is quoted, with control characters escaped', Buffer.from('a "b"\n'), '"a \\"b\\"\\n"'],
  [
    'a control character does not reach the terminal',
    Buffer.from('red \u009b31m, then much more text'),
    '"red \\u009b31m, then much more text"',
  ],
  ['bytes that are not UTF-8 are hexadecimal', Buffer.from([0xff, 0, 1]), '0xff0001 (3 B)'],
  ['UTF-8 that is not text is hexadecimal', Buffer.from([0, 0, 0, 1]), '0x00000001 (4 B)'],
  ['null is null', null, 'null'],
  ['an empty value is an empty text', Buffer.alloc(0), '""'],
  ['long text is cut', Buffer.from('x'.repeat(1_000)), `"${'x'.repeat(28)}…" (1000 B)`],
  ['long hexadecimal is cut, too', Buffer.alloc(1_000, 0xfe), `0x${'fe'.repeat(14)}… (1000 B)`],
])('%s', (_rule, bytes, shown) => {
  expect(bytesText(bytes, 40)).toBe(shown)
})

test('text is cut neither inside an escape nor inside a surrogate pair', () => {
  expect(bytesText(Buffer.from('😀'.repeat(50)), 31)).toMatch(/^"(😀)+…" \(200 B\)$/u)
  expect(bytesText(Buffer.from(`abcdefghijk${'\u0001'}${'y'.repeat(100)}`), 24)).not.toMatch(/\\(u[0-9a-f]{0,3})?…/)
})

test('a record is on one line of a terminal', () => {
  const record = {
    topic: 'orders',
    partition: 0,
    offset: 12,
    key: Buffer.from('42'),
    value: Buffer.from(JSON.stringify({ text: 'x'.repeat(500) })),
  }
  expect(recordText(record)).toMatch(/^orders\[0\] @12 {2}key "42" {2}value "\{\\"text\\":\\"x+…" \(511 B\)$/)
  expect(recordText(record).length).toBeLessThanOrEqual(78)
  expect(recordText({ ...record, key: null, value: null })).toBe('orders[0] @12  value null')
})

test('numbers', () => {
  expect([counted(1, 'record'), counted(2, 'record')]).toEqual(['1 record', '2 records'])
  expect([durationText(4_000), durationText(250), durationText(1_234)]).toEqual(['4 s', '250 ms', '1234 ms'])
})
