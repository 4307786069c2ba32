// The one transaction that gives a flush's batches their offsets: every check that matters is made here, under the incarnation's and the partitions' row locks.
import { type IncarnationId, type LogId, partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { type KnownProducer, LogAppend, type Run } from '../core/log/append.ts'
import type { RememberedBatch } from '../core/log/producer-window.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import type { InCluster } from './cluster.ts'
import { type ClaimedKeys, claimKeys } from './idempotency.ts'
import { advanceIncarnation, lockIncarnation, readSlots } from './members.ts'
import {
  type CommitBatch,
  type CommitInput,
  type CommitOutcome,
  type CommitResult,
  MetadataError,
  type Refusal,
  type Segment,
  type Verdict,
} from './metadata-store.ts'
import { type Body, type Call, type Decision, type Reading, read, statement, unchanged } from './sql.ts'

export type CommitDecision = Exclude<CommitOutcome, { kind: 'rolled back' | 'unknown' }>

/** The order of these checks is the protocol (DESIGN §6.4). A replay of the last committed flush is answered with its stored result, also when fenced. */
export function* commit({ cluster, input }: InCluster<CommitInput>): Body<CommitDecision> {
  const { incarnation, sequence, prev, batches } = input
  const asked = distinct(batches, (batch) => partitionKey(batch.topicId, batch.partition)).toSorted(byTopicAndPartition)
  const producers = distinct(batches, (batch) => producerKey(batch)).filter(({ producerId }) => producerId >= 0)
  // One round trip, but statement after statement: what decides is read after the lock that protects it.
  const [[held], logs, alive, slots, windows, ages] = yield* read(
    lockIncarnation(cluster.number, incarnation.id, incarnation.nonce),
    lockPartitions(cluster.number, asked.map(topicIdOf), asked.map(partitionOf)),
    readAliveTopics(cluster.number, [...new Set(asked.map(topicIdOf))]),
    readSlots(cluster.number, [...new Set(asked.map((one) => slotOfPartition(one.topicId, one.partition, cluster.slots)))]),
    readWindows(cluster.number, producers.map(topicIdOf), producers.map(partitionOf), producers.map(producerIdOf)),
    readProducerIdAges(cluster.number, [...new Set(producers.map(producerIdOf))]),
  )
  if (held === undefined) return unchanged({ kind: 'fenced' })
  if (held.lastSequence === sequence) return unchanged(yield* replay(cluster.number, incarnation.id, sequence))
  if (held.state !== 'active') return unchanged({ kind: 'fenced' })
  if (sequence < held.lastSequence) return unchanged({ kind: 'abandoned' })
  if (held.lastSequence !== prev) return unchanged({ kind: 'out of order', lastSequence: held.lastSequence })

  const refusalOf = refusals({ aliveTopics: new Set(alive.map(topicIdOf)), logs, slots, slotCount: cluster.slots, owner: incarnation.id })
  const keys = yield* claimKeys(
    cluster.number,
    batches.filter((batch) => refusalOf(batch) === undefined),
  )
  const growing = openLogs(logs, input, { windows, ages })
  const verdicts = batches.map((batch) => decide(batch, refusalOf(batch), keys, growing))
  return stored({ cluster, input }, verdicts, growing, keys)
}

/** A log of this flush: its row, and what the flush makes of it. */
interface Growing {
  readonly row: LockedPartition
  readonly log: LogAppend
}

function decide(batch: CommitBatch, refusal: Refusal | undefined, keys: ClaimedKeys, growing: ReadonlyMap<string, Growing>): Verdict {
  const opened = growing.get(partitionKey(batch.topicId, batch.partition))
  if (refusal !== undefined || opened === undefined) return { kind: 'refused', reason: refusal ?? 'UNKNOWN_TOPIC_OR_PARTITION' }
  const earlier = keys.earlier(batch)
  if (earlier !== undefined) return earlier
  const verdict = opened.log.append(batch)
  if (verdict.kind === 'appended') keys.place(batch, verdict.baseOffset)
  return verdict
}

/** The topic is alive, the partition exists, and its slot is this incarnation's under the epoch that was written into the batch. */
function refusals(known: {
  readonly aliveTopics: ReadonlySet<TopicId>
  readonly logs: readonly LockedPartition[]
  readonly slots: readonly { readonly slot: number; readonly owner: IncarnationId | null; readonly epoch: number }[]
  readonly slotCount: number
  readonly owner: IncarnationId
}): (batch: CommitBatch) => Refusal | undefined {
  const partitions = new Set(known.logs.map(({ topicId, partition }) => partitionKey(topicId, partition)))
  const slots = new Map(known.slots.map((slot) => [slot.slot, slot]))
  return ({ topicId, partition, epoch }) => {
    if (!known.aliveTopics.has(topicId)) return 'UNKNOWN_TOPIC_ID'
    if (!partitions.has(partitionKey(topicId, partition))) return 'UNKNOWN_TOPIC_OR_PARTITION'
    const slot = slots.get(slotOfPartition(topicId, partition, known.slotCount))
    return slot?.owner === known.owner && slot.epoch === epoch ? undefined : 'NOT_LEADER_OR_FOLLOWER'
  }
}

function openLogs(
  logs: readonly LockedPartition[],
  { producerIdExpirationMs }: CommitInput,
  { windows, ages }: { readonly windows: readonly StoredWindow[]; readonly ages: readonly ProducerIdAge[] },
): ReadonlyMap<string, Growing> {
  // A window that outlived producer.id.expiration.ms is forgotten, as Kafka forgets it.
  const remembered = new Map(
    windows.filter(({ silentMs }) => silentMs <= producerIdExpirationMs).map((window) => [producerKey(window), window]),
  )
  const young = new Map(ages.filter(({ ageMs }) => ageMs < producerIdExpirationMs).map((age) => [age.producerId, age.nextLog]))
  const known = new Set(windows.map((window) => producerKey(window)))
  return new Map(
    logs.map((row) => {
      const producerOf = (producerId: number): KnownProducer => {
        const key = producerKey({ ...row, producerId })
        const window = remembered.get(key)
        // The producer got its id when the log was there already, and has never appended to it: its first batch here is the one with sequence 0.
        // A log with a later number was made after the id: the topic was deleted and made again, and the producer's sequence goes on from the old one.
        const logIsOlder = row.log < (young.get(producerId) ?? 0)
        return {
          window: window && { epoch: window.epoch, batches: JSON.parse(window.batches) as readonly RememberedBatch[] },
          mustBeginAtZero: logIsOlder && !known.has(key),
        }
      }
      return [partitionKey(row.topicId, row.partition), { row, log: new LogAppend(row, producerOf) }]
    }),
  )
}

/** What a replay answers: only the last commit of a chain can be replayed, and its result is stored with it. */
function* replay(cluster: number, incarnation: IncarnationId, sequence: number): Reading<CommitDecision> {
  const [[row]] = yield* read(readResult(cluster, incarnation, sequence))
  if (row === undefined)
    throw new MetadataError('invalid', `The result of flush ${incarnation}/${sequence} is missing, although it is committed.`)
  return { kind: 'committed', result: JSON.parse(row.result) as CommitResult }
}

function stored(
  { cluster, input }: InCluster<CommitInput>,
  verdicts: readonly Verdict[],
  growing: ReadonlyMap<string, Growing>,
  keys: ClaimedKeys,
): Decision<CommitDecision> {
  const { incarnation, sequence, object } = input
  const key = objectKey(cluster.id, incarnation, sequence)
  const grown = [...growing.values()].filter(({ log }) => log.runs.length > 0)
  const result: CommitResult = {
    verdicts,
    grown: grown.map(({ row, log }) => ({
      topicId: row.topicId,
      partition: row.partition,
      highWatermark: log.end.nextOffset,
      segments: log.runs.map(({ baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp }): Segment => {
        return { baseOffset, lastOffset, objectKey: key, byteStart, sizeBytes, maxTimestamp }
      }),
    })),
  }
  const writes = [
    ...(object === null ? [] : [insertObject(cluster.number, incarnation.id, sequence, object.sizeBytes, object.checksum)]),
    ...(grown.length === 0 ? [] : growthOf(input, cluster.number, grown)),
    ...keys.writes(),
    writeResult(cluster.number, incarnation.id, sequence, JSON.stringify(result)),
    advanceIncarnation(cluster.number, incarnation.id, sequence),
  ]
  return { writes, value: { kind: 'committed', result } }
}

function growthOf({ incarnation, sequence }: CommitInput, cluster: number, grown: readonly Growing[]): readonly Call[] {
  const runs = grown.flatMap(({ row, log }) => log.runs.map((run): Run & { readonly log: LogId } => ({ ...run, log: row.log })))
  const windows = grown.flatMap(({ row, log }) => [...log.windows].map(([producerId, window]) => ({ ...window, producerId, log: row.log })))
  return [
    insertSegments(
      cluster,
      incarnation.id,
      sequence,
      runs.map(({ log }) => log),
      runs.map(({ lastOffset }) => lastOffset),
      runs.map(({ baseOffset }) => baseOffset),
      runs.map(({ byteStart }) => byteStart),
      runs.map(({ sizeBytes }) => sizeBytes),
      runs.map(({ maxTimestamp }) => maxTimestamp),
      runs.map(({ runningMaxTimestamp }) => runningMaxTimestamp),
    ),
    movePartitions(
      cluster,
      grown.map(({ row }) => row.topicId),
      grown.map(({ row }) => row.partition),
      grown.map(({ log }) => log.end.nextOffset),
      grown.map(({ log }) => log.end.maxTimestamp),
    ),
    ...(windows.length === 0
      ? []
      : [
          writeWindows(
            cluster,
            windows.map(({ log }) => log),
            windows.map(producerIdOf),
            windows.map(({ epoch }) => epoch),
            windows.map(({ batches }) => JSON.stringify(batches)),
          ),
        ]),
  ]
}

// ---- keys ---------------------------------------------------------------------------------------------------------------------------

const topicIdOf = ({ topicId }: { readonly topicId: TopicId }): TopicId => topicId
const partitionOf = ({ partition }: TopicPartition): number => partition
const producerIdOf = ({ producerId }: { readonly producerId: number }): number => producerId

function producerKey({ topicId, partition, producerId }: TopicPartition & { readonly producerId: number }): string {
  return `${partitionKey(topicId, partition)}/${producerId}`
}

function distinct<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()]
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topicId === b.topicId) return a.partition - b.partition
  return a.topicId < b.topicId ? -1 : 1
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface LockedPartition extends TopicPartition {
  readonly log: LogId
  readonly nextOffset: number
  readonly maxTimestamp: number
}

