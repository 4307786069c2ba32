// A cooperative leader balances with the fewest moves, and never assigns a partition that another member still owns.
import { expect, test } from 'vitest'
import { cooperativeSticky, type MemberOwnership, range } from './assignors.ts'

const claim = (memberId: string, owned: readonly number[] = [], generation = owned.length > 0 ? 1 : -1): MemberOwnership => ({
  memberId,
  owned,
  generation,
})
const shares = (claims: readonly MemberOwnership[], partitions: number): unknown =>
  Object.fromEntries(cooperativeSticky(claims, partitions))

test('range assigns adjacent partitions, one more to the first members', () => {
  expect(Object.fromEntries(range([claim('b'), claim('a'), claim('c')], 4))).toEqual({ a: [0, 1], b: [2], c: [3] })
})

test('a member keeps the partitions of its share, and unowned partitions are assigned', () => {
  expect(shares([claim('a'), claim('b')], 4)).toEqual({ a: [0, 1], b: [2, 3] })
  expect(shares([claim('a', [3]), claim('b', [0, 1])], 4)).toEqual({ b: [0, 1], a: [3, 2] })
})

test('a partition that moves is revoked first, and assigned to the other member in the next generation', () => {
  expect(shares([claim('a', [0, 1, 2, 3]), claim('b')], 4)).toEqual({ a: [0, 1], b: [] })
  expect(shares([claim('a', [0, 1], 2), claim('b', [], 2)], 4)).toEqual({ a: [0, 1], b: [2, 3] })
})

test('if two members claim a partition, the later generation counts, and no third member gets it until the other has revoked it', () => {
  expect(shares([claim('a', [0], 1), claim('b', [0, 1], 2)], 2)).toEqual({ b: [0], a: [] })
})
