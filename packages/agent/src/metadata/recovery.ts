// The transactions of a recovery: the rows of the newest objects, the logs that have records in damaged ones, and the cut of those logs.
import { must } from '../core/assert.ts'
import type { IncarnationId, LogId, Nonce, Sequence, TopicPartition } from '../core/ids.ts'
import { cutWindow } from '../core/log/producer-window.ts'
import { objectKey } from '../core/object-key.ts'
import type { Cluster } from './cluster.ts'
import { type AbortedRow, insertAborted, insertMarkers, type MarkerRow, markerText } from './markers.ts'
import { lockPartitions, setFirstUnstable, setLogEnd, type WindowRow, windowOf, windowRow } from './partition-rows.ts'
import type { CommittedObject, DamagedLog, ObjectId, RecentCursor, RecentObjects } from './recovery-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

export interface RecentObjectsInput {
  readonly windowMs: number
  readonly maxObjects: number
  readonly after?: RecentCursor
}

/** Reads chain after chain, each from its end. The commits of a chain are in the order of time, so at most one page of older objects is read. */
export function* recentObjects(input: RecentObjectsInput, cluster: Cluster): Body<RecentObjects> {
  const cursor = input.after ?? (yield* newestChains(input.windowMs))
  const [chain, ...others] = cursor.chains
  if (chain === undefined) return unchanged({ objects: [] })
  const [rows] = yield* read(readObjectsBelow({ incarnation: chain, below: cursor.below, maxObjects: input.maxObjects }))
  const recent = rows.filter(({ createdAtMs }) => createdAtMs >= cursor.sinceMs)
  const objects = recent.map(({ incarnation, nonce, sequence, sizeBytes, checksum }): CommittedObject => {
    return { incarnation, sequence, key: objectKey(cluster.id, { id: incarnation, nonce }, sequence), sizeBytes, checksum }
  })
  const last = rows.at(-1)
  // A clock that was set back makes newer commits look older, so a chain ends only when a whole page is too old.
  if (last !== undefined && rows.length === input.maxObjects && recent.length > 0)
    return unchanged({ objects, next: { ...cursor, below: last.sequence } })
  return unchanged(others.length === 0 ? { objects } : { objects, next: { ...cursor, chains: others, below: beyond } })
}

function* newestChains(windowMs: number) {
  const [chains] = yield* read(readChains())
  const used = chains.filter((chain): chain is UsedChain => chain.newestMs !== null)
  const sinceMs = used.reduce((newest, chain) => Math.max(newest, chain.newestMs), 0) - windowMs
  const recent = used.filter(({ newestMs }) => newestMs >= sinceMs).toSorted((a, b) => b.incarnation - a.incarnation)
  return { sinceMs, chains: recent.map(({ incarnation }) => incarnation), below: beyond } satisfies RecentCursor
}

export interface DamagedLogsInput {
  readonly objects: readonly ObjectId[]
  /** The end of the previous page. */
  readonly after?: SegmentPlace
  /** The number of rows that one page scans. */
  readonly maxSegments: number
}

/** A segment's key. */
export interface SegmentPlace {
  readonly log: LogId
  readonly lastOffset: number
}

export interface DamagedLogsPage {
  readonly logs: readonly DamagedLog[]
  readonly next?: SegmentPlace
}

