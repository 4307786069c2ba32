// Small pieces that are copied into few blocks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SmallPieces } from './small-pieces.ts'

const pieces = fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), { maxLength: 40 })

test('copies have the bytes of their pieces, in order, and do not change with them', () => {
  fc.assert(
    fc.property(pieces, (answers) => {
      const copies = new SmallPieces()
      const copied = answers.map((answer) => {
        const chunks: Uint8Array[] = []
        copies.addCopy(chunks, answer)
        return chunks
      })
      const expected = answers.map((answer) => Buffer.concat(answer))
      for (const answer of answers) for (const piece of answer) piece.fill(0)
      expect(copied.map((chunks) => Buffer.concat(chunks))).toEqual(expected)
    }),
  )
})

test('the pieces of one answer are one chunk as long as they fit into a block', () => {
  const copies = new SmallPieces()
  const chunks: Uint8Array[] = []
  const piece = new Uint8Array(32).fill(7)
  for (let count = 0; count < 4; count++) copies.addCopy(chunks, [piece])
  expect(chunks).toEqual([new Uint8Array(128).fill(7)])
  copies.addCopy(chunks, [piece])
  expect(chunks.map(({ length }) => length)).toEqual([128, 32])
})

test('a chunk of another answer is never made longer', () => {
  const copies = new SmallPieces()
  const [first, second]: [Uint8Array[], Uint8Array[]] = [[], []]
  copies.addCopy(first, [Uint8Array.of(1)])
  copies.addCopy(second, [Uint8Array.of(2)])
  copies.addCopy(first, [Uint8Array.of(3)])
  expect(first).toEqual([Uint8Array.of(1), Uint8Array.of(3)])
  expect(second).toEqual([Uint8Array.of(2)])
})

test('the blocks of many pieces are at most about twice as large as the pieces', () => {
  const copies = new SmallPieces()
  const chunks: Uint8Array[] = []
  for (let count = 0; count < 10_000; count++) copies.addCopy(chunks, [new Uint8Array(70)])
  const blocks = new Set(chunks.map(({ buffer }) => buffer))
  const heldBytes = [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0)
  expect(heldBytes).toBeLessThan(1.3 * 700_000)
})
