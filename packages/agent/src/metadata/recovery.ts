// The verbs of a recovery: the newest objects by their rows, the logs that have records in damaged ones, and the cut of those logs.
import type { IncarnationId, LogId, Nonce, Sequence, TopicId, TopicPartition } from '../core/ids.ts'
import { cutWindow, type RememberedBatch } from '../core/log/producer-window.ts'
import { objectKey } from '../core/object-key.ts'
import type { InCluster } from './cluster.ts'
import type { CommittedObject, DamagedLog, ObjectId, RecentCursor, RecentObjects } from './recovery-store.ts'
import { type Body, read, statement, unchanged } from './sql.ts'

export interface RecentObjectsInput {
  readonly windowMs: number
  readonly maxObjects: number
  readonly after?: RecentCursor
}

/** Chain after chain, each from its end: in one chain the commits are in the order of time, so nothing older is read than one page. */
export function* recentObjects({ cluster, input }: InCluster<RecentObjectsInput>): Body<RecentObjects> {
  const cursor = input.after ?? (yield* newestChains(cluster.number, input.windowMs))
  const [chain, ...others] = cursor.chains
  if (chain === undefined) return unchanged({ objects: [] })
  const [rows] = yield* read(readObjectsBelow(cluster.number, chain, cursor.below, input.maxObjects))
  const recent = rows.filter(({ createdAtMs }) => createdAtMs >= cursor.sinceMs)
  const objects = recent.map(({ incarnation, nonce, sequence, sizeBytes, checksum }): CommittedObject => {
    return { incarnation, sequence, key: objectKey(cluster.id, { id: incarnation, nonce }, sequence), sizeBytes, checksum }
  })
  const last = rows.at(-1)
  // A clock that was set back makes newer commits look older: the chain ends only where all of a page is too old.
  if (last !== undefined && rows.length === input.maxObjects && recent.length > 0)
    return unchanged({ objects, next: { ...cursor, below: last.sequence } })
  return unchanged(others.length === 0 ? { objects } : { objects, next: { ...cursor, chains: others, below: beyond } })
}

function* newestChains(cluster: number, windowMs: number) {
  const [chains] = yield* read(readChains(cluster))
  const used = chains.filter((chain): chain is UsedChain => chain.newestMs !== null)
  const sinceMs = used.reduce((newest, chain) => Math.max(newest, chain.newestMs), 0) - windowMs
  const recent = used.filter(({ newestMs }) => newestMs >= sinceMs).toSorted((a, b) => b.incarnation - a.incarnation)
  return { sinceMs, chains: recent.map(({ incarnation }) => incarnation), below: beyond } satisfies RecentCursor
}

