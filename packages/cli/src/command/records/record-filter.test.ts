// The records that --grep selects.
import { expect, test } from 'vitest'
import { parseFilter } from './record-filter.ts'

function keeps(text: string, key: string | null, value: string | Buffer | null): boolean {
  const parsed = parseFilter(text)
  if (parsed.kind === 'wrong') throw new Error(parsed.why)
  return parsed.keeps({ key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value) })
}

test('plain text, in the key or in the value, every character of it', () => {
  expect(keeps('{"a', null, '[{"a":1}]')).toBe(true)
  expect(keeps('a.c', 'xa.cx', null)).toBe(true)
  expect(keeps('a.c', null, 'abc')).toBe(false)
  expect(keeps('a', null, null)).toBe(false)
  expect(keeps('ü', null, Buffer.from([0xff, 0xc3, 0xbc, 0xff]))).toBe(true)
  expect(keeps('/path', null, '/path/to')).toBe(true)
})

test('a regular expression between slashes, with its flags, and the same for every record', () => {
  expect(keeps('/a.c/', null, 'abc')).toBe(true)
  expect(keeps('/A.C/', null, 'abc')).toBe(false)
  expect(keeps('/A.C/i', null, 'abc')).toBe(true)
  const parsed = parseFilter('/a/g')
  if (parsed.kind === 'wrong') throw new Error(parsed.why)
  const record = { key: null, value: Buffer.from('ba') }
  expect([parsed.keeps(record), parsed.keeps(record), parsed.keeps(record)]).toEqual([true, true, true])
})

test('an empty text and an invalid regular expression are rejected with a reason', () => {
  expect(parseFilter('')).toEqual({ kind: 'wrong', why: 'there is no text to look for' })
  expect(parseFilter('/(/')).toMatchObject({ kind: 'wrong', why: expect.stringContaining('Unterminated group') })
  expect(parseFilter('/a/q')).toMatchObject({ kind: 'wrong', why: expect.stringContaining('flags') })
})
