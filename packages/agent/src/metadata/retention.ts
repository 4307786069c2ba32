// The transactions of retention: which logs have segments to remove, and the removal of some of them under the locks of their partitions.
import { must } from '../core/assert.ts'
import { type LogId, partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { type AgingSegment, expiredCount, retentionRule } from '../core/log/retention.ts'
import { fixedLimits } from '../limits.ts'
import type { Cluster } from './cluster.ts'
import { releaseObjects } from './object-rows.ts'
import { readSizes } from './partition-reads.ts'
import {
  inLockOrder,
  type LockedPartition,
  lastStableOffset,
  lockPartitions,
  lockSlots,
  ownership,
  setLogStart,
  slotsOf,
} from './partition-rows.ts'
import type { Retain, RetainedLog } from './retention-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statementPerRow } from './statement.ts'
import { deleteSegments, lockSegments } from './swap.ts'

/** Looks at the oldest segment of each log, and at the size of a log only if its topic bounds it. */
export function* retentionDue({ partitions, nowMs, defaults }: Retain): Body<readonly TopicPartition[]> {
  const [logs, configs] = yield* read(readLogs(partitions), readConfigs(topicsOf(partitions)))
  const rules = new Map(configs.map(({ topicId, configs: own }) => [topicId, retentionRule(JSON.parse(own), defaults)]))
  const living = logs.filter(({ topicId }) => rules.has(topicId))
  const bounded = living.filter(({ topicId }) => must(rules.get(topicId), 'the rule of a topic').retentionBytes >= 0)
  const [oldest, sizes] = yield* read(readOldestSegments(living.map(({ log }) => ({ log, limit: 1 }))), readSizes(bounded))
  const first = new Map(oldest.map((segment) => [segment.log, segment]))
  const bytes = new Map(sizes.map(({ topicId, partition, sizeBytes }) => [partitionKey(topicId, partition), sizeBytes]))
  return unchanged(
    living.flatMap(({ topicId, partition, log, logStartOffset }) => {
      const segment = first.get(log)
      if (segment === undefined) return []
      // Absent: the size is not bounded, so it does not count.
      const logBytes = bytes.get(partitionKey(topicId, partition)) ?? 0
      const rule = must(rules.get(topicId), 'the rule of a topic')
      const isDue = segment.lastOffset < logStartOffset || expiredCount([segment], rule, { nowMs, logBytes }) > 0
      return isDue ? [{ topicId, partition }] : []
    }),
  )
}

/** The topics' rows are locked against a change of their configs, so that no record goes that a newer config keeps. */
export function* retentionStep(input: Retain, cluster: Cluster): Body<readonly RetainedLog[]> {
  const { owner, nowMs, defaults } = input
  const partitions = inLockOrder(input.partitions)
  const [locked, configs, slots] = yield* read(
    lockPartitions(partitions),
    lockConfigs(topicsOf(partitions)),
    lockSlots(slotsOf(partitions, cluster)),
  )
  const owned = locked.filter(ownership(owner, slots, cluster))
  const rules = new Map(configs.map(({ topicId, configs: own }) => [topicId, retentionRule(JSON.parse(own), defaults)]))
  const logs = owned.filter(({ topicId }) => rules.has(topicId))
  const limit = Math.max(1, Math.floor(fixedLimits.retentionSegmentsPerStep / Math.max(1, logs.length)))
  const bounded = logs.filter(({ topicId }) => must(rules.get(topicId), 'the rule of a topic').retentionBytes >= 0)
  const [oldest, sizes] = yield* read(readOldestSegments(logs.map(({ log }) => ({ log, limit }))), readSizes(bounded))
  const byLog = Map.groupBy(
    oldest.toSorted((a, b) => a.lastOffset - b.lastOffset),
    ({ log }) => log,
  )
  const bytes = new Map(sizes.map(({ topicId, partition, sizeBytes }) => [partitionKey(topicId, partition), sizeBytes]))
  const steps = logs.map((row): LogStep => {
    // Absent: the log has no segments.
    const segments = byLog.get(row.log) ?? []
    const before = segments.filter(({ lastOffset }) => lastOffset < row.logStartOffset)
    const live = segments.slice(before.length)
    // Absent: the size is not bounded, so it does not count.
    const logBytes = bytes.get(partitionKey(row.topicId, row.partition)) ?? 0
    const stable = live.filter(({ lastOffset }) => lastOffset < lastStableOffset(row))
    const expired = stable.slice(0, expiredCount(stable, must(rules.get(row.topicId), 'the rule of a topic'), { nowMs, logBytes }))
    const last = expired.at(-1)
    const places = [...before, ...expired]
    return { row, places, logStartOffset: last === undefined ? row.logStartOffset : last.lastOffset + 1, more: places.length === limit }
  })
  // A swap may have replaced some of them since. What is left of them goes in a later step.
  const [held] = yield* read(
    lockSegments(steps.flatMap(({ places }) => places).toSorted((a, b) => a.log - b.log || a.lastOffset - b.lastOffset)),
  )
  const heldOf = Map.groupBy(held, ({ log }) => log)
  const objects = new Map(held.map(({ incarnation, sequence }) => [`${incarnation}/${sequence}`, { incarnation, sequence }]))
  return {
    writes: [
      setLogStart(steps.map(({ row: { topicId, partition }, logStartOffset }) => ({ topicId, partition, logStartOffset }))),
      deleteSegments(held.map(({ log, lastOffset }) => ({ log, lastOffset }))),
      releaseObjects([...objects.values()]),
      deleteSkipsBefore(steps.map(({ row: { log }, logStartOffset }) => ({ log, logStartOffset }))),
      deleteAbortedBefore(steps.map(({ row: { log }, logStartOffset }) => ({ log, logStartOffset }))),
    ],
    value: steps.map(({ row: { topicId, partition, log }, logStartOffset, more }) => {
      // Absent: nothing of the log goes.
      const removed = heldOf.get(log) ?? []
      const removedBytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      return { topicId, partition, logStartOffset, segments: removed.length, bytes: removedBytes, more }
    }),
  }
}

interface LogStep {
  readonly row: LockedPartition
  /** The segments to remove, the oldest of the log. */
  readonly places: readonly OldestSegment[]
  readonly logStartOffset: number
  readonly more: boolean
}

function topicsOf(partitions: readonly TopicPartition[]): readonly { readonly topicId: TopicId }[] {
  return [...new Set(partitions.map(({ topicId }) => topicId))].toSorted().map((topicId) => ({ topicId }))
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const readLogs = statementPerRow<TopicPartition, Omit<LockedPartition, 'nextOffset' | 'maxTimestamp' | 'firstUnstableOffset'>>(
  'read logs',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset" FROM partitions AS p
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

interface TopicConfigsRow {
  readonly topicId: TopicId
  readonly configs: string
}

const selectConfigs = `SELECT t.topic_id AS "topicId", t.configs FROM topics AS t
    WHERE t.cluster = $cluster AND t.topic_id = $topicId AND t.deleted_at_ms IS NULL`
const readConfigs = statementPerRow<{ readonly topicId: TopicId }, TopicConfigsRow>(
  'read configs of topics',
  { topicId: 'text' },
  selectConfigs,
)
const lockConfigs = statementPerRow<{ readonly topicId: TopicId }, TopicConfigsRow>(
  'lock configs of topics',
  { topicId: 'text' },
  `${selectConfigs} ORDER BY t.topic_id FOR SHARE OF t`,
)

export interface OldestSegment extends AgingSegment {
  readonly log: LogId
}

export const readOldestSegments = statementPerRow<{ readonly log: LogId; readonly limit: number }, OldestSegment>(
  'read oldest segments',
  { log: 'bigint', limit: 'int' },
  `SELECT s.log, s.last_offset AS "lastOffset", s.size_bytes AS "sizeBytes", s.max_timestamp AS "maxTimestamp",
    COALESCE(o.created_at_ms, CASE WHEN s.marker IS NULL THEN now_ms() ELSE s.max_timestamp END) AS "committedAtMs" FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND log = $log ORDER BY last_offset LIMIT $limit
    ) AS s LEFT JOIN objects AS o ON o.cluster = s.cluster AND o.incarnation = s.incarnation AND o.sequence = s.sequence`,
)

const deleteAbortedBefore = statementPerRow<{ readonly log: LogId; readonly logStartOffset: number }>(
  'delete aborted transactions before',
  { log: 'bigint', logStartOffset: 'bigint' },
  'DELETE FROM aborted_transactions WHERE cluster = $cluster AND log = $log AND marker_offset < $logStartOffset',
)

const deleteSkipsBefore = statementPerRow<{ readonly log: LogId; readonly logStartOffset: number }>(
  'delete skipped ranges before',
  { log: 'bigint', logStartOffset: 'bigint' },
  'DELETE FROM skipped_ranges WHERE cluster = $cluster AND log = $log AND last_offset < $logStartOffset',
)