/** Segments have no index by object, because every commit would pay for it. This scans all segments, page by page. */
export function* damagedLogs({ objects, after = beforeAllSegments, maxSegments }: DamagedLogsInput): Body<DamagedLogsPage> {
  const [[end]] = yield* read(readSegmentKey({ ...after, places: maxSegments }))
  const to = end ?? afterAllSegments
  const ids = JSON.stringify(objects.map(({ incarnation, sequence }) => [incarnation, sequence]))
  const [damaged] = yield* read(
    readSegmentsOf({ afterLog: after.log, afterOffset: after.lastOffset, toLog: to.log, toOffset: to.lastOffset, objects: ids }),
  )
  if (damaged.length === 0) return unchanged(end === undefined ? { logs: [] } : { logs: [], next: end })
  const [partitions] = yield* read(readPartitionsOf({ logs: JSON.stringify(damaged.map(({ log }) => log)) }))
  const first = new Map(damaged.map(({ log, fromOffset }) => [log, fromOffset]))
  const logs = partitions.map((row): DamagedLog => {
    const fromOffset = cutOf(row, must(first.get(row.log), 'the first damaged offset of a log'))
    const { topicId, partition, log: logId, topic } = row
    return { topicId, partition, logId, topic, deleted: row.deletedAtMs !== null, fromOffset, offsets: row.nextOffset - fromOffset }
  })
  return unchanged(end === undefined ? { logs } : { logs, next: end })
}

/** The logs to cut in one transaction. */
export function* cutLogs(input: readonly DamagedLog[]): Body<null> {
  const from = new Map(input.map(({ logId, fromOffset }) => [logId, fromOffset]))
  const [locked] = yield* read(lockPartitions(input))
  const cuts = locked.flatMap((row) => {
    // A partition that was created again since the scan has another log, which is not damaged.
    const fromOffset = cutOf(row, from.get(row.log) ?? row.nextOffset)
    return fromOffset < row.nextOffset ? [{ ...row, fromOffset }] : []
  })
  if (cuts.length === 0) return unchanged(null)
  const [kept, windows, lost] = yield* read(readLastSegmentBelow(cuts), readWindowsOf(cuts), readLostAborts(cuts))
  const maxTimestamps = new Map(kept.map(({ log, runningMaxTimestamp }) => [log, runningMaxTimestamp]))
  const { changed, gone } = cutWindows(windows, new Map(cuts.map(({ log, fromOffset }) => [log, fromOffset])))
  const ends = cuts.map((cut) => {
    const { topicId, partition, log, fromOffset } = cut
    const firstUnstableOffset = firstUnstableOf(cut, windows)
    const before = maxTimestamps.get(log) ?? emptyLogTimestamp
    // What a transaction left before the cut stays aborted, so its marker moves to the new end of the log.
    let maxTimestamp = before
    const markers = lost
      .filter((row) => row.log === log)
      .toSorted((a, b) => a.markerOffset - b.markerOffset)
      .map((row, index) => {
        maxTimestamp = Math.max(maxTimestamp, row.maxTimestamp)
        const offset = fromOffset + index
        return { ...row, marker: markerOf(row), offset, markerOffset: offset, runningMaxTimestamp: maxTimestamp }
      })
    const nextOffset = fromOffset + markers.length
    const stable = markers.map((row) => ({ ...row, lastStableOffset: firstUnstableOffset ?? nextOffset }))
    return { topicId, partition, nextOffset, maxTimestamp, firstUnstableOffset, markers: stable }
  })
  const markers = ends.flatMap((end) => end.markers)
  return {
    writes: [
      releaseObjectsFrom(cuts),
      deleteSegmentsFrom(cuts),
      lowerCleaned(cuts),
      lowerMerged(cuts),
      deleteSkipsFrom(cuts),
      deleteAbortedFrom(cuts),
      insertMarkers(markers),
      insertAborted(markers),
      setLogEnd(ends),
      setFirstUnstable(ends),
      setWindows(changed),
      deleteWindows(gone),
      deleteKeysFrom(cuts),
      lowerGroupOffsets(cuts),
      lowerPendingOffsets(cuts),
    ],
    value: null,
  }
}

export function* forgetObjects(objects: readonly ObjectId[]): Body<null> {
  yield* read(deleteObjects(objects))
  return unchanged(null)
}

const emptyLogTimestamp = -1
/** Larger than every stored number. */
const beyond = Number.MAX_SAFE_INTEGER
export const beforeAllSegments: SegmentPlace = { log: -1, lastOffset: -1 }
export const afterAllSegments: SegmentPlace = { log: beyond, lastOffset: beyond }

