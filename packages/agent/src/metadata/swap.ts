// The transactions of jobs that write segments again: the swap of segments, and the state of log compaction.
import { assert, must } from '../core/assert.ts'
import {
  type Incarnation,
  type IncarnationId,
  type LogId,
  type Nonce,
  partitionKey,
  type Sequence,
  type TopicPartition,
} from '../core/ids.ts'
import { type RememberedBatch, sequenceAfter } from '../core/log/producer-window.ts'
import { type Cluster, lockCluster, lockedCounters } from './cluster.ts'
import { insertSegments } from './commit.ts'
import { isSame, type StoredSegment, segmentColumns, segmentOf, withNonce } from './damage.ts'
import { readLastAborts } from './log-index.ts'
import {
  advanceIncarnation,
  fenceIncarnations,
  insertIncarnation,
  lockIncarnation,
  lockIncarnations,
  readIncarnationByNonce,
} from './members.ts'
import { writeMerged } from './merge.ts'
import { releaseObjects } from './object-rows.ts'
import { lastStableOffset } from './partition-rows.ts'
import type { SegmentPlace } from './recovery.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statement, statementPerRow } from './statement.ts'
import type { CleanedLog, CompactionAsk, CompactionState, ProducerEnd, SwappedLog, SwapResult, SwapSegments } from './swap-store.ts'

/** An incarnation of a job has no lease, so it owns no slots and no commit of a producer can name it. */
export function* beginJob({ job, nonce }: { readonly job: string; readonly nonce: Nonce }, cluster: Cluster): Body<Incarnation> {
  const [locked, [again], earlier] = yield* read(lockCluster(), readIncarnationByNonce({ nonce }), readActiveJobs({ job }))
  if (again !== undefined) return unchanged({ id: again.id, nonce })
  const { nextIncarnation: id } = lockedCounters(locked, cluster)
  yield* read(lockIncarnations(earlier))
  return {
    writes: [fenceIncarnations(earlier), insertIncarnation({ id, nonce, agent: job }), countIncarnation({ next: id + 1 })],
    value: { id, nonce },
  }
}

export function* endJob(incarnation: Incarnation): Body<null> {
  const [[held]] = yield* read(lockIncarnation(incarnation))
  return { writes: held === undefined ? [] : [fenceIncarnations([{ incarnation: incarnation.id }])], value: null }
}

/** Locks the segments in the order of their keys, like every transaction that removes segments, so that two never deadlock. */
export function* swapSegments(input: SwapSegments, cluster: Cluster): Body<SwapResult> {
  const { incarnation, sequence, object, logs } = input
  for (const log of logs) assertSameOffsets(log)
  const [[held], found] = yield* read(
    lockIncarnation(incarnation),
    readLogsOf(logs.map(({ topicId, partition }) => ({ topicId, partition }))),
  )
  if (held?.lastSequence === sequence) return unchanged('swapped')
  if (held === undefined || held.state !== 'active' || held.lastSequence > sequence) return unchanged('fenced')
  const logOf = new Map(found.map(({ topicId, partition, log }) => [partitionKey(topicId, partition), log]))
  const asked = logs.flatMap((swapped) => {
    const log = logOf.get(partitionKey(swapped.topicId, swapped.partition))
    return log === undefined ? [] : [{ log, swapped }]
  })
  if (asked.length === 0) return unchanged('changed')
  const [stored, befores] = yield* read(
    lockSegmentRanges(asked.map(({ log, swapped }) => rangeOf(log, swapped)).toSorted((a, b) => a.log - b.log)),
    readRunningMaximaBefore(
      asked.map(({ log, swapped }) => ({ log, lastOffset: must(swapped.sources[0], 'the first source').lastOffset })),
    ),
  )
  const lockedRows = new Map(stored.map((row) => [`${row.log}/${row.lastOffset}`, row]))
  const maxima = new Map(befores.map(({ log, runningMaxTimestamp }) => [log, runningMaxTimestamp]))
  const swaps = asked.flatMap(({ log, swapped }) => {
    const { sources, segments } = swapped
    const rows = sources.flatMap((source) => {
      const row = lockedRows.get(`${log}/${source.lastOffset}`)
      return row !== undefined && isSame(segmentOf(cluster, row), source) ? [row] : []
    })
    if (rows.length !== sources.length) return []
    // Absent: the first segment of its log.
    let runningMaxTimestamp = maxima.get(log) ?? -1
    const placed = segments.map((segment) => {
      runningMaxTimestamp = Math.max(runningMaxTimestamp, segment.maxTimestamp)
      return { ...segment, log, runningMaxTimestamp }
    })
    return [{ log, swapped, rows, placed }]
  })
  if (swaps.length === 0) return unchanged('changed')
  const rows = swaps.flatMap((swap) => swap.rows)
  const flush = { incarnation: incarnation.id, sequence }
  const objects = new Map(
    rows.map((row) => [`${row.incarnation}/${row.sequence}`, { incarnation: row.incarnation, sequence: row.sequence }]),
  )
  const unmarked = swaps.flatMap(({ log, swapped: { removedAborts = [] } }) => removedAborts.map((markerOffset) => ({ log, markerOffset })))
  const merged = swaps.flatMap(({ log, swapped }) => (swapped.merged === undefined ? [] : [{ log, ...swapped.merged }]))
  return {
    writes: [
      insertSwapped({ ...flush, ageMs: 0, ...object }),
      deleteSegmentRanges(swaps.map(({ log, swapped }) => rangeOf(log, swapped))),
      insertSegments(
        swaps.flatMap(({ placed }) => placed),
        flush,
      ),
      releaseObjects([...objects.values()].toSorted((a, b) => a.incarnation - b.incarnation || a.sequence - b.sequence)),
      // A reader that had the entry and not the marker would take later records of the producer for aborted ones.
      deleteAborted(unmarked),
      ...(merged.length === 0 ? [] : [writeMerged(merged)]),
      advanceIncarnation(flush),
    ],
    value: 'swapped',
  }
}

