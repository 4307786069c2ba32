// The rules of retention: by the largest timestamp of a segment, by the size of a log, from its start, and only under the policy `delete`.
import { expect, test } from 'vitest'
import { type AgingSegment, expiredCount, type RetentionConfigs, retentionRule } from './retention.ts'

const nowMs = 1_000_000
const unbounded = { retentionMs: -1, retentionBytes: -1 }

/** Segments of 100 bytes with these largest timestamps. */
function aLog(...times: readonly number[]): readonly AgingSegment[] {
  return times.map((maxTimestamp, index) => ({ lastOffset: 10 * index + 9, sizeBytes: 100, maxTimestamp, committedAtMs: nowMs - 50 }))
}

const expired = (log: readonly AgingSegment[], rule: Partial<typeof unbounded>, logBytes = 100 * log.length): number =>
  expiredCount(log, { ...unbounded, ...rule }, { nowMs, logBytes })

test('a segment goes when its newest record is older than the limit, however new its object is', () => {
  const log = aLog(nowMs - 300, nowMs - 200, nowMs - 100)
  expect([99, 100, 199, 200, 300].map((retentionMs) => expired(log, { retentionMs }))).toEqual([3, 2, 2, 1, 0])
  expect(expired(log, {})).toBe(0)
  expect(expired(log, { retentionMs: 0 })).toBe(3)
})

test('a newer segment holds all later ones', () => {
  expect(expired(aLog(nowMs - 300, nowMs + 500, nowMs - 300), { retentionMs: 200 })).toBe(1)
})

test('records without timestamps have the age of their object', () => {
  expect([49, 50].map((retentionMs) => expired(aLog(-1), { retentionMs }))).toEqual([1, 0])
})

test('segments go while the rest of the log has the size that is kept', () => {
  const log = aLog(nowMs, nowMs, nowMs)
  expect([0, 1, 99, 100, 101, 200, 201, 300].map((retentionBytes) => expired(log, { retentionBytes }))).toEqual([3, 2, 2, 2, 1, 1, 0, 0])
  // These are the oldest of a longer log.
  expect(expired(log, { retentionBytes: 500 }, 1_000)).toBe(3)
})

test('either bound removes a segment', () => {
  const log = aLog(nowMs, nowMs - 300, nowMs)
  expect(expired(log, { retentionBytes: 200, retentionMs: 200 })).toBe(2)
})

test("a topic's own configs count before the agent's, and only the policy delete removes records", () => {
  const agents: RetentionConfigs = { 'cleanup.policy': 'delete', 'retention.ms': '7', 'retention.bytes': '-1' }
  expect(retentionRule({}, agents)).toEqual({ retentionMs: 7, retentionBytes: -1 })
  expect(retentionRule({ 'retention.ms': '-1', 'retention.bytes': '5' }, agents)).toEqual({ retentionMs: -1, retentionBytes: 5 })
  for (const policy of ['', 'compact']) expect(retentionRule({ 'cleanup.policy': policy }, agents)).toEqual(unbounded)
  expect(retentionRule({ 'cleanup.policy': 'compact,delete' }, agents)).toEqual({ retentionMs: 7, retentionBytes: -1 })
})