const partitionColumns = 'p.topic_id AS "topicId", p.partition, p.log, p.next_offset AS "nextOffset", p.max_timestamp AS "maxTimestamp"'
/** In one order for all, so that two commits never wait for each other in a circle. */
const lockPartitions = statement<[cluster: number, topicIds: string[], partitions: number[]], LockedPartition>('lock partitions', {
  each: true,
  postgres: `SELECT ${partitionColumns} FROM partitions AS p JOIN unnest($2::text[], $3::int[]) AS a (topic_id, partition)
    ON p.topic_id = a.topic_id AND p.partition = a.partition WHERE p.cluster = $1 ORDER BY p.topic_id, p.partition FOR NO KEY UPDATE OF p`,
  sqlite: `SELECT ${partitionColumns} FROM partitions AS p WHERE p.cluster = ?1 AND p.topic_id = ?2 AND p.partition = ?3`,
})

/** A deletion locks the partitions before it changes the topic: what is read here after their locks stays true until COMMIT. */
const readAliveTopics = statement<[cluster: number, topicIds: string[]], { readonly topicId: TopicId }>('read alive topics', {
  each: true,
  postgres: 'SELECT topic_id AS "topicId" FROM topics WHERE cluster = $1 AND topic_id = ANY ($2::text[]) AND deleted_at_ms IS NULL',
  sqlite: 'SELECT topic_id AS "topicId" FROM topics WHERE cluster = ?1 AND topic_id = ?2 AND deleted_at_ms IS NULL',
})

