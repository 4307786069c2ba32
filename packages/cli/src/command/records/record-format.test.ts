// kcat's format strings print what kcat prints.
import { expect, test } from 'vitest'
import type { ConsumedRecord } from './consumed-record.ts'
import { formatted, parseFormat } from './record-format.ts'

const record: ConsumedRecord = {
  topic: 'orders',
  partition: 3,
  offset: 42n,
  timestamp: 1_700_000_000_123n,
  key: Buffer.from('k'),
  value: Buffer.from([0xff, 0x00, 0x0a]),
  headers: [
    { key: Buffer.from('a'), value: Buffer.from('1') },
    { key: Buffer.from('e'), value: Buffer.alloc(0) },
    { key: Buffer.from('n'), value: null },
  ],
}
const tombstone: ConsumedRecord = { ...record, key: null, value: null, headers: [] }

function printed(format: string, of = record): string {
  const parsed = parseFormat(format)
  if (parsed.kind === 'wrong') throw new Error(parsed.why)
  return Buffer.concat(formatted(parsed.parts, of)).toString('latin1')
}

test.each([
  ['%t[%p]@%o %T', 'orders[3]@42 1700000000123'],
  ['%k:%K %S', 'k:1 3'],
  ['%s', '\xff\x00\n'],
  ['%R', '\0\0\0\x03'],
  ['%h', 'a=1,e=,n=NULL'],
  ['100%%', '100%'],
  ['a\\tb\\nc\\rd', 'a\tb\nc\rd'],
  ['\\x41\\x7a1\\xZ', 'Az1xZ'],
  ['\\033[0m', '\x1b[0m'],
  ['\\65\\0', 'A\0'],
  ['\\\\n\\q', '\\nq'],
  ['ü%p', Buffer.from('ü3').toString('latin1')],
  ['', ''],
  ['end\\', 'end'],
])('%s', (format, expected) => {
  expect(printed(format)).toBe(expected)
})

test('null has length -1 and an empty value has length 0; both print nothing', () => {
  expect(printed('[%k|%K|%s|%S|%h]', tombstone)).toBe('[|-1||-1|]')
  expect(printed('%R', tombstone)).toBe('\xff\xff\xff\xff')
  expect(printed('[%s|%S]', { ...record, value: Buffer.alloc(0) })).toBe('[|0]')
})

test('a value is printed from the received bytes, not from a copy', () => {
  const parsed = parseFormat('%s')
  if (parsed.kind === 'wrong') throw new Error(parsed.why)
  expect(formatted(parsed.parts, record)[0]).toBe(record.value)
})

test.each([
  ['%q', '%q is not a known field; use %t %p %o %T %k %K %s %S %R %h and %%'],
  ['%😀', '%😀 is not a known field; use %t %p %o %T %k %K %s %S %R %h and %%'],
  ['x%', 'the format ends with a single %; %% prints one'],
  ['\\400', '\\400 is not a valid byte: it is above 255'],
  ['\\0777', '\\0777 is not a valid byte: it is above 255'],
])('%s is rejected with a reason', (format, why) => {
  expect(parseFormat(format)).toEqual({ kind: 'wrong', why })
})