export function* compactionStates(asks: readonly CompactionAsk[]): Body<readonly (CompactionState | undefined)[]> {
  const places = asks.map(({ topicId, partition }) => ({ topicId, partition }))
  const [logs, aborts] = yield* read(readCompactedLogs(places), readLastAborts(places))
  const abortedTo = new Map(aborts.map((row) => [partitionKey(row.topicId, row.partition), row.lastAbortOffset]))
  const known = new Map(logs.map((row) => [partitionKey(row.topicId, row.partition), row]))
  const found = asks.map((ask) => ({ ask, row: known.get(partitionKey(ask.topicId, ask.partition)) }))
  const searches = found.flatMap(({ ask: { segmentMs, segmentBytes, minLagMs }, row }) =>
    row === undefined ? [] : [{ log: row.log, cleanedOffset: row.cleanedOffset, segmentMs, segmentBytes, minLagMs }],
  )
  const [ends] = yield* read(readActiveStart(searches))
  const endOf = new Map(ends.map(({ log, activeOffset }) => [log, activeOffset]))
  const ranges = logs.map((row) => {
    const { log, cleanedOffset } = row
    // Absent: no part of the log is active. The records of open transactions may still be aborted.
    const end = Math.min(endOf.get(log) ?? row.nextOffset, lastStableOffset(row))
    return { log, cleanedOffset, cleanableOffset: Math.max(cleanedOffset, end) }
  })
  const [sums] = yield* read(readDirtyBytes(ranges))
  const sumOf = new Map(sums.map((row) => [row.log, row]))
  const rangeOf = new Map(ranges.map((row) => [row.log, row]))
  return unchanged(
    found.map(({ row }): CompactionState | undefined => {
      if (row === undefined) return undefined
      const { cleanableOffset } = must(rangeOf.get(row.log), 'the range of a log')
      const sum = sumOf.get(row.log)
      return {
        logId: row.log,
        logStartOffset: row.logStartOffset,
        cleanedOffset: row.cleanedOffset,
        cleanableOffset,
        // A log without segments has no sums.
        cleanBytes: sum?.cleanBytes ?? 0,
        // A log without segments has no sums.
        dirtyBytes: sum?.dirtyBytes ?? 0,
        // A sum over no rows is null.
        dirtyAgeMs: sum?.dirtyAgeMs ?? undefined,
        // Absent: nothing in the log was aborted.
        lastAbortOffset: abortedTo.get(partitionKey(row.topicId, row.partition)) ?? -1,
      }
    }),
  )
}

export function* lastOffsetsOfProducers({
  topicId,
  partition,
  expirationMs,
}: TopicPartition & { readonly expirationMs: number }): Body<readonly ProducerEnd[]> {
  const [rows] = yield* read(readLiveWindows({ topicId, partition, expirationMs }))
  return unchanged(
    rows.map(({ producerId, producerEpoch, batches }) => {
      // The cast: the commit is the only writer of the column.
      const last = (JSON.parse(batches) as readonly RememberedBatch[]).at(-1)
      return { producerId, producerEpoch, lastOffset: last && last.baseOffset + offsetsBetween(last) }
    }),
  )
}