interface StoredWindow extends TopicPartition {
  readonly producerId: number
  readonly epoch: number
  readonly batches: string
  readonly silentMs: number
}

const windowColumns = `p.topic_id AS "topicId", p.partition, w.producer_id AS "producerId", w.epoch, w.batches, now_ms() - w.last_seen_ms AS "silentMs"`
const readWindows = statement<[cluster: number, topicIds: string[], partitions: number[], producerIds: number[]], StoredWindow>(
  'read producer windows',
  {
    each: true,
    postgres: `SELECT ${windowColumns} FROM unnest($2::text[], $3::int[], $4::bigint[]) AS a (topic_id, partition, producer_id)
    JOIN partitions AS p ON p.cluster = $1 AND p.topic_id = a.topic_id AND p.partition = a.partition
    JOIN producers AS w ON w.cluster = $1 AND w.log = p.log AND w.producer_id = a.producer_id`,
    sqlite: `SELECT ${windowColumns} FROM partitions AS p JOIN producers AS w ON w.cluster = ?1 AND w.log = p.log AND w.producer_id = ?4
    WHERE p.cluster = ?1 AND p.topic_id = ?2 AND p.partition = ?3`,
  },
)

interface ProducerIdAge {
  readonly producerId: number
  readonly ageMs: number
  /** Logs with a smaller number were made before the id was given out. */
  readonly nextLog: number
}

