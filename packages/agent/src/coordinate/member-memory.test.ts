// The memory of the members of groups: a group grows to a part of what is free, may always become smaller, and returns everything at its end.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemberMemory } from './member-memory.ts'

test('a group grows to a part of what is free, and a row in the place of a larger one always fits', () => {
  const memory = new MemberMemory(1_000)
  const [one, other] = [memory.open('g', () => {}), memory.open('g', () => {})]
  const fits = (account: typeof one, kind: 'member' | 'assignment', bytes: number, key = 'b') =>
    account.fits({ kind, rows: [{ key, bytes }] })
  expect([fits(one, 'member', 251), fits(one, 'member', 250)]).toEqual([false, true])
  one.put('a', 150)
  expect([fits(one, 'member', 63), fits(one, 'member', 62)]).toEqual([false, true])
  expect([fits(one, 'assignment', 276), fits(one, 'assignment', 275)]).toEqual([false, true])
  // A stored group is loaded, however much there is.
  other.put('a', 800)
  expect(memory.gauge).toEqual({ usedBytes: 950, limitBytes: 1_000 })
  expect([fits(one, 'member', 150, 'a'), fits(one, 'member', 151, 'a')]).toEqual([true, false])
})

test('whatever is put, replaced and released, the memory is the sum of the rows', () => {
  const step = fc.record({ group: fc.nat(2), key: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(100), ends: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const memory = new MemberMemory(200)
      const groups = [memory.open('g', () => {}), memory.open('g', () => {}), memory.open('g', () => {})].map((account) => ({
        account,
        rows: new Map<string, number>(),
      }))
      for (const { group, key, bytes, ends } of steps) {
        const of = groups[group]
        if (of === undefined) continue
        if (ends) of.account.release()
        else of.account.put(key, bytes)
        if (ends) of.rows.clear()
        else of.rows.set(key, bytes)
        const sum = groups.flatMap(({ rows }) => [...rows.values()]).reduce((all, one) => all + one, 0)
        expect(memory.gauge.usedBytes).toBe(sum)
      }
    }),
  )
})
