// A cooperative leader evens out with the fewest moves, and never gives to one what another still holds.
import { expect, test } from 'vitest'
import { type Claim, cooperativeSticky, range } from './assignors.ts'

const claim = (memberId: string, owned: readonly number[] = [], generation = owned.length > 0 ? 1 : -1): Claim => ({
  memberId,
  owned,
  generation,
})
const shares = (claims: readonly Claim[], partitions: number): unknown => Object.fromEntries(cooperativeSticky(claims, partitions))

test('range gives neighbours, the first members one more', () => {
  expect(Object.fromEntries(range([claim('b'), claim('a'), claim('c')], 4))).toEqual({ a: [0, 1], b: [2], c: [3] })
})

test('who holds its share keeps it, and what nobody holds is shared out', () => {
  expect(shares([claim('a'), claim('b')], 4)).toEqual({ a: [0, 1], b: [2, 3] })
  expect(shares([claim('a', [3]), claim('b', [0, 1])], 4)).toEqual({ b: [0, 1], a: [3, 2] })
})

test('what moves is given up first, and given to the other in the next generation', () => {
  expect(shares([claim('a', [0, 1, 2, 3]), claim('b')], 4)).toEqual({ a: [0, 1], b: [] })
  expect(shares([claim('a', [0, 1], 2), claim('b', [], 2)], 4)).toEqual({ a: [0, 1], b: [2, 3] })
})

test('of two that claim one partition the later generation counts, and until the other has given it up nobody else gets it', () => {
  expect(shares([claim('a', [0], 1), claim('b', [0, 1], 2)], 2)).toEqual({ b: [0], a: [] })
})
