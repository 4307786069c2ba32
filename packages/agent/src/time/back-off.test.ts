// A back-off grows up to its cap, and never leaves its range.
import { expect, test } from 'vitest'
import { backOffMs } from './back-off.ts'
import { steadyRandom } from './testing/manual-clock.ts'

const backOff = { firstMs: 50, maxMs: 1_000 }

test('the wait doubles after each attempt, up to the cap, however many attempts there were', () => {
  const almostOne = steadyRandom(1 - 2 ** -53)
  const waits = [1, 2, 3, 4, 5, 6, 7, 5_000].map((attempt) => Math.round(backOffMs(attempt, backOff, almostOne)))
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000])
})

test('half of the wait is random', () => {
  expect(backOffMs(2, backOff, steadyRandom(0))).toBe(50)
  expect(backOffMs(2, backOff, steadyRandom(0.5))).toBe(75)
})
