// Maps and sets that know their oldest entry, beside a plain list.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OldestFirstMap, OldestFirstSet } from './oldest-first.ts'

test('after any steps, the oldest entry is the first one of a list in the order of additions', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'delete', 'look', 'remove the oldest'),
    item: fc.nat({ max: 6 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new OldestFirstMap<number, number>()
      const set = new OldestFirstSet<number>()
      let list: number[] = []
      for (const [at, { kind, item }] of steps.entries()) {
        if (kind === 'look' || kind === 'remove the oldest') expect([map.oldestKey(), set.oldest()]).toEqual([list[0], list[0]])
        if (kind === 'add') {
          map.set(item, at)
          set.add(item)
          list = [...list.filter((one) => one !== item), item]
          expect([map.get(item), map.has(item), set.has(item)]).toEqual([at, true, true])
        }
        const gone = kind === 'delete' ? item : kind === 'remove the oldest' ? list[0] : undefined
        if (gone !== undefined) {
          expect([map.delete(gone), set.delete(gone)]).toEqual([list.includes(gone), list.includes(gone)])
          list = list.filter((one) => one !== gone)
        }
        expect([[...map].map(([key]) => key), [...set], map.size, set.size]).toEqual([list, list, list.length, list.length])
      }
      expect([map.oldestKey(), set.oldest()]).toEqual([list[0], list[0]])
    }),
    { numRuns: 1_000 },
  )
})
