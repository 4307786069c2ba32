// The rate of the last hour.
import { expect, test } from 'vitest'
import { HourlyRate } from './hourly-rate.ts'

const minuteMs = 60_000

test('in the first hour the rate is scaled to an hour, from the first minute on', () => {
  const rate = new HourlyRate(5)
  rate.count(6)
  rate.count(7)
  expect(rate.perHour(8)).toBe(120)
  expect(rate.perHour(5 + 30 * minuteMs)).toBe(4)
})

test('a steady rate is exact at any time, and an hour later it is forgotten', () => {
  const rate = new HourlyRate(0)
  let nowMs = 0
  for (; nowMs < 200 * minuteMs; nowMs += 1_000) {
    rate.count(nowMs)
    if (nowMs > minuteMs && nowMs % 7_000 === 0) expect(Math.abs(rate.perHour(nowMs) - 3_600)).toBeLessThan(61)
  }
  expect(rate.perHour(nowMs + 61 * minuteMs)).toBe(0)
})
