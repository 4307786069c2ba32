// How a line becomes a record.
import { expect, test } from 'vitest'
import { type LineForm, parseHeader, recordOfLine } from './record-lines.ts'

const plain: LineForm = { json: false, key: undefined, keySeparator: undefined, headers: [], emptyIsNull: false }

/** `key|value`, with - for null. */
function read(line: string, form: Partial<LineForm>): string {
  const parsed = recordOfLine({ number: 1, bytes: Buffer.from(line) }, { ...plain, ...form })
  if (parsed.kind === 'wrong') return parsed.why
  return [parsed.record.key, parsed.record.value].map((part) => (part === null ? '-' : part.toString())).join('|')
}

const colon = { keySeparator: Buffer.from(':') }
test.each<readonly [line: string, form: Partial<LineForm>, record: string]>([
  ['a:b', {}, '-|a:b'],
  ['', {}, '-|'],
  ['', { emptyIsNull: true }, '-|-'],
  ['v', { key: Buffer.from('k') }, 'k|v'],
  ['a:b:c', colon, 'a|b:c'],
  [':b', colon, '|b'],
  ['a:', colon, 'a|'],
  ['a', colon, '-|a'],
  [':b', { ...colon, emptyIsNull: true }, '-|b'],
  ['a:', { ...colon, emptyIsNull: true }, 'a|-'],
  ['a=>b', { keySeparator: Buffer.from('=>') }, 'a|b'],
  ['v', { key: Buffer.from('') }, '|v'],
  ['{"key":"k","value":null}', { json: true }, 'k|-'],
  ['{', { json: true }, "it is not valid JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
])('%j', (line, form, record) => {
  expect(read(line, form)).toBe(record)
})

test('headers of the command line come after those of a JSON record', () => {
  const headers = [{ key: Buffer.from('b'), value: null }]
  const line = { number: 1, bytes: Buffer.from('{"value":"v","headers":[{"key":"a","value":"1"}]}') }
  const parsed = recordOfLine(line, { ...plain, json: true, headers })
  expect(parsed).toMatchObject({ record: { headers: [{ key: Buffer.from('a'), value: Buffer.from('1') }, ...headers] } })
})

test('a header is name=value; the name alone has no value', () => {
  expect(parseHeader('a=b=c')).toEqual({ kind: 'header', header: { key: Buffer.from('a'), value: Buffer.from('b=c') } })
  expect(parseHeader('a=')).toEqual({ kind: 'header', header: { key: Buffer.from('a'), value: Buffer.alloc(0) } })
  expect(parseHeader('a')).toEqual({ kind: 'header', header: { key: Buffer.from('a'), value: null } })
  expect(parseHeader('=b')).toEqual({ kind: 'wrong', why: '"=b" has no name before its =' })
})
