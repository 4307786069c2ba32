// Percentiles from buckets are close to the exact ones.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Latencies } from './latencies.ts'

test('without a time there is no summary', () => {
  expect(new Latencies().summary()).toBeUndefined()
})

test('of one time, everything is that time', () => {
  const one = new Latencies()
  one.add(12.5)
  expect(one.summary()).toEqual({ count: 1, p50Ms: 12.5, p95Ms: 12.5, p99Ms: 12.5, maxMs: 12.5 })
})

test('a percentile is at most 2 % above the exact one, and never below it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 90_000, noNaN: true }), { minLength: 1, maxLength: 500 }), (times) => {
      const latencies = new Latencies()
      for (const ms of times) latencies.add(ms)
      const sorted = times.toSorted((a, b) => a - b)
      const summary = latencies.summary()
      for (const [share, found] of [
        [0.5, summary?.p50Ms],
        [0.95, summary?.p95Ms],
        [0.99, summary?.p99Ms],
      ] as const) {
        const exact = sorted[Math.ceil(times.length * share) - 1] ?? Number.NaN
        expect(found).toBeGreaterThanOrEqual(exact * 0.999_999)
        expect(found).toBeLessThanOrEqual(exact * 1.020_001)
      }
      expect(summary?.maxMs).toBe(sorted.at(-1))
    }),
  )
})

test('times outside the buckets are counted at their ends', () => {
  const latencies = new Latencies()
  for (const ms of [-5, 0, 1e9]) latencies.add(ms)
  expect(latencies.summary()).toMatchObject({ count: 3, maxMs: 1e9 })
  expect(latencies.summary()?.p50Ms).toBeLessThanOrEqual(0.01)
})
