// The size of records as JSON, and records that are cut.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../time/system-clock.ts'
import { Turns } from '../time/turns.ts'
import { characterEnd, cutRecord, jsonSizeOf, smallJsonSizeOf } from './record-size.ts'

const aRecord = { partition: 0, offset: 0, timestamp: 0, key: null, headers: [] }

test('H3: the size of text is that of its JSON string without the quotes, the size of other bytes that of base64', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
      const record = { ...aRecord, value: Buffer.from(text) }
      const size = Buffer.byteLength(JSON.stringify(Buffer.from(text).toString())) - 2
      expect(smallJsonSizeOf(record)).toBe(size)
      expect(await jsonSizeOf(record, new Turns(systemClock).slice())).toBe(size)
    }),
  )
  const bytes = Buffer.of(0xff, 0, 1, 2)
  expect(smallJsonSizeOf({ ...aRecord, value: bytes })).toBe(bytes.toString('base64').length)
  expect(smallJsonSizeOf({ ...aRecord, value: Buffer.alloc(10) })).toBe(60)
})

test('H2: a large record is measured in slices, and only as far as needed', async () => {
  let turns = 0
  const slice = { spent: () => true, next: async () => void (turns += 1) }
  const record = { ...aRecord, key: Buffer.from('k'), value: Buffer.alloc(100_000, '"'), headers: [{ key: 'h', value: Buffer.from('"') }] }
  expect(smallJsonSizeOf(record)).toBeUndefined()
  expect(await jsonSizeOf(record, slice)).toBe(1 + 200_000 + 1 + 2)
  expect(turns).toBeGreaterThan(5)
  turns = 0
  expect(await jsonSizeOf(record, slice, 110_000)).toBeGreaterThan(110_000)
  expect(turns).toBeLessThan(3)
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
