// The transactions about damage: lists of objects and segments to check, the skip of damaged offsets, and the scrubber's place.
import { assert, must } from '../core/assert.ts'
import type { IncarnationId, Nonce, Sequence, TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { fixedLimits } from '../limits.ts'
import type { Cluster } from './cluster.ts'
import { insertSegments, readAliveTopics } from './commit.ts'
import type {
  KeptPart,
  ObjectTotals,
  SavedScrub,
  ScrubState,
  SegmentInObject,
  SkipDamage,
  SkippedPlace,
  SkippedRange,
  SkipResult,
} from './damage-store.ts'
import { markerIn } from './markers.ts'
import { releaseObjects } from './object-rows.ts'
import { lockPartitions } from './partition-rows.ts'
import { afterAllSegments, beforeAllSegments, ofSegmentRange, readSegmentKey, type SegmentPlace, type SegmentRange } from './recovery.ts'
import type { CommittedObject, ObjectId } from './recovery-store.ts'
import type { Segment } from './segment.ts'
import { type Body, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

export function* objectsAfter(
  { after = { incarnation: -1, sequence: -1 }, maxObjects }: { readonly after?: ObjectId; readonly maxObjects: number },
  cluster: Cluster,
): Body<readonly CommittedObject[]> {
  const [rows] = yield* read(readObjectsAfter({ ...after, maxObjects }))
  return unchanged(rows.map((row) => committedObject(cluster, row)))
}

export function* objectsAt(objects: readonly ObjectId[], cluster: Cluster): Body<readonly CommittedObject[]> {
  const [rows] = yield* read(readObjectsAt(objects))
  return unchanged(rows.map((row) => committedObject(cluster, row)))
}

export function* objectTotals(_input: Record<never, never>): Body<ObjectTotals> {
  const [[totals]] = yield* read(readObjectTotals())
  return unchanged(must(totals, 'the row of an aggregate'))
}

export interface SegmentsInInput {
  readonly objects: readonly ObjectId[]
  readonly after?: SegmentPlace
  /** The number of keys that one page reads. */
  readonly maxSegments: number
}

export interface SegmentsInPage {
  readonly segments: readonly SegmentInObject[]
  readonly next?: SegmentPlace
}

/** Segments have no index by object, as in `damagedLogs`. */
export function* segmentsIn({ objects, after = beforeAllSegments, maxSegments }: SegmentsInInput, cluster: Cluster): Body<SegmentsInPage> {
  const [[end]] = yield* read(readSegmentKey({ ...after, places: maxSegments }))
  const to = end ?? afterAllSegments
  const ids = JSON.stringify(objects.map(({ incarnation, sequence }) => [incarnation, sequence]))
  const [rows] = yield* read(
    readSegmentsIn({
      afterLog: after.log,
      afterOffset: after.lastOffset,
      toLog: to.log,
      toOffset: to.lastOffset,
      objects: ids,
      limit: fixedLimits.damageReports,
    }),
  )
  const segments = rows.map((row): SegmentInObject => {
    const { topicId, partition } = row
    return { topicId, partition, segment: segmentOf(cluster, row) }
  })
  return unchanged(end === undefined ? { segments } : { segments, next: end })
}

/** The partition's row lock orders it with commits, cuts and other skips of the log. Every offset keeps its meaning: the skipped ones are never assigned again. */
export function* skipDamage(input: SkipDamage, cluster: Cluster): Body<SkipResult> {
  const { topicId, partition, segment, offset, lastOffset, kept, reason } = input
  assertSegmentIsCovered(input)
  const [[held], [alive]] = yield* read(lockPartitions([{ topicId, partition }]), readAliveTopics([{ topicId }]))
  if (held === undefined || alive === undefined) return unchanged('unknown partition')
  const { log } = held
  const [[skipped], [stored], [before]] = yield* read(
    readSkip({ log, lastOffset }),
    lockSegment({ log, lastOffset: segment.lastOffset }),
    readRunningMaximumBefore({ log, lastOffset: segment.lastOffset }),
  )
  if (skipped !== undefined) return unchanged(skipped.offset === offset ? 'skipped' : 'changed')
  if (stored === undefined || !isSame(segmentOf(cluster, stored), segment)) return unchanged('changed')
  const { incarnation, sequence } = stored
  const gap: KeptPart = { baseOffset: offset, lastOffset, byteStart: segment.byteStart, sizeBytes: 0, maxTimestamp: segment.maxTimestamp }
  // -1: the segment is the first of its log.
  let runningMaxTimestamp = before?.runningMaxTimestamp ?? -1
  const parts = [...kept, gap]
    .toSorted((a, b) => a.baseOffset - b.baseOffset)
    .map((part) => {
      runningMaxTimestamp = Math.max(runningMaxTimestamp, part.maxTimestamp)
      return { ...part, log, runningMaxTimestamp }
    })
  const { byteStart, sizeBytes } = segment
  return {
    writes: [
      deleteSegment({ log, lastOffset: segment.lastOffset }),
      insertSegments(parts, { incarnation, sequence }),
      // Its segments have changed, so a look of the sweep that is going on proves nothing about it.
      releaseObjects([{ incarnation, sequence }]),
      insertSkip({ log, lastOffset, offset, incarnation, sequence, byteStart, sizeBytes, reason }),
    ],
    value: 'skipped',
  }
}

export function* skippedRanges(
  { after = beforeAllSegments }: { readonly after?: SkippedPlace },
  cluster: Cluster,
): Body<readonly SkippedRange[]> {
  const [rows] = yield* read(readSkips({ ...after, limit: fixedLimits.namesPerRead }))
  return unchanged(
    rows.map(({ incarnation, nonce, sequence, ...row }) => {
      return { ...row, objectKey: objectKey(cluster.id, { id: incarnation, nonce }, sequence) }
    }),
  )
}

export function* scrubState(_input: Record<never, never>): Body<ScrubState | undefined> {
  const [[row]] = yield* read(readScrub())
  if (row === undefined) return unchanged(undefined)
  const { afterIncarnation, afterSequence, complete, begunAgoMs, damaged } = row
  return unchanged({
    after: afterIncarnation < 0 ? undefined : { incarnation: afterIncarnation, sequence: afterSequence },
    complete: complete === 1,
    begunAgoMs,
    // The cast: `saveScrub` is the only writer of the column.
    damaged: JSON.parse(damaged) as readonly ObjectId[],
  })
}

export function* saveScrub({ after, complete, begins, damaged }: SavedScrub): Body<null> {
  yield* read(
    writeScrub({
      // -1: before all objects.
      afterIncarnation: after?.incarnation ?? -1,
      // -1: before all objects.
      afterSequence: after?.sequence ?? -1,
      complete: complete ? 1 : 0,
      begins: begins ? 1 : 0,
      damaged: JSON.stringify(damaged),
    }),
  )
  return unchanged(null)
}

/** Every offset of the segment is either skipped or kept. */
function assertSegmentIsCovered({ segment, offset, lastOffset, kept }: SkipDamage): void {
  const parts = [...kept, { baseOffset: offset, lastOffset }].toSorted((a, b) => a.baseOffset - b.baseOffset)
  let next = segment.baseOffset
  for (const part of parts) {
    assert(part.baseOffset === next && part.lastOffset >= part.baseOffset, 'the parts of a segment follow one another')
    next = part.lastOffset + 1
  }
  assert(next === segment.lastOffset + 1, 'the parts of a segment are all of it')
}

export function isSame(a: Segment, b: Segment): boolean {
  return a.baseOffset === b.baseOffset && a.objectKey === b.objectKey && a.byteStart === b.byteStart && a.sizeBytes === b.sizeBytes
}

function committedObject(cluster: Cluster, { incarnation, nonce, sequence, sizeBytes, checksum }: StoredObject): CommittedObject {
  return { incarnation, sequence, key: objectKey(cluster.id, { id: incarnation, nonce }, sequence), sizeBytes, checksum }
}

export function segmentOf(cluster: Cluster, { incarnation, nonce, sequence, ...row }: StoredSegment): Segment {
  const { baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp } = row
  const key = objectKey(cluster.id, { id: incarnation, nonce }, sequence)
  return { baseOffset, lastOffset, objectKey: key, byteStart, sizeBytes, maxTimestamp, ...markerIn(row) }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface StoredObject extends ObjectId {
  readonly nonce: Nonce
  readonly sizeBytes: number
  readonly checksum: number
}

const readObjectsAfter = statement<ObjectId & { readonly maxObjects: number }, StoredObject>(
  'read objects after',
  `SELECT o.incarnation, i.nonce, o.sequence, o.size_bytes AS "sizeBytes", o.checksum
    FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation
    WHERE o.cluster = $cluster AND (o.incarnation, o.sequence) > ($incarnation, $sequence)
    ORDER BY o.incarnation, o.sequence LIMIT $maxObjects`,
)

const readObjectsAt = statementPerRow<ObjectId, StoredObject>(
  'read objects at',
  { incarnation: 'bigint', sequence: 'bigint' },
  `SELECT o.incarnation, i.nonce, o.sequence, o.size_bytes AS "sizeBytes", o.checksum
    FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation
    WHERE o.cluster = $cluster AND o.incarnation = $incarnation AND o.sequence = $sequence`,
)

const readObjectTotals = statement<Nothing, ObjectTotals>(
  'read object totals',
  'SELECT count(*) AS objects, CAST(coalesce(sum(size_bytes), 0) AS bigint) AS bytes FROM objects WHERE cluster = $cluster',
)

export interface StoredSegment {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly incarnation: IncarnationId
  readonly nonce: Nonce
  readonly sequence: Sequence
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  readonly marker: string | null
}

export const segmentColumns = `s.base_offset AS "baseOffset", s.last_offset AS "lastOffset", s.incarnation, i.nonce, s.sequence, s.byte_start AS "byteStart",
  s.size_bytes AS "sizeBytes", s.max_timestamp AS "maxTimestamp", s.marker`
export const withNonce = 'JOIN incarnations AS i ON i.cluster = s.cluster AND i.incarnation = s.incarnation'

const selectSegmentsIn = `SELECT p.topic_id AS "topicId", p.partition, ${segmentColumns} FROM segments AS s ${withNonce}
    JOIN partitions AS p ON p.cluster = s.cluster AND p.log = s.log
    JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    WHERE ${ofSegmentRange('s.')} AND s.last_offset >= p.log_start_offset`
const readSegmentsIn = statement<SegmentRange & { readonly objects: string; readonly limit: number }, StoredSegment & TopicPartition>(
  'read segments in objects',
  {
    // The dialects have different functions for JSON.
    postgres: `${selectSegmentsIn} AND (s.incarnation, s.sequence) IN
    (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM json_array_elements($objects::json)) ORDER BY s.log, s.last_offset LIMIT $limit`,
    sqlite: `${selectSegmentsIn} AND (s.incarnation, s.sequence) IN
    (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each($objects)) ORDER BY s.log, s.last_offset LIMIT $limit`,
  },
)

/** Locked: a swap may be about to replace it. */
const lockSegment = statement<SegmentPlace, StoredSegment>(
  'lock segment',
  `SELECT ${segmentColumns} FROM segments AS s ${withNonce} WHERE s.cluster = $cluster AND s.log = $log AND s.last_offset = $lastOffset
    FOR NO KEY UPDATE OF s`,
)

const readRunningMaximumBefore = statement<SegmentPlace, { readonly runningMaxTimestamp: number }>(
  'read running maximum before',
  `SELECT running_max_timestamp AS "runningMaxTimestamp" FROM segments
    WHERE cluster = $cluster AND log = $log AND last_offset < $lastOffset ORDER BY last_offset DESC LIMIT 1`,
)

const deleteSegment = statement<SegmentPlace>(
  'delete segment',
  'DELETE FROM segments WHERE cluster = $cluster AND log = $log AND last_offset = $lastOffset',
)

const readSkip = statement<SkippedPlace, { readonly offset: number }>(
  'read skipped range',
  'SELECT base_offset AS "offset" FROM skipped_ranges WHERE cluster = $cluster AND log = $log AND last_offset = $lastOffset',
)

interface SkipRow extends SkippedPlace, ObjectId {
  readonly offset: number
  readonly byteStart: number
  readonly sizeBytes: number
  readonly reason: string
}

const insertSkip = statement<SkipRow>(
  'insert skipped range',
  `INSERT INTO skipped_ranges (cluster, log, last_offset, base_offset, incarnation, sequence, byte_start, size_bytes, reason, skipped_at_ms)
    VALUES ($cluster, $log, $lastOffset, $offset, $incarnation, $sequence, $byteStart, $sizeBytes, $reason, now_ms())`,
)

interface StoredSkip extends Omit<SkippedRange, 'objectKey'>, ObjectId {
  readonly nonce: Nonce
}

const readSkips = statement<SkippedPlace & { readonly limit: number }, StoredSkip>(
  'read skipped ranges',
  `SELECT k.log, k.last_offset AS "lastOffset", k.base_offset AS "offset", p.topic_id AS "topicId", p.partition, k.incarnation, i.nonce, k.sequence,
    k.reason, k.skipped_at_ms AS "skippedAtMs" FROM skipped_ranges AS k
    JOIN incarnations AS i ON i.cluster = k.cluster AND i.incarnation = k.incarnation
    JOIN partitions AS p ON p.cluster = k.cluster AND p.log = k.log
    JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    WHERE k.cluster = $cluster AND (k.log, k.last_offset) > ($log, $lastOffset) ORDER BY k.log, k.last_offset LIMIT $limit`,
)

interface ScrubRow {
  readonly afterIncarnation: number
  readonly afterSequence: number
  readonly complete: number
  readonly begunAgoMs: number
  readonly damaged: string
}

const readScrub = statement<Nothing, ScrubRow>(
  'read scrub',
  `SELECT after_incarnation AS "afterIncarnation", after_sequence AS "afterSequence", complete, now_ms() - begun_at_ms AS "begunAgoMs", damaged
    FROM scrubs WHERE cluster = $cluster`,
)

const writeScrub = statement<Omit<ScrubRow, 'begunAgoMs'> & { readonly begins: number }>(
  'write scrub',
  `INSERT INTO scrubs (cluster, after_incarnation, after_sequence, complete, begun_at_ms, damaged)
    VALUES ($cluster, $afterIncarnation, $afterSequence, $complete, now_ms(), $damaged)
    ON CONFLICT (cluster) DO UPDATE SET after_incarnation = excluded.after_incarnation, after_sequence = excluded.after_sequence,
    complete = excluded.complete, damaged = excluded.damaged,
    begun_at_ms = CASE WHEN $begins::int = 1 THEN excluded.begun_at_ms ELSE scrubs.begun_at_ms END`,
)