/** Records deleted from the front of the log are gone already, and their offsets are never assigned again. */
function cutOf({ logStartOffset }: { readonly logStartOffset: number }, fromOffset: number): number {
  return Math.max(fromOffset, logStartOffset)
}

function cutWindows(
  windows: readonly WindowRow[],
  from: ReadonlyMap<LogId, number>,
): { readonly changed: readonly WindowRow[]; readonly gone: readonly WindowRow[] } {
  const changed: WindowRow[] = []
  const gone: WindowRow[] = []
  for (const row of windows) {
    const window = windowOf(row)
    const left = cutWindow(window, must(from.get(row.log), 'the cut of a log'))
    if (left === undefined) gone.push(row)
    else if (left !== window) changed.push(windowRow(row.log, row.producerId, left))
  }
  return { changed, gone }
}

/** The first offset of the transactions that are still open in the log. */
function firstUnstableOf({ log, fromOffset }: LogPlace, windows: readonly WindowRow[]): number | null {
  const first = windows.flatMap((row) => {
    const { transactionFirstOffset: offset } = row
    return row.log === log && offset !== null && offset < fromOffset ? [offset] : []
  })
  return first.length === 0 ? null : Math.min(...first)
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface ChainAge {
  readonly incarnation: IncarnationId
  readonly newestMs: number | null
}
interface UsedChain extends ChainAge {
  readonly newestMs: number
}

const readChains = statement<Nothing, ChainAge>(
  'read chains',
  `SELECT i.incarnation, (
      SELECT o.created_at_ms FROM objects AS o WHERE o.cluster = i.cluster AND o.incarnation = i.incarnation ORDER BY o.sequence DESC LIMIT 1
    ) AS "newestMs" FROM incarnations AS i WHERE i.cluster = $cluster`,
)

interface ObjectRow extends ObjectId {
  readonly nonce: Nonce
  readonly sizeBytes: number
  readonly checksum: number
  readonly createdAtMs: number
}

const readObjectsBelow = statement<
  { readonly incarnation: IncarnationId; readonly below: Sequence; readonly maxObjects: number },
  ObjectRow
>(
  'read objects below',
  `SELECT o.incarnation, i.nonce, o.sequence, o.size_bytes AS "sizeBytes", o.checksum, o.created_at_ms AS "createdAtMs"
    FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation
    WHERE o.cluster = $cluster AND o.incarnation = $incarnation AND o.sequence < $below ORDER BY o.sequence DESC LIMIT $maxObjects`,
)

/** The key of the segment that lies the given number of places after the given one, if there is one. */
export const readSegmentKey = statement<SegmentPlace & { readonly places: number }, SegmentPlace>(
  'read segment key',
  `SELECT log, last_offset AS "lastOffset" FROM segments WHERE cluster = $cluster AND (log, last_offset) > ($log, $lastOffset)
    ORDER BY log, last_offset LIMIT 1 OFFSET $places - 1`,
)

/** The segments after one key, up to another. */
export interface SegmentRange {
  readonly afterLog: LogId
  readonly afterOffset: number
  readonly toLog: LogId
  readonly toOffset: number
}

interface SegmentsOf extends SegmentRange {
  /** JSON, one argument for all objects: their number does not multiply the scans. */
  readonly objects: string
}

/** `table` ends with a dot, if it is not empty. */
export const ofSegmentRange = (table: string): string =>
  `${table}cluster = $cluster AND (${table}log, ${table}last_offset) > ($afterLog, $afterOffset) AND (${table}log, ${table}last_offset) <= ($toLog, $toOffset)`
const readSegmentsOf = statement<SegmentsOf, { readonly log: LogId; readonly fromOffset: number }>('read segments of objects', {
  // The dialects have different functions for JSON.
  postgres: `SELECT log, min(base_offset) AS "fromOffset" FROM segments WHERE ${ofSegmentRange('')}
    AND (incarnation, sequence) IN (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM json_array_elements($objects::json)) GROUP BY log`,
  sqlite: `SELECT log, min(base_offset) AS "fromOffset" FROM segments WHERE ${ofSegmentRange('')}
    AND (incarnation, sequence) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($objects)) GROUP BY log`,
})

interface PartitionOfLog extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly topic: string
  readonly deletedAtMs: number | null
}

