// The memory of an agent: the budgets and the cache are together what `memory.bytes` says, or what the machine has.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultLimits } from '../limits.ts'
import { leastMemoryBytes, type MemoryPlan, memoryPlan } from './memory-plan.ts'

const mib = 1024 * 1024

function sumOf({ limits, cacheBytes }: MemoryPlan): number {
  const { smallFramePoolBytes, framePoolBytes, uncommittedBytes, unpackedBytes, fetchAnswersBytes, httpAnswersBytes } = limits
  const ofRequests = smallFramePoolBytes + framePoolBytes + uncommittedBytes + unpackedBytes + limits.repackedBytes
  const ofSessions = limits.decodedRequestBytes + limits.fetchSessionBytes
  return (
    cacheBytes +
    ofSessions +
    ofRequests +
    fetchAnswersBytes +
    httpAnswersBytes +
    limits.freeSlabBytes +
    limits.tailBytes +
    limits.groupBytes
  )
}

test('the budgets and the cache are together at most memory.bytes, and use almost all of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: leastMemoryBytes, max: 2 ** 40 }), fc.integer({ min: 0, max: 2 ** 40 }), (memoryBytes, cacheBytes) => {
      const plan = memoryPlan({ memoryBytes, cacheBytes, machineBytes: 1 })
      expect(sumOf(plan)).toBeLessThanOrEqual(memoryBytes)
      // Each of the twelve budgets is rounded down.
      expect(sumOf(plan)).toBeGreaterThan(memoryBytes - 12)
      expect(plan.cacheBytes).toBeLessThanOrEqual(Math.min(cacheBytes, memoryBytes / 2))
    }),
  )
})

test('without memory.bytes each part has its default, on a machine with twice as much', () => {
  const cacheBytes = 2_048 * mib
  const whole = { limits: defaultLimits, cacheBytes }
  expect(memoryPlan({ memoryBytes: undefined, cacheBytes, machineBytes: undefined })).toEqual(whole)
  expect(memoryPlan({ memoryBytes: undefined, cacheBytes, machineBytes: 2 * sumOf(whole) })).toEqual(whole)
})

test('on a smaller machine the parts are together half of its memory', () => {
  const plan = memoryPlan({ memoryBytes: undefined, cacheBytes: 64 * mib, machineBytes: 1_024 * mib })
  expect(sumOf(plan)).toBeLessThanOrEqual(512 * mib)
  expect(sumOf(plan)).toBeGreaterThan(511 * mib)
  expect(plan.cacheBytes).toBe(64 * mib)
  expect(sumOf(memoryPlan({ memoryBytes: undefined, cacheBytes: 64 * mib, machineBytes: 1 }))).toBeGreaterThan(63 * mib)
})
