// Random bytes are handed out once, and belong to the caller.
import { expect, test } from 'vitest'
import { randomBytes } from './random-bytes.ts'

test('random bytes have the length that was asked for, and no byte is handed out twice', () => {
  const lengths = [16, 0, 9, 4_096, 8, 10_000, 16, ...Array.from({ length: 1_000 }, () => 16)]
  const drawn = lengths.map(randomBytes)
  expect(drawn.map(({ length }) => length)).toEqual(lengths)
  const ids = drawn.filter(({ length }) => length === 16).map((bytes) => Buffer.from(bytes).toString('hex'))
  expect(new Set(ids).size).toBe(ids.length)
})

test('what a caller does with its bytes changes no later ones', () => {
  const first = randomBytes(8)
  expect(first.buffer.byteLength).toBe(8)
})
