// The text form of positions, there and back.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, decodePositions, encodeCursor, encodePositions } from './positions.ts'

const topicId = 'abcdefghijklmnopqrst-_'
const offsets = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 200 })

test('positions come back as they were, however large', () => {
  fc.assert(
    fc.property(offsets, (positions) => {
      expect(decodePositions(encodePositions({ topicId, positions }))).toEqual({ topicId, positions })
    }),
  )
})

test('a cursor comes back as it was', () => {
  fc.assert(
    fc.property(offsets, fc.nat(), (positions, firstPartition) => {
      const cursor = { topicId, firstPartition, positions, ends: positions.map((offset) => Math.min(offset + 7, Number.MAX_SAFE_INTEGER)) }
      expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor)
    }),
  )
})

test('a hundred partitions that nobody wrote to take little room', () => {
  expect(encodePositions({ topicId, positions: new Array(100).fill(0) }).length).toBeLessThan(130)
})

test('both can stand in a URL and a header as they are', () => {
  const text = encodeCursor({ topicId, firstPartition: 128, positions: [0, 35, 36], ends: [1, 2, 3] })
  expect(new URLSearchParams({ text }).toString()).toBe(`text=${text}`)
})

test.each(['', 'x', `${topicId}`, `${topicId}.-zzzzzzzzzzzzzzzzz`, `${topicId}.1.2`, `${topicId}.A`, 'short.1', `${topicId}.1 `])(
  '%j is no text of ours',
  (text) => {
    expect(decodePositions(text)).toBeUndefined()
  },
)

test.each(['', `${topicId}.0.1`, `${topicId}.0.1-2.1`, `${topicId}..1.1.1`])('%j is no cursor', (text) => {
  expect(decodeCursor(text)).toBeUndefined()
})