const selectPartitions = `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
  t.name AS topic, t.deleted_at_ms AS "deletedAtMs" FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id
  WHERE p.cluster = $cluster`
/** No index finds a partition by its log, so one scan serves all logs. */
const readPartitionsOf = statement<{ readonly logs: string }, PartitionOfLog>('read partitions of logs', {
  // The dialects have different functions for JSON.
  postgres: `${selectPartitions} AND p.log IN (SELECT value::text::bigint FROM json_array_elements($logs::json))`,
  sqlite: `${selectPartitions} AND p.log IN (SELECT value FROM json_each($logs))`,
})

interface LogPlace {
  readonly log: LogId
  readonly fromOffset: number
}

const readLastSegmentBelow = statementPerRow<LogPlace, { readonly log: LogId; readonly runningMaxTimestamp: number }>(
  'read last segment below',
  { log: 'bigint', fromOffset: 'bigint' },
  `SELECT s.log, s.running_max_timestamp AS "runningMaxTimestamp" FROM segments AS s
    WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset < $fromOffset ORDER BY s.last_offset DESC LIMIT 1`,
)

const readWindowsOf = statementPerRow<{ readonly log: LogId }, WindowRow>(
  'read windows of logs',
  { log: 'bigint' },
  `SELECT w.log, w.producer_id AS "producerId", w.epoch, w.batches, w.transaction_first_offset AS "transactionFirstOffset"
    FROM producers AS w WHERE w.cluster = $cluster AND w.log = $log`,
)

/** Objects of which other segments were damaged. Before the segments go. */
const releaseObjectsFrom = statementPerRow<LogPlace>(
  'release objects from',
  { log: 'bigint', fromOffset: 'bigint' },
  `UPDATE objects SET released_at_ms = now_ms() WHERE cluster = $cluster AND (incarnation, sequence) IN (
    SELECT s.incarnation, s.sequence FROM segments AS s WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset >= $fromOffset)`,
)

/** Records that are written at these offsets from now on were never compacted. */
const lowerCleaned = statementPerRow<LogPlace>(
  'lower cleaned offset',
  { log: 'bigint', fromOffset: 'bigint' },
  'UPDATE compactions SET cleaned_offset = $fromOffset WHERE cluster = $cluster AND log = $log AND cleaned_offset > $fromOffset',
)

const leftWaiting = `FROM segments AS s
      WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset >= merges.twice_offset AND s.last_offset < $fromOffset`
const lowerMergedOf = (rows: string): string => `UPDATE merges SET once_offset = $fromOffset,
    twice_offset = CASE WHEN twice_offset > $fromOffset THEN $fromOffset ELSE twice_offset END,
    waiting_bytes = (SELECT COALESCE(SUM(s.size_bytes), 0) ${leftWaiting}), waiting_segments = (SELECT COUNT(*) ${leftWaiting})
    ${rows} WHERE cluster = $cluster AND log = $log AND once_offset > $fromOffset`
/** And never merged: what waits for the second merge is counted again. */
const lowerMerged = statementPerRow<LogPlace>(
  'lower merged offsets',
  { log: 'bigint', fromOffset: 'bigint' },
  // The form over all rows would be made at the first WHERE, which is that of a subquery.
  { postgres: lowerMergedOf('FROM $rows'), sqlite: lowerMergedOf('') },
)

const deleteSegmentsFrom = statementPerRow<LogPlace>(
  'delete segments from',
  { log: 'bigint', fromOffset: 'bigint' },
  'DELETE FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $fromOffset',
)

const deleteSkipsFrom = statementPerRow<LogPlace>(
  'delete skipped ranges from',
  { log: 'bigint', fromOffset: 'bigint' },
  'DELETE FROM skipped_ranges WHERE cluster = $cluster AND log = $log AND last_offset >= $fromOffset',
)

