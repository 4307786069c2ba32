// Records as JSON, even if their bytes are not text.
import { expect, test } from 'vitest'
import { recordJson } from './record-json.ts'

const aRecord = (parts: Partial<Parameters<typeof recordJson>[0]>): Parameters<typeof recordJson>[0] => ({
  partition: 3,
  offset: 5,
  timestamp: 7,
  key: null,
  value: null,
  headers: [],
  ...parts,
})

test('UTF-8 is text, even with a NUL, an emoji and a byte order mark', () => {
  const text = '\ufeffa\0ü🙂'
  const json = recordJson(aRecord({ key: Buffer.from('k'), value: Buffer.from(text) }))
  expect(json).toEqual({ partition: 3, offset: 5, timestamp: 7, key: 'k', value: text, headers: [] })
})

test('keys, values and headers that are not UTF-8 are base64, and are marked', () => {
  const bytes = Uint8Array.of(0xff, 0x00)
  const json = recordJson(aRecord({ key: bytes, value: bytes, headers: [{ key: 'h', value: bytes }] }))
  expect(json).toMatchObject({
    key: '/wA=',
    keyEncoding: 'base64',
    value: '/wA=',
    valueEncoding: 'base64',
    headers: [{ key: 'h', value: '/wA=', valueEncoding: 'base64' }],
  })
})

test('a truncated UTF-8 character and a lone surrogate are base64: text would change them', () => {
  expect(recordJson(aRecord({ value: Uint8Array.of(0xe2, 0x82) })).valueEncoding).toBe('base64')
  expect(recordJson(aRecord({ value: Uint8Array.of(0xed, 0xa0, 0x80) })).valueEncoding).toBe('base64')
})

test('null and empty differ', () => {
  expect(recordJson(aRecord({ key: null, value: new Uint8Array(0) }))).toMatchObject({ key: null, value: '' })
})
