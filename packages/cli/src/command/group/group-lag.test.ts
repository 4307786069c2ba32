// The text of a lag.
import { expect, test } from 'vitest'
import { lagView } from './group-lag.ts'

test('a lag reports the number of partitions that it leaves out', () => {
  expect(lagView({ lag: 3, unknown: 0 })).toBe(3)
  expect(lagView({ lag: 0, unknown: 2 })).toBe('0 + 2 unknown')
})
