// A lag as it is shown.
import { expect, test } from 'vitest'
import { lagView } from './group-lag.ts'

test('a lag that leaves partitions out says how many', () => {
  expect(lagView({ lag: 3, unknown: 0 })).toBe(3)
  expect(lagView({ lag: 0, unknown: 2 })).toBe('0 + 2 unknown')
})