/** Ids that this cluster never gave out are missing. */
const readProducerIdAges = statement<[cluster: number, producerIds: number[]], ProducerIdAge>('read producer id ages', {
  each: true,
  postgres: `SELECT a.id AS "producerId", now_ms() - b.allocated_at_ms AS "ageMs", b.next_log AS "nextLog" FROM unnest($2::bigint[]) AS a (id) CROSS JOIN LATERAL (
      SELECT first, count, allocated_at_ms, next_log FROM producer_id_blocks WHERE cluster = $1 AND first <= a.id ORDER BY first DESC LIMIT 1
    ) AS b WHERE a.id < b.first + b.count`,
  sqlite: `SELECT ?2 AS "producerId", now_ms() - b.allocated_at_ms AS "ageMs", b.next_log AS "nextLog" FROM (
      SELECT first, count, allocated_at_ms, next_log FROM producer_id_blocks WHERE cluster = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1
    ) AS b WHERE ?2 < b.first + b.count`,
})

const readResult = statement<[cluster: number, incarnation: number, sequence: number], { readonly result: string }>('read result', {
  postgres: 'SELECT result FROM results WHERE cluster = $1 AND incarnation = $2 AND sequence = $3',
  sqlite: 'SELECT result FROM results WHERE cluster = ?1 AND incarnation = ?2 AND sequence = ?3',
})

const writeResult = statement<[cluster: number, incarnation: number, sequence: number, result: string]>('write result', {
  postgres: `INSERT INTO results (cluster, incarnation, sequence, result) VALUES ($1, $2, $3, $4)
    ON CONFLICT (cluster, incarnation) DO UPDATE SET sequence = excluded.sequence, result = excluded.result`,
  sqlite: `INSERT INTO results (cluster, incarnation, sequence, result) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (cluster, incarnation) DO UPDATE SET sequence = excluded.sequence, result = excluded.result`,
})

const insertObject = statement<[cluster: number, incarnation: number, sequence: number, sizeBytes: number, checksum: number]>(
  'insert object',
  {
    postgres: `INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms) VALUES ($1, $2, $3, $4, $5, now_ms())`,
    sqlite: `INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, now_ms())`,
  },
)

const segmentColumns =
  'cluster, incarnation, sequence, log, last_offset, base_offset, byte_start, size_bytes, max_timestamp, running_max_timestamp'
const insertSegments = statement<
  [
    cluster: number,
    incarnation: number,
    sequence: number,
    logs: number[],
    lastOffsets: number[],
    baseOffsets: number[],
    byteStarts: number[],
    sizesBytes: number[],
    maxTimestamps: number[],
    runningMaxTimestamps: number[],
  ]
>('insert segments', {
  each: true,
  postgres: `INSERT INTO segments (${segmentColumns}) SELECT $1::int, $2::bigint, $3::bigint, a.*
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) AS a`,
  sqlite: `INSERT INTO segments (${segmentColumns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
})

const movePartitions = statement<
  [cluster: number, topicIds: string[], partitions: number[], nextOffsets: number[], maxTimestamps: number[]]
>('move partitions', {
  each: true,
  postgres: `UPDATE partitions AS p SET next_offset = a.next_offset, max_timestamp = a.max_timestamp
    FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS a (topic_id, partition, next_offset, max_timestamp)
    WHERE p.cluster = $1 AND p.topic_id = a.topic_id AND p.partition = a.partition`,
  sqlite: 'UPDATE partitions SET next_offset = ?4, max_timestamp = ?5 WHERE cluster = ?1 AND topic_id = ?2 AND partition = ?3',
})

const writeWindows = statement<[cluster: number, logs: number[], producerIds: number[], epochs: number[], batches: string[]]>(
  'write producer windows',
  {
    each: true,
    postgres: `INSERT INTO producers (cluster, log, producer_id, epoch, batches, last_seen_ms)
    SELECT $1::int, a.log, a.producer_id, a.epoch, a.batches, now_ms()
    FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::text[]) AS a (log, producer_id, epoch, batches)
    ON CONFLICT (cluster, log, producer_id) DO UPDATE SET epoch = excluded.epoch, batches = excluded.batches, last_seen_ms = excluded.last_seen_ms`,
    sqlite: `INSERT INTO producers (cluster, log, producer_id, epoch, batches, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, now_ms())
    ON CONFLICT (cluster, log, producer_id) DO UPDATE SET epoch = excluded.epoch, batches = excluded.batches, last_seen_ms = excluded.last_seen_ms`,
  },
)
