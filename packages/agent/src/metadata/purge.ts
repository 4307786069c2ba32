// The purge of deleted topics: their segments and rows go in steps, the oldest deletion first, and at last the topic itself.
import type { LogId, TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { releaseObjects } from './object-rows.ts'
import { type OldestSegment, readOldestSegments } from './retention.ts'
import type { PurgedStep } from './retention-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statement, statementPerRow } from './statement.ts'
import { deleteSegments, lockSegments } from './swap.ts'

/** From its first step on a topic cannot be brought back. The row's lock orders the step with an undelete. */
export function* purgeStep({ undeleteMs }: { readonly undeleteMs: number }): Body<PurgedStep> {
  const [[oldest]] = yield* read(readOldestDeleted({ undeleteMs }))
  if (oldest === undefined) return unchanged({ segments: 0, bytes: 0, topics: 0, more: false })
  const { topicId } = oldest
  const [[held], partitions] = yield* read(
    lockDeleted({ topicId, undeleteMs }),
    readFirstPartitions({ topicId, count: fixedLimits.retentionLogsPerStep }),
  )
  // It was brought back, or another agent has purged it.
  if (held === undefined) return unchanged({ segments: 0, bytes: 0, topics: 0, more: true })
  if (partitions.length === 0)
    return {
      writes: [deleteKeysOfTopic({ topicId }), deleteTopicRow({ topicId })],
      value: { segments: 0, bytes: 0, topics: 1, more: true },
    }
  const limit = Math.floor(fixedLimits.retentionSegmentsPerStep / partitions.length)
  const [found] = yield* read(readOldestSegments(partitions.map(({ log }) => ({ log, limit }))))
  const [segments] = yield* read(lockSegments(found.toSorted(byPlace).map(({ log, lastOffset }) => ({ log, lastOffset }))))
  const counts = new Map<LogId, number>()
  // Absent: the first segment of the log.
  for (const { log } of found) counts.set(log, (counts.get(log) ?? 0) + 1)
  // A swap may have replaced some of the segments since they were read: then the log is not empty yet.
  const replaced = new Set(found.map(placeOf))
  for (const segment of segments) replaced.delete(placeOf(segment))
  const emptied = partitions.filter(({ log }) => {
    // Absent: the log has no segments.
    return (counts.get(log) ?? 0) < limit && !found.some((segment) => segment.log === log && replaced.has(placeOf(segment)))
  })
  const logs = emptied.map(({ log }) => ({ log }))
  const objects = new Map(segments.map(({ incarnation, sequence }) => [`${incarnation}/${sequence}`, { incarnation, sequence }]))
  return {
    writes: [
      beginPurge({ topicId }),
      deleteSegments(segments.map(({ log, lastOffset }) => ({ log, lastOffset }))),
      releaseObjects([...objects.values()]),
      deleteSkips(logs),
      deleteWindows(logs),
      deleteAborted(logs),
      deleteCompactions(logs),
      deleteMerges(logs),
      deletePartitions(emptied.map(({ partition }) => ({ topicId, partition }))),
    ],
    value: { segments: segments.length, bytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), topics: 0, more: true },
  }
}

function byPlace(a: OldestSegment, b: OldestSegment): number {
  return a.log - b.log || a.lastOffset - b.lastOffset
}

function placeOf({ log, lastOffset }: { readonly log: LogId; readonly lastOffset: number }): string {
  return `${log}/${lastOffset}`
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const isDue = 't.deleted_at_ms IS NOT NULL AND (t.purge_began_at_ms IS NOT NULL OR t.deleted_at_ms <= now_ms() - $undeleteMs)'

const readOldestDeleted = statement<{ readonly undeleteMs: number }, { readonly topicId: TopicId }>(
  'read oldest deleted topic',
  `SELECT t.topic_id AS "topicId" FROM topics AS t WHERE t.cluster = $cluster AND ${isDue} ORDER BY t.deleted_at_ms, t.topic_id LIMIT 1`,
)

const lockDeleted = statement<{ readonly topicId: TopicId; readonly undeleteMs: number }, { readonly topicId: TopicId }>(
  'lock deleted topic',
  `SELECT t.topic_id AS "topicId" FROM topics AS t WHERE t.cluster = $cluster AND t.topic_id = $topicId AND ${isDue} FOR NO KEY UPDATE`,
)

const beginPurge = statement<{ readonly topicId: TopicId }>(
  'begin purge',
  'UPDATE topics SET purge_began_at_ms = now_ms() WHERE cluster = $cluster AND topic_id = $topicId AND purge_began_at_ms IS NULL',
)

const readFirstPartitions = statement<
  { readonly topicId: TopicId; readonly count: number },
  { readonly partition: number; readonly log: LogId }
>(
  'read first partitions',
  'SELECT partition, log FROM partitions WHERE cluster = $cluster AND topic_id = $topicId ORDER BY partition LIMIT $count',
)

interface LogRow {
  readonly log: LogId
}

const deleteSkips = statementPerRow<LogRow>(
  'delete skipped ranges of logs',
  { log: 'bigint' },
  'DELETE FROM skipped_ranges WHERE cluster = $cluster AND log = $log',
)
const deleteWindows = statementPerRow<LogRow>(
  'delete windows of logs',
  { log: 'bigint' },
  'DELETE FROM producers WHERE cluster = $cluster AND log = $log',
)
const deleteAborted = statementPerRow<LogRow>(
  'delete aborted transactions of logs',
  { log: 'bigint' },
  'DELETE FROM aborted_transactions WHERE cluster = $cluster AND log = $log',
)
const deleteCompactions = statementPerRow<LogRow>(
  'delete compactions of logs',
  { log: 'bigint' },
  'DELETE FROM compactions WHERE cluster = $cluster AND log = $log',
)
const deleteMerges = statementPerRow<LogRow>(
  'delete merges of logs',
  { log: 'bigint' },
  'DELETE FROM merges WHERE cluster = $cluster AND log = $log',
)
const deletePartitions = statementPerRow<{ readonly topicId: TopicId; readonly partition: number }>(
  'delete partitions',
  { topicId: 'text', partition: 'int' },
  'DELETE FROM partitions WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition',
)
const deleteKeysOfTopic = statement<{ readonly topicId: TopicId }>(
  'delete idempotency keys of topic',
  'DELETE FROM idempotency_keys WHERE cluster = $cluster AND topic_id = $topicId',
)
const deleteTopicRow = statement<{ readonly topicId: TopicId }>(
  'delete topic',
  'DELETE FROM topics WHERE cluster = $cluster AND topic_id = $topicId AND deleted_at_ms IS NOT NULL',
)
