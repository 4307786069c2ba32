// Where the log's bytes are: segments from an offset or a time on, the state of partitions, and blocks of producer ids.
import { type IncarnationId, type LogId, type Nonce, partitionKey, type Sequence, type TopicId, type TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import { limits } from '../limits.ts'
import { type Cluster, type InCluster, lockCluster } from './cluster.ts'
import { readSlots } from './members.ts'
import {
  type FindByTime,
  type FindSegments,
  type FoundByTime,
  type FoundSegments,
  MetadataError,
  type PartitionState,
  type Segment,
  type Watermarks,
} from './metadata-store.ts'
import { type Body, type Reading, read, statement, unchanged } from './sql.ts'

/** One forward range scan for each ask. The watermarks are read first: a segment that comes in between is beyond them, and left out. */
export function* findSegments({ cluster, input: asks }: InCluster<readonly FindSegments[]>): Body<readonly FoundSegments[]> {
  const [partitions, segments] = yield* read(
    readPartitions(cluster.number, asks.map(topicIdOf), asks.map(partitionOf)),
    readSegmentsFrom(
      cluster.number,
      asks.map((_, ask) => ask),
      asks.map(topicIdOf),
      asks.map(partitionOf),
      asks.map(({ offset }) => offset),
      asks.map(({ maxSegments }) => maxSegments),
    ),
  )
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

export function* partitionStates({
  cluster,
  input: asked,
}: InCluster<readonly TopicPartition[]>): Body<readonly (PartitionState | undefined)[]> {
  const slotOf = ({ topicId, partition }: TopicPartition): number => slotOfPartition(topicId, partition, cluster.slots)
  const [partitions, slots] = yield* read(
    readPartitions(cluster.number, asked.map(topicIdOf), asked.map(partitionOf)),
    readSlots(cluster.number, [...new Set(asked.map(slotOf))]),
  )
  const known = byPartition(partitions)
  const owners = new Map(slots.map((slot) => [slot.slot, slot]))
  return unchanged(
    asked.map(({ topicId, partition }): PartitionState | undefined => {
      const row = known.get(partitionKey(topicId, partition))
      if (row === undefined) return undefined
      const { owner = null, epoch = 0 } = owners.get(slotOf(row)) ?? {}
      return { topicId, partition, logId: row.log, maxTimestamp: row.maxTimestamp, owner, epoch, ...watermarksOf(row) }
    }),
  )
}

/** A binary search over each log, side by side: the running maximum never falls, so the first segment that reaches the time holds its record. */
export function* findByTime({ cluster, input: asks }: InCluster<readonly FindByTime[]>): Body<readonly FoundByTime[]> {
  const [partitions] = yield* read(readPartitions(cluster.number, asks.map(topicIdOf), asks.map(partitionOf)))
  const known = byPartition(partitions)
  const searches = asks.map((ask) => {
    const partition = known.get(partitionKey(ask.topicId, ask.partition))
    return partition && searchOf(ask, partition)
  })
  for (let open = openOf(searches); open.length > 0; open = openOf(searches)) yield* probe(cluster.number, open)
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
export function* allocateProducerIds({ cluster, input: count }: InCluster<number>): Body<number> {
  const [[counters], [newest]] = yield* read(lockCluster(cluster.number), readNewestProducerIdBlock(cluster.number))
  if (counters === undefined) throw new MetadataError('invalid', `Cluster ${cluster.id} is gone from the database.`)
  const first = counters.nextProducerId
  const joins = newest !== undefined && newest.nextLog === counters.nextLog && newest.ageMs >= 0 && newest.ageMs < limits.producerIdBlockMs
  return {
    writes: [
      joins
        ? growProducerIdBlock(cluster.number, newest.first, first + count - newest.first)
        : insertProducerIdBlock(cluster.number, first, count, counters.nextLog),
      setNextProducerId(cluster.number, first + count),
    ],
    value: first,
  }
}

/** One log's search: offsets below `low` are too early, `best` reaches the time, and only `low` to `high` may hold an earlier one. */
interface Search {
  readonly partition: PartitionRow
  readonly timestamp: number
  low: number
  high: number
  best: SegmentRow | undefined
}

function searchOf({ at }: FindByTime, partition: PartitionRow): Search {
  const timestamp = at.kind === 'timestamp' ? at.timestamp : partition.maxTimestamp
  // What is above the log's own maximum is nowhere; no probe is needed to know that.
  const high = timestamp > partition.maxTimestamp ? -1 : partition.nextOffset - 1
  return { partition, timestamp, low: partition.logStartOffset, high, best: undefined }
}

function openOf(searches: readonly (Search | undefined)[]): readonly Search[] {
  return searches.filter((search) => search !== undefined && search.low <= search.high) as readonly Search[]
}

/** Halves each range by the segment at its middle. */
function* probe(cluster: number, open: readonly Search[]): Reading<void> {
  const middles = open.map(({ low, high }) => Math.floor((low + high) / 2))
  const [rows] = yield* read(
    readSegmentAt(
      cluster,
      open.map((_, ask) => ask),
      open.map(({ partition }) => partition.log),
      middles,
    ),
  )
  const found = new Map(rows.map((row) => [row.ask, row]))
  for (const [index, search] of open.entries()) {
    const segment = found.get(index)
    const middle = middles[index] ?? search.low
    if (segment === undefined || segment.baseOffset > search.high) search.high = middle - 1
    else if (segment.runningMaxTimestamp < search.timestamp) search.low = segment.lastOffset + 1
    else {
      search.best = segment
      search.high = Math.min(middle, segment.baseOffset) - 1
    }
  }
}

/** The first segments that together have `maxBytes`; the first one always. */
function upTo(maxBytes: number, segments: readonly SegmentRow[]): readonly SegmentRow[] {
  let bytes = 0
  const end = segments.findIndex(({ sizeBytes }) => (bytes += sizeBytes) >= maxBytes)
  return end < 0 ? segments : segments.slice(0, end + 1)
}

function segmentOf(cluster: Cluster, row: SegmentRow): Segment {
  const { baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp } = row
  const objectKeyOfRow = objectKey(cluster.id, { id: row.incarnation, nonce: row.nonce }, row.sequence)
  return { baseOffset, lastOffset, objectKey: objectKeyOfRow, byteStart, sizeBytes, maxTimestamp }
}

/** Without transactions the last stable offset is the high watermark, and that is the end: nothing is visible before it is committed. */
function watermarksOf({ logStartOffset, nextOffset }: PartitionRow): Watermarks {
  return { logStartOffset, highWatermark: nextOffset, lastStableOffset: nextOffset }
}

function byPartition(rows: readonly PartitionRow[]): ReadonlyMap<string, PartitionRow> {
  return new Map(rows.map((row) => [partitionKey(row.topicId, row.partition), row]))
}

const topicIdOf = ({ topicId }: TopicPartition): TopicId => topicId
const partitionOf = ({ partition }: TopicPartition): number => partition

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface PartitionRow extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
}

const partitionSelect = `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
  p.max_timestamp AS "maxTimestamp" FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL`
/** Of living topics. */
const readPartitions = statement<[cluster: number, topicIds: string[], partitions: number[]], PartitionRow>('read partitions', {
  each: true,
  postgres: `${partitionSelect} JOIN unnest($2::text[], $3::int[]) AS a (topic_id, partition)
    ON p.topic_id = a.topic_id AND p.partition = a.partition WHERE p.cluster = $1`,
  sqlite: `${partitionSelect} WHERE p.cluster = ?1 AND p.topic_id = ?2 AND p.partition = ?3`,
})

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
}

const segmentColumns = `s.base_offset AS "baseOffset", s.last_offset AS "lastOffset", s.incarnation, i.nonce, s.sequence, s.byte_start AS "byteStart",
  s.size_bytes AS "sizeBytes", s.max_timestamp AS "maxTimestamp", s.running_max_timestamp AS "runningMaxTimestamp"`
const withNonce = 'JOIN incarnations AS i ON i.cluster = s.cluster AND i.incarnation = s.incarnation'

const readSegmentsFrom = statement<
  [cluster: number, asks: number[], topicIds: string[], partitions: number[], offsets: number[], maxSegments: number[]],
  SegmentRow
>('read segments from', {
  each: true,
  postgres: `SELECT a.ask, ${segmentColumns} FROM unnest($2::int[], $3::text[], $4::int[], $5::bigint[], $6::int[])
      AS a (ask, topic_id, partition, from_offset, max_segments)
    JOIN partitions AS p ON p.cluster = $1 AND p.topic_id = a.topic_id AND p.partition = a.partition
    CROSS JOIN LATERAL (
      SELECT * FROM segments WHERE cluster = $1 AND log = p.log AND last_offset >= a.from_offset ORDER BY last_offset LIMIT a.max_segments
    ) AS s ${withNonce}`,
  sqlite: `SELECT ?2 AS ask, ${segmentColumns} FROM partitions AS p JOIN segments AS s ON s.cluster = p.cluster AND s.log = p.log ${withNonce}
    WHERE p.cluster = ?1 AND p.topic_id = ?3 AND p.partition = ?4 AND s.last_offset >= ?5 ORDER BY s.last_offset LIMIT ?6`,
})

/** The segment that holds the offset, or the first one after it. */
const readSegmentAt = statement<[cluster: number, asks: number[], logs: number[], offsets: number[]], SegmentRow>('read segment at', {
  each: true,
  postgres: `SELECT a.ask, ${segmentColumns} FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS a (ask, log, at_offset) CROSS JOIN LATERAL (
      SELECT * FROM segments WHERE cluster = $1 AND log = a.log AND last_offset >= a.at_offset ORDER BY last_offset LIMIT 1
    ) AS s ${withNonce}`,
  sqlite: `SELECT ?2 AS ask, ${segmentColumns} FROM segments AS s ${withNonce}
    WHERE s.cluster = ?1 AND s.log = ?3 AND s.last_offset >= ?4 ORDER BY s.last_offset LIMIT 1`,
})

interface NewestProducerIdBlock {
  readonly first: number
  readonly nextLog: number
  readonly ageMs: number
}

const newestBlockSelect = 'SELECT first, next_log AS "nextLog", now_ms() - allocated_at_ms AS "ageMs" FROM producer_id_blocks'
const readNewestProducerIdBlock = statement<[cluster: number], NewestProducerIdBlock>('read newest producer id block', {
  postgres: `${newestBlockSelect} WHERE cluster = $1 ORDER BY first DESC LIMIT 1`,
  sqlite: `${newestBlockSelect} WHERE cluster = ?1 ORDER BY first DESC LIMIT 1`,
})

const insertProducerIdBlock = statement<[cluster: number, first: number, count: number, nextLog: number]>('insert producer id block', {
  postgres: 'INSERT INTO producer_id_blocks (cluster, first, count, allocated_at_ms, next_log) VALUES ($1, $2, $3, now_ms(), $4)',
  sqlite: 'INSERT INTO producer_id_blocks (cluster, first, count, allocated_at_ms, next_log) VALUES (?1, ?2, ?3, now_ms(), ?4)',
})

const growProducerIdBlock = statement<[cluster: number, first: number, count: number]>('grow producer id block', {
  postgres: 'UPDATE producer_id_blocks SET count = $3 WHERE cluster = $1 AND first = $2',
  sqlite: 'UPDATE producer_id_blocks SET count = ?3 WHERE cluster = ?1 AND first = ?2',
})

const setNextProducerId = statement<[cluster: number, nextProducerId: number]>('set next producer id', {
  postgres: 'UPDATE clusters SET next_producer_id = $2 WHERE cluster = $1',
  sqlite: 'UPDATE clusters SET next_producer_id = ?2 WHERE cluster = ?1',
})
