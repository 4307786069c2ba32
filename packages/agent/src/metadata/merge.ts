// The reads and rows of merges: how far each log is merged, and the segments that come next.
import { type LogId, partitionKey, type TopicPartition } from '../core/ids.ts'
import type { Cluster } from './cluster.ts'
import { type StoredSegment, segmentColumns, segmentOf, withNonce } from './damage.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statementPerRow } from './statement.ts'
import type { MergeAsk, MergedLog, MergedTo, MergeSource, MergeState } from './swap-store.ts'

export function* mergeStates(partitions: readonly TopicPartition[]): Body<readonly MergeState[]> {
  const [rows] = yield* read(readMergeStates(partitions.map(({ topicId, partition }) => ({ topicId, partition }))))
  return unchanged(rows.map(({ log, ...row }) => ({ ...row, logId: log })))
}

export function* mergeSources(asks: readonly MergeAsk[], cluster: Cluster): Body<readonly (readonly MergeSource[])[]> {
  const [rows] = yield* read(readMergeSources(asks.map(({ logId, ...ask }) => ({ log: logId, ...ask }))))
  const byLog = Map.groupBy(rows, ({ log }) => log)
  return unchanged(
    asks.map(({ logId }) => {
      // Absent: the log has no more segments.
      const found = byLog.get(logId) ?? []
      return found.toSorted((a, b) => a.lastOffset - b.lastOffset).map((row) => ({ ...segmentOf(cluster, row), ageMs: row.ageMs }))
    }),
  )
}

export function* saveMerged(logs: readonly MergedLog[]): Body<null> {
  const [rows] = yield* read(readLiveLogs(logs.map(({ topicId, partition }) => ({ topicId, partition }))))
  const logOf = new Map(rows.map(({ topicId, partition, log }) => [partitionKey(topicId, partition), log]))
  const merged = logs.flatMap(({ topicId, partition, ...to }) => {
    const log = logOf.get(partitionKey(topicId, partition))
    return log === undefined ? [] : [{ log, ...to }]
  })
  return { writes: [writeMerged(merged)], value: null }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const startOr = (column: string): string => `CASE WHEN m.${column} > p.log_start_offset THEN m.${column} ELSE p.log_start_offset END`

const readMergeStates = statementPerRow<TopicPartition, Omit<MergeState, 'logId'> & { readonly log: LogId }>(
  'read merge states',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
    ${startOr('once_offset')} AS "onceOffset", ${startOr('twice_offset')} AS "twiceOffset",
    COALESCE(m.waiting_bytes, 0) AS "waitingBytes", COALESCE(m.waiting_segments, 0) AS "waitingSegments"
    FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    LEFT JOIN merges AS m ON m.cluster = p.cluster AND m.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition AND p.next_offset > p.log_start_offset
    AND (m.log IS NULL OR p.next_offset > m.once_offset OR m.waiting_bytes > 0 OR m.waiting_segments > 0)`,
)

interface SourcesFrom {
  readonly log: LogId
  readonly fromOffset: number
  readonly maxSegments: number
}

/** An object without a row was lost, so it is as old as can be. */
const readMergeSources = statementPerRow<SourcesFrom, StoredSegment & { readonly log: LogId; readonly ageMs: number }>(
  'read merge sources',
  { log: 'bigint', fromOffset: 'bigint', maxSegments: 'int' },
  `SELECT s.log, ${segmentColumns}, now_ms() - COALESCE(o.created_at_ms, 0) AS "ageMs" FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $fromOffset ORDER BY last_offset LIMIT $maxSegments
    ) AS s ${withNonce} LEFT JOIN objects AS o ON o.cluster = s.cluster AND o.incarnation = s.incarnation AND o.sequence = s.sequence`,
)

const readLiveLogs = statementPerRow<TopicPartition, TopicPartition & { readonly log: LogId }>(
  'read live logs',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log FROM partitions AS p
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

/** Two agents may merge one log after a hand-over: offsets never go back, and what waits is never less than nothing. */
export const writeMerged = statementPerRow<MergedTo & { readonly log: LogId }>(
  'write merged',
  { log: 'bigint', onceOffset: 'bigint', twiceOffset: 'bigint', waitingBytes: 'bigint', waitingSegments: 'bigint' },
  `INSERT INTO merges (cluster, log, once_offset, twice_offset, waiting_bytes, waiting_segments)
    VALUES ($cluster, $log, $onceOffset, $twiceOffset, $waitingBytes, $waitingSegments)
    ON CONFLICT (cluster, log) DO UPDATE SET
    once_offset = CASE WHEN excluded.once_offset > merges.once_offset THEN excluded.once_offset ELSE merges.once_offset END,
    twice_offset = CASE WHEN excluded.twice_offset > merges.twice_offset THEN excluded.twice_offset ELSE merges.twice_offset END,
    waiting_bytes = CASE WHEN merges.waiting_bytes + excluded.waiting_bytes > 0 THEN merges.waiting_bytes + excluded.waiting_bytes ELSE 0 END,
    waiting_segments = CASE WHEN merges.waiting_segments + excluded.waiting_segments > 0 THEN merges.waiting_segments + excluded.waiting_segments ELSE 0 END`,
)
