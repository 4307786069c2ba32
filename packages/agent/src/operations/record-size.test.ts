// The size of records as JSON, and records that are cut.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterEnd, cutRecord, jsonSizeOf } from './record-size.ts'

const aRecord = { partition: 0, offset: 0, timestamp: 0, key: null, headers: [] }

test('H3: the size of text is that of its JSON string without the quotes, the size of other bytes that of base64', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(jsonSizeOf({ ...aRecord, value: Buffer.from(text) })).toBe(Buffer.byteLength(JSON.stringify(Buffer.from(text).toString())) - 2)
    }),
  )
  const bytes = Buffer.of(0xff, 0, 1, 2)
  expect(jsonSizeOf({ ...aRecord, value: bytes })).toBe(bytes.toString('base64').length)
  expect(jsonSizeOf({ ...aRecord, value: Buffer.alloc(10) })).toBe(60)
})

test('H3: a cut record keeps the beginning of its parts in whole characters, and their original lengths', () => {
  const value = Buffer.from('🙂'.repeat(100_000)).subarray(0)
  const cut = cutRecord({ ...aRecord, key: Buffer.from('k'), value })
  expect(cut.key?.toString()).toBe('k')
  expect(cut.cut).toEqual({ valueBytes: 400_000 })
  expect(Buffer.from(cut.value ?? []).toString()).toBe('🙂'.repeat((64 * 1024) / 4))
  const headers = Array.from({ length: 1_000 }, () => ({ key: 'h', value: null }))
  expect(cutRecord({ ...aRecord, value: null, headers })).toMatchObject({ cut: { headerCount: 1_000 } })
})

test('a cut falls between two characters', () => {
  const bytes = Buffer.from('aü🙂')
  expect([1, 2, 3, 4, 6, 7, 100].map((maxBytes) => characterEnd(bytes, 0, maxBytes))).toEqual([1, 1, 3, 3, 3, 7, 7])
})
