// A range of chunks is the same range of their concatenation.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceChunks } from './slice-chunks.ts'

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