export interface DamagedLogsInput {
  readonly objects: readonly ObjectId[]
  /** Where the page before ended. */
  readonly after?: SegmentPlace
  /** Rows that one page looks at. */
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

/** Segments have no index by object, for every commit would pay for it: this goes over all of them, page by page. */
export function* damagedLogs({ cluster, input }: InCluster<DamagedLogsInput>): Body<DamagedLogsPage> {
  const { objects, after = { log: -1, lastOffset: -1 }, maxSegments } = input
  const [[end]] = yield* read(readSegmentKey(cluster.number, after.log, after.lastOffset, maxSegments))
  const to = end ?? { log: beyond, lastOffset: beyond }
  const ids = JSON.stringify(objects.map(({ incarnation, sequence }) => [incarnation, sequence]))
  const [damaged] = yield* read(readSegmentsOf(cluster.number, after.log, after.lastOffset, to.log, to.lastOffset, ids))
  if (damaged.length === 0) return unchanged(end === undefined ? { logs: [] } : { logs: [], next: end })
  const [partitions] = yield* read(readPartitionsOf(cluster.number, JSON.stringify(damaged.map(({ log }) => log))))
  const first = new Map(damaged.map(({ log, fromOffset }) => [log, fromOffset]))
  const logs = partitions.map((row): DamagedLog => {
    const fromOffset = cutOf(row, first.get(row.log) ?? row.nextOffset)
    const { topicId, partition, log: logId, topic } = row
    return { topicId, partition, logId, topic, deleted: row.deletedAtMs !== null, fromOffset, offsets: row.nextOffset - fromOffset }
  })
  return unchanged(end === undefined ? { logs } : { logs, next: end })
}

/** The logs to cut in one transaction. */
export function* cutLogs({ cluster, input }: InCluster<readonly DamagedLog[]>): Body<null> {
  const from = new Map(input.map(({ logId, fromOffset }) => [logId, fromOffset]))
  const [locked] = yield* read(
    lockLogs(
      cluster.number,
      input.map(({ topicId }) => topicId),
      input.map(({ partition }) => partition),
    ),
  )
  const cuts = locked.flatMap((row) => {
    const fromOffset = cutOf(row, from.get(row.log) ?? row.nextOffset)
    return fromOffset < row.nextOffset ? [{ ...row, fromOffset }] : []
  })
  if (cuts.length === 0) return unchanged(null)
  const logs = cuts.map(({ log }) => log)
  const offsets = cuts.map(({ fromOffset }) => fromOffset)
  const topicIds = cuts.map(({ topicId }) => topicId)
  const partitions = cuts.map(({ partition }) => partition)
  const [kept, windows] = yield* read(readLastSegmentBelow(cluster.number, logs, offsets), readWindowsOf(cluster.number, logs))
  const maxTimestamps = new Map(kept.map(({ log, runningMaxTimestamp }) => [log, runningMaxTimestamp]))
  const { changed, gone } = cutWindows(windows, new Map(cuts.map(({ log, fromOffset }) => [log, fromOffset])))
  return {
    writes: [
      deleteSegmentsFrom(cluster.number, logs, offsets),
      endLogs(
        cluster.number,
        topicIds,
        partitions,
        offsets,
        logs.map((log) => maxTimestamps.get(log) ?? -1),
      ),
      setWindows(
        cluster.number,
        changed.map(({ log }) => log),
        changed.map(({ producerId }) => producerId),
        changed.map(({ batches }) => batches),
      ),
      deleteWindows(
        cluster.number,
        gone.map(({ log }) => log),
        gone.map(({ producerId }) => producerId),
      ),
      deleteKeysFrom(cluster.number, topicIds, partitions, offsets),
      lowerGroupOffsets(cluster.number, topicIds, partitions, offsets),
    ],
    value: null,
  }
}

export function* forgetObjects({ cluster, input }: InCluster<readonly ObjectId[]>): Body<null> {
  yield* read(
    deleteObjects(
      cluster.number,
      input.map(({ incarnation }) => incarnation),
      input.map(({ sequence }) => sequence),
    ),
  )
  return unchanged(null)
}

/** Above every number that is stored. */
const beyond = Number.MAX_SAFE_INTEGER

/** What was deleted from the front is gone already, and its offsets are never given again. */
function cutOf({ logStartOffset }: LogRow, fromOffset: number): number {
  return Math.max(fromOffset, logStartOffset)
}

function cutWindows(
  windows: readonly WindowRow[],
  from: ReadonlyMap<LogId, number>,
): { readonly changed: readonly WindowRow[]; readonly gone: readonly WindowRow[] } {
  const changed: WindowRow[] = []
  const gone: WindowRow[] = []
  for (const row of windows) {
    const window = { epoch: row.epoch, batches: JSON.parse(row.batches) as readonly RememberedBatch[] }
    const left = cutWindow(window, from.get(row.log) ?? beyond)
    if (left === undefined) gone.push(row)
    else if (left !== window) changed.push({ ...row, batches: JSON.stringify(left.batches) })
  }
  return { changed, gone }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface Chain {
  readonly incarnation: IncarnationId
  readonly newestMs: number | null
}
interface UsedChain extends Chain {
  readonly newestMs: number
}

const chainsSelect = `SELECT i.incarnation, (
    SELECT o.created_at_ms FROM objects AS o WHERE o.cluster = i.cluster AND o.incarnation = i.incarnation ORDER BY o.sequence DESC LIMIT 1
  ) AS "newestMs" FROM incarnations AS i`
const readChains = statement<[cluster: number], Chain>('read chains', {
  postgres: `${chainsSelect} WHERE i.cluster = $1`,
  sqlite: `${chainsSelect} WHERE i.cluster = ?1`,
})

interface ObjectRow extends ObjectId {
  readonly nonce: Nonce
  readonly sizeBytes: number
  readonly checksum: number
  readonly createdAtMs: number
}

const objectsSelect = `SELECT o.incarnation, i.nonce, o.sequence, o.size_bytes AS "sizeBytes", o.checksum, o.created_at_ms AS "createdAtMs"
  FROM objects AS o JOIN incarnations AS i ON i.cluster = o.cluster AND i.incarnation = o.incarnation`
const readObjectsBelow = statement<[cluster: number, incarnation: IncarnationId, below: Sequence, maxObjects: number], ObjectRow>(
  'read objects below',
  {
    postgres: `${objectsSelect} WHERE o.cluster = $1 AND o.incarnation = $2 AND o.sequence < $3 ORDER BY o.sequence DESC LIMIT $4`,
    sqlite: `${objectsSelect} WHERE o.cluster = ?1 AND o.incarnation = ?2 AND o.sequence < ?3 ORDER BY o.sequence DESC LIMIT ?4`,
  },
)

/** The key of the segment so many places behind that one, if there are as many. */
const readSegmentKey = statement<[cluster: number, log: LogId, lastOffset: number, places: number], SegmentPlace>('read segment key', {
  postgres: `SELECT log, last_offset AS "lastOffset" FROM segments WHERE cluster = $1 AND (log, last_offset) > ($2, $3)
    ORDER BY log, last_offset LIMIT 1 OFFSET $4 - 1`,
  sqlite: `SELECT log, last_offset AS "lastOffset" FROM segments WHERE cluster = ?1 AND (log, last_offset) > (?2, ?3)
    ORDER BY log, last_offset LIMIT 1 OFFSET ?4 - 1`,
})

/** The objects come as JSON, one argument for all: their number is no reason to run over the segments more than once. */
const readSegmentsOf = statement<
  [cluster: number, afterLog: LogId, afterOffset: number, toLog: LogId, toOffset: number, objects: string],
  { readonly log: LogId; readonly fromOffset: number }
>('read segments of objects', {
  postgres: `SELECT log, min(base_offset) AS "fromOffset" FROM segments
    WHERE cluster = $1 AND (log, last_offset) > ($2, $3) AND (log, last_offset) <= ($4, $5)
    AND (incarnation, sequence) IN (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM json_array_elements($6::json)) GROUP BY log`,
  sqlite: `SELECT log, min(base_offset) AS "fromOffset" FROM segments
    WHERE cluster = ?1 AND (log, last_offset) > (?2, ?3) AND (log, last_offset) <= (?4, ?5)
    AND (incarnation, sequence) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?6)) GROUP BY log`,
})

interface LogRow extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
}

const logColumns = 'p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset"'
const partitionsSelect = `SELECT ${logColumns}, t.name AS topic, t.deleted_at_ms AS "deletedAtMs"
  FROM partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id`
/** By its log alone no partition has an index, so one run over all for all logs. */
const readPartitionsOf = statement<
  [cluster: number, logs: string],
  LogRow & { readonly topic: string; readonly deletedAtMs: number | null }
>('read partitions of logs', {
  postgres: `${partitionsSelect} WHERE p.cluster = $1 AND p.log IN (SELECT value::text::bigint FROM json_array_elements($2::json))`,
  sqlite: `${partitionsSelect} WHERE p.cluster = ?1 AND p.log IN (SELECT value FROM json_each(?2))`,
})

/** In the order of the commit, so that two never wait for each other in a circle. */
const lockLogs = statement<[cluster: number, topicIds: TopicId[], partitions: number[]], LogRow>('lock logs', {
  each: true,
  postgres: `SELECT ${logColumns} FROM partitions AS p JOIN unnest($2::text[], $3::int[]) AS a (topic_id, partition)
    ON p.topic_id = a.topic_id AND p.partition = a.partition WHERE p.cluster = $1 ORDER BY p.topic_id, p.partition FOR NO KEY UPDATE OF p`,
  sqlite: `SELECT ${logColumns} FROM partitions AS p WHERE p.cluster = ?1 AND p.topic_id = ?2 AND p.partition = ?3`,
})

const readLastSegmentBelow = statement<
  [cluster: number, logs: LogId[], offsets: number[]],
  { readonly log: LogId; readonly runningMaxTimestamp: number }
>('read last segment below', {
  each: true,
  postgres: `SELECT a.log, s.running_max_timestamp AS "runningMaxTimestamp" FROM unnest($2::bigint[], $3::bigint[]) AS a (log, below)
    CROSS JOIN LATERAL (
      SELECT running_max_timestamp FROM segments WHERE cluster = $1 AND log = a.log AND last_offset < a.below ORDER BY last_offset DESC LIMIT 1
    ) AS s`,
  sqlite: `SELECT log, running_max_timestamp AS "runningMaxTimestamp" FROM segments
    WHERE cluster = ?1 AND log = ?2 AND last_offset < ?3 ORDER BY last_offset DESC LIMIT 1`,
})

interface WindowRow {
  readonly log: LogId
  readonly producerId: number
  readonly epoch: number
  readonly batches: string
}

const readWindowsOf = statement<[cluster: number, logs: LogId[]], WindowRow>('read windows of logs', {
  each: true,
  postgres: `SELECT log, producer_id AS "producerId", epoch, batches FROM producers WHERE cluster = $1 AND log = ANY ($2::bigint[])`,
  sqlite: `SELECT log, producer_id AS "producerId", epoch, batches FROM producers WHERE cluster = ?1 AND log = ?2`,
})

const deleteSegmentsFrom = statement<[cluster: number, logs: LogId[], offsets: number[]]>('delete segments from', {
  each: true,
  postgres: `DELETE FROM segments AS s USING unnest($2::bigint[], $3::bigint[]) AS a (log, from_offset)
    WHERE s.cluster = $1 AND s.log = a.log AND s.last_offset >= a.from_offset`,
  sqlite: 'DELETE FROM segments WHERE cluster = ?1 AND log = ?2 AND last_offset >= ?3',
})

const endLogs = statement<[cluster: number, topicIds: TopicId[], partitions: number[], nextOffsets: number[], maxTimestamps: number[]]>(
  'end logs',
  {
    each: true,
    postgres: `UPDATE partitions AS p SET next_offset = a.next_offset, max_timestamp = a.max_timestamp
    FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS a (topic_id, partition, next_offset, max_timestamp)
    WHERE p.cluster = $1 AND p.topic_id = a.topic_id AND p.partition = a.partition`,
    sqlite: 'UPDATE partitions SET next_offset = ?4, max_timestamp = ?5 WHERE cluster = ?1 AND topic_id = ?2 AND partition = ?3',
  },
)

const setWindows = statement<[cluster: number, logs: LogId[], producerIds: number[], batches: string[]]>('set producer windows', {
  each: true,
  postgres: `UPDATE producers AS w SET batches = a.batches FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS a (log, producer_id, batches)
    WHERE w.cluster = $1 AND w.log = a.log AND w.producer_id = a.producer_id`,
  sqlite: 'UPDATE producers SET batches = ?4 WHERE cluster = ?1 AND log = ?2 AND producer_id = ?3',
})

const deleteWindows = statement<[cluster: number, logs: LogId[], producerIds: number[]]>('delete producer windows', {
  each: true,
  postgres: `DELETE FROM producers AS w USING unnest($2::bigint[], $3::bigint[]) AS a (log, producer_id)
    WHERE w.cluster = $1 AND w.log = a.log AND w.producer_id = a.producer_id`,
  sqlite: 'DELETE FROM producers WHERE cluster = ?1 AND log = ?2 AND producer_id = ?3',
})

const deleteKeysFrom = statement<[cluster: number, topicIds: TopicId[], partitions: number[], offsets: number[]]>(
  'delete idempotency keys from',
  {
    each: true,
    postgres: `DELETE FROM idempotency_keys AS k USING unnest($2::text[], $3::int[], $4::bigint[]) AS a (topic_id, partition, from_offset)
    WHERE k.cluster = $1 AND k.topic_id = a.topic_id AND k.partition = a.partition AND k.base_offset >= a.from_offset`,
    sqlite: 'DELETE FROM idempotency_keys WHERE cluster = ?1 AND topic_id = ?2 AND partition = ?3 AND base_offset >= ?4',
  },
)

/** A group that has read what is gone reads on at what comes in its place. */
const lowerGroupOffsets = statement<[cluster: number, topicIds: TopicId[], partitions: number[], offsets: number[]]>(
  'lower group offsets',
  {
    each: true,
    postgres: `UPDATE group_offsets AS g SET committed_offset = a.from_offset
    FROM unnest($2::text[], $3::int[], $4::bigint[]) AS a (topic_id, partition, from_offset)
    WHERE g.cluster = $1 AND g.topic_id = a.topic_id AND g.partition = a.partition AND g.committed_offset > a.from_offset`,
    sqlite: `UPDATE group_offsets SET committed_offset = ?4
    WHERE cluster = ?1 AND topic_id = ?2 AND partition = ?3 AND committed_offset > ?4`,
  },
)

const deleteObjects = statement<[cluster: number, incarnations: IncarnationId[], sequences: Sequence[]]>('delete objects', {
  each: true,
  postgres: `DELETE FROM objects AS o USING unnest($2::bigint[], $3::bigint[]) AS a (incarnation, sequence)
    WHERE o.cluster = $1 AND o.incarnation = a.incarnation AND o.sequence = a.sequence`,
  sqlite: 'DELETE FROM objects WHERE cluster = ?1 AND incarnation = ?2 AND sequence = ?3',
})
