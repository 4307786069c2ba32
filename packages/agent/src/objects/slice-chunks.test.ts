// A range of chunks is the same range of their concatenation.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { neighboursJoined, sliceChunks } from './slice-chunks.ts'

test('the pieces are the range, and share the memory of their chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), fc.nat(), fc.nat(), (chunks, one, other) => {
      const whole = Buffer.concat(chunks)
      const [start, end] = [one % (whole.length + 1), other % (whole.length + 1)].toSorted((a, b) => a - b) as [number, number]
      const pieces = sliceChunks(chunks, { start, length: end - start })
      expect(Buffer.concat(pieces)).toEqual(whole.subarray(start, end))
      for (const piece of pieces) expect(chunks.map(({ buffer }) => buffer)).toContain(piece.buffer)
    }),
  )
})

test('neighbours in memory come as one piece', () => {
  const slab = Uint8Array.from({ length: 30 }, (_, index) => index)
  const pieces = sliceChunks([slab.subarray(0, 10), slab.subarray(10, 20), slab.subarray(25, 30)], { start: 5, length: 18 })
  expect(pieces).toEqual([slab.subarray(5, 20), slab.subarray(25, 28)])
})

test('neighbours in memory become one chunk, and all bytes stay', () => {
  const slab = Uint8Array.from({ length: 30 }, (_, index) => index)
  const chunks = [slab.subarray(0, 10), slab.subarray(10, 20), slab.subarray(25, 30), Uint8Array.of(7), slab.subarray(20, 25)]
  const joined = neighboursJoined(chunks)
  expect(joined.map(({ length }) => length)).toEqual([20, 5, 1, 5])
  expect(Buffer.concat(joined)).toEqual(Buffer.concat(chunks))
})
