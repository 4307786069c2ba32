// Which segments the first merge puts into one object.
import { expect, test } from 'vitest'
import { type LogCandidates, type MergeableSegment, planFirstMerge } from './merge-plan.ts'

const rules = { objectBytes: 64_000, segmentBytes: 4_000, sources: 2_000, quietMs: 0, maxAgeMs: 1e9 }

/** Logs of which each object has a segment of so many bytes. */
function aCluster(bytesOfLogs: readonly number[], objects: number): readonly LogCandidates<number, MergeableSegment>[] {
  return bytesOfLogs.map((sizeBytes, log) => ({
    log,
    hasMore: false,
    segments: Array.from({ length: objects }, (_, at) => ({ objectKey: `object ${at}`, lastOffset: at, sizeBytes, ageMs: objects - at })),
  }))
}

function bytesOfRuns(plan: ReturnType<typeof planFirstMerge>): readonly number[] {
  return plan.runs.map(({ sources }) => sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
}

test('twelve equal logs have a full segment each, and not a second one that is small', () => {
  const plan = planFirstMerge(aCluster(Array<number>(12).fill(28), 1_000), rules)
  expect(plan.isDue).toBe(true)
  // 5,333 bytes of each would fit into the object.
  expect(bytesOfRuns(plan)).toEqual(Array<number>(12).fill(142 * 28))
})

test('what cannot fill a segment of each log fills a whole part of it, so that the second merge fills them', () => {
  // 2,000 segments would have two thirds of a segment of each log.
  const [bytes = 0] = bytesOfRuns(planFirstMerge(aCluster(Array<number>(12).fill(16), 1_000), rules))
  expect(bytes).toBeLessThanOrEqual(2_000)
  expect(bytes).toBeGreaterThan(1_900)
})

test('a hundred logs have as much as fits, because none of them fills a segment', () => {
  const plan = planFirstMerge(aCluster(Array<number>(100).fill(10), 100), rules)
  expect(bytesOfRuns(plan)).toEqual(Array<number>(100).fill(200))
})

test('a log that is alone fills most of the object', () => {
  const [bytes = 0] = bytesOfRuns(planFirstMerge(aCluster([80], 10_000), { ...rules, sources: 10_000 }))
  expect(bytes).toBeGreaterThan(60_000)
  expect(bytes).toBeLessThanOrEqual(rules.objectBytes)
})

test('a large log among small ones decides', () => {
  const plan = planFirstMerge(aCluster([500, 10, 10], 1_000), rules)
  const [large = 0] = bytesOfRuns(plan)
  expect(plan.isDue).toBe(true)
  expect(large).toBeGreaterThan(rules.objectBytes / 2)
})

test('objects that are merged because of their age are all taken', () => {
  const plan = planFirstMerge(aCluster(Array<number>(12).fill(28), 150), { ...rules, maxAgeMs: 100 })
  expect(plan).toMatchObject({ isDue: true, objectCount: 150 })
})

test('less than an object that is not old is not due', () => {
  expect(planFirstMerge(aCluster([28, 28], 10), rules).isDue).toBe(false)
})

test('an object that is larger than a merged one is taken alone', () => {
  expect(planFirstMerge(aCluster([70_000], 3), rules)).toMatchObject({ isDue: true, objectCount: 1 })
})