const deleteAbortedFrom = statementPerRow<LogPlace>(
  'delete aborted transactions from',
  { log: 'bigint', fromOffset: 'bigint' },
  'DELETE FROM aborted_transactions WHERE cluster = $cluster AND log = $log AND marker_offset >= $fromOffset',
)

interface LostAbort extends Omit<MarkerRow, 'offset' | 'runningMaxTimestamp' | 'marker'>, Omit<AbortedRow, 'lastStableOffset'> {
  /** Null: a merge has written the marker into an object. */
  readonly marker: string | null
  /** The present epoch of its producer; null if the log has forgotten the producer. */
  readonly epoch: number | null
}

/** The aborted transactions that have records before the cut and their marker after it. */
const readLostAborts = statementPerRow<LogPlace, LostAbort>(
  'read lost aborts',
  { log: 'bigint', fromOffset: 'bigint' },
  `SELECT a.log, a.marker_offset AS "markerOffset", a.first_offset AS "firstOffset", a.producer_id AS "producerId", s.incarnation, s.marker,
    s.max_timestamp AS "maxTimestamp", w.epoch FROM aborted_transactions AS a
    JOIN segments AS s ON s.cluster = a.cluster AND s.log = a.log AND s.last_offset >= a.marker_offset AND s.base_offset <= a.marker_offset
    LEFT JOIN producers AS w ON w.cluster = a.cluster AND w.log = a.log AND w.producer_id = a.producer_id
    WHERE a.cluster = $cluster AND a.log = $log AND a.marker_offset >= $fromOffset AND a.first_offset < $fromOffset`,
)

/** The bytes of a merged marker are lost with the object, so this one has the present epoch of the producer, which fences as well. */
function markerOf({ marker, producerId, epoch }: LostAbort): string {
  // Absent: the log has forgotten the producer, so any epoch fences.
  return marker ?? markerText({ producerId, producerEpoch: epoch ?? 0, outcome: 'abort', coordinatorEpoch: 0, leaderEpoch: 0 })
}

const setWindows = statementPerRow<Omit<WindowRow, 'epoch'>>(
  'set producer windows',
  { log: 'bigint', producerId: 'bigint', batches: 'text', transactionFirstOffset: 'bigint' },
  `UPDATE producers SET batches = $batches, transaction_first_offset = $transactionFirstOffset
    WHERE cluster = $cluster AND log = $log AND producer_id = $producerId`,
)

const deleteWindows = statementPerRow<{ readonly log: LogId; readonly producerId: number }>(
  'delete producer windows',
  { log: 'bigint', producerId: 'bigint' },
  'DELETE FROM producers WHERE cluster = $cluster AND log = $log AND producer_id = $producerId',
)

interface PartitionPlace extends TopicPartition {
  readonly fromOffset: number
}

const deleteKeysFrom = statementPerRow<PartitionPlace>(
  'delete idempotency keys from',
  { topicId: 'text', partition: 'int', fromOffset: 'bigint' },
  `DELETE FROM idempotency_keys WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition AND base_offset >= $fromOffset`,
)

/** A group that has read records that were cut continues at the records that take their offsets. */
const lowerGroupOffsets = statementPerRow<PartitionPlace>(
  'lower group offsets',
  { topicId: 'text', partition: 'int', fromOffset: 'bigint' },
  `UPDATE group_offsets SET committed_offset = $fromOffset
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition AND committed_offset > $fromOffset`,
)

const lowerPendingOffsets = statementPerRow<PartitionPlace>(
  'lower pending offsets',
  { topicId: 'text', partition: 'int', fromOffset: 'bigint' },
  `UPDATE transaction_offsets SET committed_offset = $fromOffset
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition AND committed_offset > $fromOffset`,
)

const deleteObjects = statementPerRow<ObjectId>(
  'delete objects',
  { incarnation: 'bigint', sequence: 'bigint' },
  'DELETE FROM objects WHERE cluster = $cluster AND incarnation = $incarnation AND sequence = $sequence',
)
