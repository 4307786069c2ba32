// An overlay behaves like a copied and changed Map, and leaves the table below as it is.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Overlay } from './overlay.ts'

const keys = fc.constantFrom('a', 'b', 'c', 'd')

test('an overlay behaves like a changed copy of the table below', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.nat())), fc.array(fc.tuple(keys, fc.option(fc.nat()))), (before, changes) => {
      const below = new Map(before)
      const copy = new Map(before)
      const overlay = new Overlay(below)
      for (const [key, value] of changes) {
        for (const table of [copy, overlay]) {
          if (value === null) table.delete(key)
          else table.set(key, value)
        }
        expect(overlay.size).toBe(copy.size)
        expect([overlay.has(key), overlay.get(key)]).toEqual([copy.has(key), copy.get(key)])
        expect(new Map(overlay)).toEqual(copy)
        expect([...overlay]).toHaveLength(copy.size)
      }
      expect([...below]).toEqual([...new Map(before)])
    }),
  )
})

test('rows may be overwritten and removed during an iteration', () => {
  const overlay = new Overlay(new Map(['a', 'b', 'c'].map((key) => [key, 0])))
  overlay.set('d', 0)
  const seen: string[] = []
  for (const [key] of overlay) {
    seen.push(key)
    if (key === 'a') overlay.delete('b')
    else overlay.set(key, 1)
  }
  expect(seen).toEqual(['a', 'c', 'd'])
  expect([...overlay]).toEqual([
    ['a', 0],
    ['c', 1],
    ['d', 1],
  ])
})
