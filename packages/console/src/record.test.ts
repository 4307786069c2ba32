// What a record's bytes are, and how they are shown.
import { expect, test } from 'vitest'
import { contentsOf, preview } from './record.ts'

test('JSON is laid out, and keeps the digits of its numbers and the escapes of its strings', () => {
  const contents = contentsOf('{"id":9007199254740993,"a":[],"b":{},"s":"a\\"}{,:\\u00e9","n":[1,{"x":null}]}', undefined)
  expect(contents).toMatchObject({
    kind: 'json',
    pretty: `{
  "id": 9007199254740993,
  "a": [],
  "b": {},
  "s": "a\\"}{,:\\u00e9",
  "n": [
    1,
    {
      "x": null
    }
  ]
}`,
  })
})

test.each(['plain', '{not json', '12', '"text"', ''])('%s is text', (text) => {
  expect(contentsOf(text, undefined)).toEqual({ kind: 'text', text })
})

test('bytes that are not UTF-8 are shown as hex, 16 a line, with what can be read beside them', () => {
  const contents = contentsOf(btoa('\x00\xffABCDEFGHIJKLMNO'), 'base64')
  expect(contents).toMatchObject({ kind: 'binary', sizeBytes: 17 })
  expect(contents.kind === 'binary' && contents.hex.split('\n')).toEqual([
    '000000  00 ff 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e  ..ABCDEFGHIJKLMN',
    '000010  4f                                               O',
  ])
})

test('a tombstone has no contents, and a preview is one line', () => {
  expect(contentsOf(null, undefined)).toEqual({ kind: 'null' })
  expect(preview(contentsOf('a\n  b', undefined))).toBe('a b')
})