export function* saveCleaned({ topicId, partition, logId, cleanedOffset }: CleanedLog): Body<null> {
  yield* read(writeCleaned({ topicId, partition, log: logId, cleanedOffset }))
  return unchanged(null)
}

/** Sequences are 31 bits, and wrap around. */
function offsetsBetween({ baseSequence, lastSequence }: RememberedBatch): number {
  return lastSequence >= baseSequence ? lastSequence - baseSequence : sequenceAfter(lastSequence, 2 ** 31 - baseSequence)
}

/** A segment of the log that lies in it and is not a source would not be as it was read: offsets have no second segment. */
function rangeOf(log: LogId, { sources }: SwappedLog): SourceRange {
  const first = must(sources[0], 'the first source').lastOffset
  return { log, firstLastOffset: first, lastOffset: must(sources.at(-1), 'the last source').lastOffset }
}

function assertSameOffsets({ sources, segments }: SwappedLog): void {
  for (const covered of [sources, segments])
    for (const [index, { baseOffset }] of covered.entries())
      assert(index === 0 || covered[index - 1]?.lastOffset === baseOffset - 1, 'the segments of a swap have no gap')
  assert(sources.length > 0 && sources[0]?.baseOffset === segments[0]?.baseOffset, 'a swap begins at the offset of its sources')
  assert(sources.at(-1)?.lastOffset === segments.at(-1)?.lastOffset, 'a swap ends at the offset of its sources')
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const readActiveJobs = statement<{ readonly job: string }, { readonly incarnation: IncarnationId }>(
  'read active jobs',
  `SELECT incarnation FROM incarnations WHERE cluster = $cluster AND agent = $job AND state = 'active' ORDER BY incarnation`,
)

const countIncarnation = statement<{ readonly next: number }>(
  'count incarnation',
  'UPDATE clusters SET next_incarnation = $next WHERE cluster = $cluster',
)

const readLogsOf = statementPerRow<TopicPartition, TopicPartition & { readonly log: LogId }>(
  'read logs of partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log
    FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

const insertSwapped = statement<{
  readonly incarnation: IncarnationId
  readonly sequence: Sequence
  readonly sizeBytes: number
  readonly checksum: number
  readonly ageMs: number
}>(
  'insert swapped object',
  `INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms)
    VALUES ($cluster, $incarnation, $sequence, $sizeBytes, $checksum, now_ms() - $ageMs::bigint)`,
)

const readRunningMaximaBefore = statementPerRow<SegmentPlace, { readonly log: LogId; readonly runningMaxTimestamp: number }>(
  'read running maxima before',
  { log: 'bigint', lastOffset: 'bigint' },
  `SELECT s.log, s.running_max_timestamp AS "runningMaxTimestamp" FROM segments AS s
    WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset < $lastOffset ORDER BY s.last_offset DESC LIMIT 1`,
)

/** In the order of their keys, like every transaction that removes segments, so that two never deadlock. */
export const lockSegments = statementPerRow<SegmentPlace, StoredSegment & { readonly log: LogId }>(
  'lock segments',
  { log: 'bigint', lastOffset: 'bigint' },
  `SELECT s.log, ${segmentColumns} FROM segments AS s ${withNonce}
    WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset = $lastOffset ORDER BY s.log, s.last_offset FOR NO KEY UPDATE OF s`,
)

export const deleteSegments = statementPerRow<SegmentPlace>(
  'delete segments',
  { log: 'bigint', lastOffset: 'bigint' },
  'DELETE FROM segments WHERE cluster = $cluster AND log = $log AND last_offset = $lastOffset',
)

/** The segments of a log whose last offsets lie in the range. */
interface SourceRange extends SegmentPlace {
  readonly firstLastOffset: number
}

/** Like `lockSegments`: one statement for each log, because a merge has thousands of sources. */
const lockSegmentRanges = statementPerRow<SourceRange, StoredSegment & { readonly log: LogId }>(
  'lock segment ranges',
  { log: 'bigint', firstLastOffset: 'bigint', lastOffset: 'bigint' },
  `SELECT s.log, ${segmentColumns} FROM segments AS s ${withNonce}
    WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset >= $firstLastOffset AND s.last_offset <= $lastOffset
    ORDER BY s.log, s.last_offset FOR NO KEY UPDATE OF s`,
)

const deleteSegmentRanges = statementPerRow<SourceRange>(
  'delete segment ranges',
  { log: 'bigint', firstLastOffset: 'bigint', lastOffset: 'bigint' },
  'DELETE FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $firstLastOffset AND last_offset <= $lastOffset',
)

/** Only markers that abort records have a row. */
const deleteAborted = statementPerRow<{ readonly log: LogId; readonly markerOffset: number }>(
  'delete aborted transactions',
  { log: 'bigint', markerOffset: 'bigint' },
  'DELETE FROM aborted_transactions WHERE cluster = $cluster AND log = $log AND marker_offset = $markerOffset',
)

interface CompactedLogRow extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly firstUnstableOffset: number | null
  readonly cleanedOffset: number
}

const readCompactedLogs = statementPerRow<TopicPartition, CompactedLogRow>(
  'read compacted logs',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
    p.first_unstable_offset AS "firstUnstableOffset",
    CASE WHEN c.cleaned_offset > p.log_start_offset THEN c.cleaned_offset ELSE p.log_start_offset END AS "cleanedOffset"
    FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    LEFT JOIN compactions AS c ON c.cluster = p.cluster AND c.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

interface ActiveSearch {
  readonly log: LogId
  readonly cleanedOffset: number
  readonly segmentMs: number
  readonly segmentBytes: number
  readonly minLagMs: number
}

/** The first offset that must be left alone. No row: none of the log. The limit makes PostgreSQL look at each log by itself. */
const readActiveStart = statementPerRow<ActiveSearch, { readonly log: LogId; readonly activeOffset: number }>(
  'read active start',
  { log: 'bigint', cleanedOffset: 'bigint', segmentMs: 'bigint', segmentBytes: 'bigint', minLagMs: 'bigint' },
  `SELECT s.log, s.base_offset AS "activeOffset" FROM (
      SELECT log, base_offset, max_timestamp, SUM(size_bytes) OVER (ORDER BY last_offset DESC) AS trailing_bytes FROM segments
      WHERE cluster = $cluster AND log = $log AND last_offset >= $cleanedOffset
    ) AS s
    WHERE (s.max_timestamp > now_ms() - $segmentMs AND s.trailing_bytes <= $segmentBytes) OR s.max_timestamp > now_ms() - $minLagMs
    ORDER BY s.base_offset LIMIT 1`,
)

interface DirtyRange {
  readonly log: LogId
  readonly cleanedOffset: number
  readonly cleanableOffset: number
}

interface DirtySums {
  readonly log: LogId
  readonly cleanBytes: number
  readonly dirtyBytes: number
  readonly dirtyAgeMs: number | null
}

const readDirtyBytes = statementPerRow<DirtyRange, DirtySums>(
  'read dirty bytes',
  { log: 'bigint', cleanedOffset: 'bigint', cleanableOffset: 'bigint' },
  `SELECT s.log, CAST(SUM(CASE WHEN s.last_offset < $cleanedOffset THEN s.size_bytes ELSE 0 END) AS bigint) AS "cleanBytes",
    CAST(SUM(CASE WHEN s.last_offset >= $cleanedOffset THEN s.size_bytes ELSE 0 END) AS bigint) AS "dirtyBytes",
    now_ms() - MIN(CASE WHEN s.last_offset >= $cleanedOffset AND s.max_timestamp >= 0 THEN s.max_timestamp END) AS "dirtyAgeMs"
    FROM segments AS s WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset < $cleanableOffset GROUP BY s.log`,
)

const readLiveWindows = statement<
  TopicPartition & { readonly expirationMs: number },
  { readonly producerId: number; readonly producerEpoch: number; readonly batches: string }
>(
  'read live windows',
  `SELECT w.producer_id AS "producerId", w.epoch AS "producerEpoch", w.batches FROM partitions AS p JOIN producers AS w ON w.cluster = p.cluster AND w.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition AND now_ms() - w.last_seen_ms <= $expirationMs`,
)

const writeCleaned = statement<TopicPartition & { readonly log: LogId; readonly cleanedOffset: number }>(
  'write cleaned',
  `INSERT INTO compactions (cluster, log, cleaned_offset) SELECT $cluster::int, p.log, $cleanedOffset::bigint FROM partitions AS p
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition AND p.log = $log
    ON CONFLICT (cluster, log) DO UPDATE SET cleaned_offset = excluded.cleaned_offset WHERE excluded.cleaned_offset > compactions.cleaned_offset`,
)
