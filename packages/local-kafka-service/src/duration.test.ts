// Durations as people write them.
import { expect, test } from 'vitest'
import { durationMs, spanMs } from './duration.ts'

test.each([
  ['250ms', 250],
  ['0.1s', 100],
  ['1.5m', 90_000],
  ['1h30m', 5_400_000],
  ['8d', 691_200_000],
  ['2w', 1_209_600_000],
  ['1m5ms', 60_005],
])('%s is %i ms', (text, ms) => {
  expect(spanMs(text)).toBe(ms)
  expect(durationMs(text)).toBe(ms)
})

test.each(['', '1', 's', '-1s', '1 s', '1S', '1y', '1h30', '.5s', '1.s', '1e3s'])('%j is not a duration', (text) => {
  expect(spanMs(text)).toBeUndefined()
})

test('a bare number is a count of milliseconds, rounded to an integer, in places that allow it', () => {
  expect(['0', '250', '1.5', '-1', ''].map(durationMs)).toEqual([0, 250, 2, undefined, undefined])
})
