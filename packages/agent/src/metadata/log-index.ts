// The location of the log's bytes: segments from an offset or a time on, the state of partitions, and blocks of producer ids.
import { must } from '../core/assert.ts'
import { type IncarnationId, type LogId, type Nonce, partitionKey, type Sequence, type TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import { fixedLimits } from '../limits.ts'
import { type Cluster, lockCluster, lockedCounters } from './cluster.ts'
import { markerIn } from './markers.ts'
import { readSlots } from './members.ts'
import {
  type FindByTime,
  type FindSegments,
  type FoundByTime,
  type FoundSegments,
  type PartitionState,
  type Segment,
  type Watermarks,
} from './metadata-store.ts'
import { lastStableOffset } from './partition-rows.ts'
import { type Body, type BodyPart, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

/** One forward range scan for each ask. The high watermarks are read first: a segment committed between the two reads lies beyond them and is left out. */
export function* findSegments(asks: readonly FindSegments[], cluster: Cluster): Body<readonly FoundSegments[]> {
  const [partitions, segments] = yield* read(readPartitions(asks), readSegmentsFrom(asks.map((one, ask) => ({ ...one, ask }))))
  const known = byPartition(partitions)
  const found = Map.groupBy(segments, ({ ask }) => ask)
  return unchanged(
    asks.map((ask, index): FoundSegments => {
      const partition = known.get(partitionKey(ask.topicId, ask.partition))
      if (partition === undefined) return { kind: 'unknown partition' }
      const visible = (found.get(index) ?? []).filter(({ lastOffset }) => lastOffset < partition.nextOffset)
      const ordered = visible.toSorted((a, b) => a.lastOffset - b.lastOffset)
      return { kind: 'found', segments: upTo(ask.maxBytes, ordered).map((row) => segmentOf(cluster, row)), ...watermarksOf(partition) }
    }),
  )
}

export function* partitionStates(asked: readonly TopicPartition[], cluster: Cluster): Body<readonly (PartitionState | undefined)[]> {
  const slotOf = ({ topicId, partition }: TopicPartition): number => slotOfPartition(topicId, partition, cluster.slots)
  const [partitions, slots, aborts] = yield* read(readPartitions(asked), readSlots(asked.map(slotOf)), readLastAborts(asked))
  const abortedTo = new Map(aborts.map((row) => [partitionKey(row.topicId, row.partition), row.lastAbortOffset]))
  const known = byPartition(partitions)
  const owners = new Map(slots.map((slot) => [slot.slot, slot]))
  return unchanged(
    asked.map(({ topicId, partition }): PartitionState | undefined => {
      const row = known.get(partitionKey(topicId, partition))
      if (row === undefined) return undefined
      const { owner, epoch } = must(owners.get(slotOf(row)), 'the slot of a partition')
      // Absent: nothing in the log was aborted.
      const lastAbortOffset = abortedTo.get(partitionKey(topicId, partition)) ?? -1
      return { topicId, partition, logId: row.log, maxTimestamp: row.maxTimestamp, owner, epoch, lastAbortOffset, ...watermarksOf(row) }
    }),
  )
}

/**
 * A binary search over all logs side by side. The running maximum never falls, so the first segment that reaches the time holds its record, unless that
 * record was before the start of the log, or log compaction has removed it: then the segments are read one after another from there.
 */
export function* findByTime(asks: readonly FindByTime[], cluster: Cluster): Body<readonly FoundByTime[]> {
  const [partitions] = yield* read(readPartitions(asks))
  const known = byPartition(partitions)
  const searches = asks.map((ask) => {
    const partition = known.get(partitionKey(ask.topicId, ask.partition))
    return partition && searchOf(ask, partition)
  })
  for (let open = openOf(searches); open.length > 0; open = openOf(searches)) yield* probe(open)
  yield* passDeleted(searches)
  return unchanged(
    searches.map((search): FoundByTime => {
      if (search === undefined) return { kind: 'unknown partition' }
      const segment = search.best && segmentOf(cluster, search.best)
      return { kind: 'found', segment, ...watermarksOf(search.partition) }
    }),
  )
}

/**
 * A block keeps its time and the cluster's next log number, because a young id must begin at sequence 0 in a log that is older than the id
 * (metadata/commit.ts). Both counters are taken under the cluster's lock, so no clock decides which of the two is older. An id joins the newest block
 * while both are still true of it, so the table does not grow by a row for every producer.
 */
export function* allocateProducerIds(count: number, cluster: Cluster): Body<number> {
  const [locked, [newest]] = yield* read(lockCluster(), readNewestProducerIdBlock())
  const { nextProducerId: first, nextLog } = lockedCounters(locked, cluster)
  const joins = newest !== undefined && newest.nextLog === nextLog && newest.ageMs >= 0 && newest.ageMs < fixedLimits.producerIdBlockMs
  return {
    writes: [
      joins
        ? growProducerIdBlock({ first: newest.first, count: first + count - newest.first })
        : insertProducerIdBlock({ first, count, nextLog }),
      setNextProducerId({ next: first + count }),
    ],
    value: first,
  }
}

/** One log's search: offsets below `low` are too early, `best` reaches the time, and only `low` to `high` may hold an earlier one. */
interface Search {
  readonly partition: PartitionRow
  readonly timestamp: number
  readonly wantsMaximum: boolean
  /** Where it began. */
  readonly from: number
  low: number
  high: number
  best: SegmentRow | undefined
}

function searchOf({ at, fromOffset = 0 }: FindByTime, partition: PartitionRow): Search {
  const timestamp = at.kind === 'timestamp' ? at.timestamp : partition.maxTimestamp
  // No segment reaches a time above the log's own maximum, so no probe is needed.
  const high = timestamp > partition.maxTimestamp ? -1 : partition.nextOffset - 1
  const low = Math.max(partition.logStartOffset, fromOffset)
  return { partition, timestamp, wantsMaximum: at.kind === 'max timestamp', from: low, low, high, best: undefined }
}

/** The running maximum of `best` may come from a segment before the search, which was deleted or passed over, or from a record that log compaction has removed. */
function* passDeleted(searches: readonly (Search | undefined)[]): BodyPart<void> {
  const misled = searches.filter((search): search is Search => search !== undefined && isMisled(search))
  if (misled.length === 0) return
  const from = misled.map((search, ask) => {
    const { partition, timestamp, wantsMaximum, best, from: start } = search
    const { log, nextOffset } = partition
    // What is left of the largest timestamps may be before the segment that had the largest one.
    const offset = wantsMaximum ? start : must(best, 'the segment of a misled search').lastOffset
    return { ask, log, offset, timestamp, nextOffset }
  })
  const [later, newest] = yield* read(
    readSegmentSince(from.filter(({ ask }) => misled[ask]?.wantsMaximum === false)),
    readNewestSegment(from.filter(({ ask }) => misled[ask]?.wantsMaximum === true)),
  )
  const found = new Map([...later, ...newest].map((row) => [row.ask, row]))
  for (const [ask, search] of misled.entries()) search.best = found.get(ask)
}

/** The record with the largest timestamp of the log may have been removed, and with it the only segment that reached the time. */
function isMisled({ best, timestamp, wantsMaximum, partition }: Search): boolean {
  return best === undefined ? wantsMaximum && partition.maxTimestamp >= 0 : best.maxTimestamp < timestamp
}

function openOf(searches: readonly (Search | undefined)[]): readonly Search[] {
  return searches.filter((search) => search !== undefined && search.low <= search.high) as readonly Search[]
}

/** Halves each range by the segment at its middle. */
function* probe(open: readonly Search[]): BodyPart<void> {
  const probes = open.map((search, ask) => ({ ask, search, log: search.partition.log, offset: Math.floor((search.low + search.high) / 2) }))
  const [rows] = yield* read(readSegmentAt(probes.map(({ ask, log, offset }) => ({ ask, log, offset }))))
  const found = new Map(rows.map((row) => [row.ask, row]))
  for (const { ask, search, offset } of probes) {
    const segment = found.get(ask)
    if (segment === undefined || segment.baseOffset > search.high) search.high = offset - 1
    else if (segment.runningMaxTimestamp < search.timestamp) search.low = segment.lastOffset + 1
    else {
      search.best = segment
      search.high = Math.min(offset, segment.baseOffset) - 1
    }
  }
}

/** The first segments that together have `maxBytes`, but at least one. */
function upTo(maxBytes: number, segments: readonly SegmentRow[]): readonly SegmentRow[] {
  let bytes = 0
  const end = segments.findIndex(({ sizeBytes }) => (bytes += sizeBytes) >= maxBytes)
  return end < 0 ? segments : segments.slice(0, end + 1)
}

function segmentOf(cluster: Cluster, row: SegmentRow): Segment {
  const { baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp } = row
  const objectKeyOfRow = objectKey(cluster.id, { id: row.incarnation, nonce: row.nonce }, row.sequence)
  return { baseOffset, lastOffset, objectKey: objectKeyOfRow, byteStart, sizeBytes, maxTimestamp, ...markerIn(row) }
}

/** The high watermark is the end of the log: no offset exists before its commit. */
function watermarksOf(row: PartitionRow): Watermarks {
  return { logStartOffset: row.logStartOffset, highWatermark: row.nextOffset, lastStableOffset: lastStableOffset(row) }
}

function byPartition(rows: readonly PartitionRow[]): ReadonlyMap<string, PartitionRow> {
  return new Map(rows.map((row) => [partitionKey(row.topicId, row.partition), row]))
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface PartitionRow extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
  readonly firstUnstableOffset: number | null
}

/** Only topics that are not deleted. */
const readPartitions = statementPerRow<TopicPartition, PartitionRow>(
  'read partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
    p.max_timestamp AS "maxTimestamp", p.first_unstable_offset AS "firstUnstableOffset"
    FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

/** Absent: nothing in the log was aborted. After the partitions were read, so that it is at least as new as their last stable offsets. */
export const readLastAborts = statementPerRow<TopicPartition, TopicPartition & { readonly lastAbortOffset: number }>(
  'read last aborts',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, a.marker_offset AS "lastAbortOffset"
    FROM partitions AS p JOIN aborted_transactions AS a ON a.cluster = p.cluster AND a.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition ORDER BY a.marker_offset DESC LIMIT 1`,
)

interface SegmentRow {
  readonly ask: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly incarnation: IncarnationId
  readonly nonce: Nonce
  readonly sequence: Sequence
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  readonly runningMaxTimestamp: number
  readonly marker: string | null
}

const segmentColumns = `s.base_offset AS "baseOffset", s.last_offset AS "lastOffset", s.incarnation, i.nonce, s.sequence, s.byte_start AS "byteStart",
  s.size_bytes AS "sizeBytes", s.max_timestamp AS "maxTimestamp", s.running_max_timestamp AS "runningMaxTimestamp", s.marker`
const withNonce = 'JOIN incarnations AS i ON i.cluster = s.cluster AND i.incarnation = s.incarnation'

interface SegmentsFrom extends TopicPartition {
  /** Identifies the row's search in the answer. */
  readonly ask: number
  readonly offset: number
  readonly maxSegments: number
}

const readSegmentsFrom = statementPerRow<SegmentsFrom, SegmentRow>(
  'read segments from',
  { ask: 'int', topicId: 'text', partition: 'int', offset: 'bigint', maxSegments: 'int' },
  `SELECT $ask AS ask, ${segmentColumns} FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND last_offset >= $offset
      AND log = (SELECT log FROM partitions WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition)
      ORDER BY last_offset LIMIT $maxSegments
    ) AS s ${withNonce}`,
)

/** The segment that holds the offset, or the first one after it. */
const readSegmentAt = statementPerRow<{ readonly ask: number; readonly log: LogId; readonly offset: number }, SegmentRow>(
  'read segment at',
  { ask: 'int', log: 'bigint', offset: 'bigint' },
  `SELECT $ask AS ask, ${segmentColumns} FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $offset ORDER BY last_offset LIMIT 1
    ) AS s ${withNonce}`,
)

interface SegmentSince {
  readonly ask: number
  readonly log: LogId
  readonly offset: number
  readonly timestamp: number
  readonly nextOffset: number
}

/** The first segment from the offset on that has the timestamp itself. It reads the rows of all segments before that one. */
const readSegmentSince = statementPerRow<SegmentSince, SegmentRow>(
  'read segment since',
  { ask: 'int', log: 'bigint', offset: 'bigint', timestamp: 'bigint', nextOffset: 'bigint' },
  `SELECT $ask AS ask, ${segmentColumns} FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $offset AND last_offset < $nextOffset
      AND max_timestamp >= $timestamp ORDER BY last_offset LIMIT 1
    ) AS s ${withNonce}`,
)

/** The first segment with the largest timestamp, from the offset on. It reads the rows of all segments from there. */
const readNewestSegment = statementPerRow<Omit<SegmentSince, 'timestamp'>, SegmentRow>(
  'read newest segment',
  { ask: 'int', log: 'bigint', offset: 'bigint', nextOffset: 'bigint' },
  `SELECT $ask AS ask, ${segmentColumns} FROM (
      SELECT * FROM segments WHERE cluster = $cluster AND log = $log AND last_offset >= $offset AND last_offset < $nextOffset
      ORDER BY max_timestamp DESC, last_offset LIMIT 1
    ) AS s ${withNonce}`,
)

interface NewestProducerIdBlock {
  readonly first: number
  readonly nextLog: number
  readonly ageMs: number
}

const readNewestProducerIdBlock = statement<Nothing, NewestProducerIdBlock>(
  'read newest producer id block',
  `SELECT first, next_log AS "nextLog", now_ms() - allocated_at_ms AS "ageMs" FROM producer_id_blocks
    WHERE cluster = $cluster ORDER BY first DESC LIMIT 1`,
)

const insertProducerIdBlock = statement<{ readonly first: number; readonly count: number; readonly nextLog: number }>(
  'insert producer id block',
  'INSERT INTO producer_id_blocks (cluster, first, count, allocated_at_ms, next_log) VALUES ($cluster, $first, $count, now_ms(), $nextLog)',
)

const growProducerIdBlock = statement<{ readonly first: number; readonly count: number }>(
  'grow producer id block',
  'UPDATE producer_id_blocks SET count = $count WHERE cluster = $cluster AND first = $first',
)

const setNextProducerId = statement<{ readonly next: number }>(
  'set next producer id',
  'UPDATE clusters SET next_producer_id = $next WHERE cluster = $cluster',
)
