// The text form of positions, encoded and decoded.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, decodePositions, encodeCursor, encodePositions } from './positions.ts'

const topicId = 'abcdefghijklmnopqrst-_'
const offsets = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 200 })

test('decoded positions equal the encoded ones, however large', () => {
  fc.assert(
    fc.property(offsets, (positions) => {
      expect(decodePositions(encodePositions({ topicId, positions }))).toEqual({ topicId, positions })
    }),
  )
})

test('a decoded cursor equals the encoded one', () => {
  fc.assert(
    fc.property(offsets, fc.nat(), (positions, firstPartition) => {
      const cursor = { topicId, firstPartition, positions, ends: positions.map((offset) => Math.min(offset + 7, Number.MAX_SAFE_INTEGER)) }
      expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor)
    }),
  )
})

test('a hundred empty partitions take little room', () => {
  expect(encodePositions({ topicId, positions: new Array(100).fill(0) }).length).toBeLessThan(130)
})

test('both need no escaping in a URL or a header', () => {
  const text = encodeCursor({ topicId, firstPartition: 128, positions: [0, 35, 36], ends: [1, 2, 3] })
  expect(new URLSearchParams({ text }).toString()).toBe(`text=${text}`)
})

test.each(['', 'x', `${topicId}`, `${topicId}.-zzzzzzzzzzzzzzzzz`, `${topicId}.1.2`, `${topicId}.A`, 'short.1', `${topicId}.1 `])(
  '%j is not valid',
  (text) => {
    expect(decodePositions(text)).toBeUndefined()
  },
)

test.each(['', `${topicId}.0.1`, `${topicId}.0.1-2.1`, `${topicId}..1.1.1`])('%j is not a valid cursor', (text) => {
  expect(decodeCursor(text)).toBeUndefined()
})
