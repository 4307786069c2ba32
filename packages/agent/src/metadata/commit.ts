// The one transaction that assigns offsets to a flush's batches. It makes every check that matters, under the row locks of the incarnation and the partitions.
import { must } from '../core/assert.ts'
import { type IncarnationId, type LogId, partitionKey, type Sequence, type TopicId, type TopicPartition } from '../core/ids.ts'
import { type KnownProducer, LogAppend, type LogEnd, type SegmentRun } from '../core/log/append.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition } from '../core/slots.ts'
import type { Cluster, InCluster } from './cluster.ts'
import { FlushTransactions, placesOf, transactionalIdsOf } from './flush-transactions.ts'
import { type ClaimedKeys, claimKeys } from './idempotency.ts'
import { advanceIncarnation, lockIncarnation, readSlots } from './members.ts'
import {
  type CommitBatch,
  type CommitInput,
  type CommitOutcome,
  type CommitRejection,
  type CommitResult,
  MetadataError,
  type Segment,
  type Verdict,
} from './metadata-store.ts'
import { releaseObjects } from './object-rows.ts'
import {
  inLockOrder,
  type LockedPartition,
  lastStableOffset,
  lockPartitions,
  setFirstUnstable,
  setLogEnd,
  type WindowRow,
  windowOf,
  windowRow,
  writeWindows,
} from './partition-rows.ts'
import { type Body, type BodyPart, type Call, type Decision, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'
import { decodeResult, encodeResult } from './stored-result.ts'
import { lockTransactionalIds, readAddedPartitions } from './transaction-rows.ts'

export type CommitDecision = Exclude<CommitOutcome, { kind: 'rolled back' | 'unknown' }>

/** `segmentBytes`: a segment of several batches is at most so large. */
export interface CommitTransaction extends CommitInput {
  readonly segmentBytes: number
}

/** The order of these checks is the protocol. A replay of the last committed flush gets its stored result, even from a fenced incarnation. */
export function* commit(input: CommitTransaction, cluster: Cluster): Body<CommitDecision> {
  const { incarnation, sequence, prev, batches } = input
  const asked = inLockOrder(batches)
  const producers = producersOf(batches)
  // One round trip, but the statements run in order: each value that decides is read after the lock that protects it.
  const [[held], transactionalIds, added, logs, alive, slots, windows, ages] = yield* read(
    lockIncarnation(incarnation),
    lockTransactionalIds(transactionalIdsOf(batches)),
    readAddedPartitions(placesOf(batches)),
    lockPartitions(asked),
    readAliveTopics(distinct(asked, ({ topicId }) => topicId)),
    readSlots(asked.map(({ topicId, partition }) => slotOfPartition(topicId, partition, cluster.slots))),
    readWindows(producers),
    readProducerIdAges(distinct(producers, ({ producerId }) => String(producerId))),
  )
  if (held === undefined) return unchanged({ kind: 'fenced' })
  if (held.lastSequence === sequence) return unchanged(yield* replay(incarnation.id, sequence))
  if (held.state !== 'active') return unchanged({ kind: 'fenced' })
  if (sequence < held.lastSequence) return unchanged({ kind: 'abandoned' })
  if (held.lastSequence !== prev) return unchanged({ kind: 'out of order', lastSequence: held.lastSequence })

  const aliveTopics = new Set(alive.map(({ topicId }) => topicId))
  const rejectionOf = rejectionsOf({ aliveTopics, logs, slots, slotCount: cluster.slots, owner: incarnation.id })
  const keys = yield* claimKeys(batches.filter((batch) => rejectionOf(batch) === undefined))
  const growing = openLogs(logs, input, { windows, ages })
  const transactions = new FlushTransactions(transactionalIds, added)
  const verdicts = batches.map((batch) => decide(batch, rejectionOf(batch) ?? transactions.rejectionOf(batch), keys, growing))
  return stored({ cluster, input }, { verdicts, growing, writes: [...keys.writes(), ...transactions.writes()] })
}

/** A log that this flush may append to: its row, and the append in progress. */
interface Growing {
  readonly row: LockedPartition
  readonly log: LogAppend
}

function decide(
  batch: CommitBatch,
  rejection: CommitRejection | undefined,
  keys: ClaimedKeys,
  growing: ReadonlyMap<string, Growing>,
): Verdict {
  if (rejection !== undefined) return { kind: 'rejected', reason: rejection }
  const opened = must(growing.get(partitionKey(batch.topicId, batch.partition)), 'the log of a partition that exists')
  const earlier = keys.earlier(batch)
  if (earlier !== undefined) return earlier
  const verdict = opened.log.append(batch)
  if (verdict.kind === 'appended') keys.place(batch, verdict.baseOffset)
  return verdict
}

/** Accepts a batch if its topic is alive, its partition exists, and this incarnation owns the partition's slot under the epoch in the batch. */
function rejectionsOf(known: {
  readonly aliveTopics: ReadonlySet<TopicId>
  readonly logs: readonly LockedPartition[]
  readonly slots: readonly { readonly slot: number; readonly owner: IncarnationId | null; readonly epoch: number }[]
  readonly slotCount: number
  readonly owner: IncarnationId
}): (batch: CommitBatch) => CommitRejection | undefined {
  const partitions = new Set(known.logs.map(({ topicId, partition }) => partitionKey(topicId, partition)))
  const slots = new Map(known.slots.map((slot) => [slot.slot, slot]))
  return ({ topicId, partition, epoch }) => {
    if (!known.aliveTopics.has(topicId)) return 'UNKNOWN_TOPIC_ID'
    if (!partitions.has(partitionKey(topicId, partition))) return 'UNKNOWN_TOPIC_OR_PARTITION'
    const slot = must(slots.get(slotOfPartition(topicId, partition, known.slotCount)), 'the slot of a partition')
    return slot.owner === known.owner && slot.epoch === epoch ? undefined : 'NOT_LEADER_OR_FOLLOWER'
  }
}

function openLogs(
  logs: readonly LockedPartition[],
  { producerIdExpirationMs, segmentBytes }: CommitTransaction,
  { windows, ages }: { readonly windows: readonly StoredWindow[]; readonly ages: readonly ProducerIdAge[] },
): ReadonlyMap<string, Growing> {
  const known = byProducer(windows)
  const young = new Map(ages.filter(({ ageMs }) => ageMs < producerIdExpirationMs).map((age) => [age.producerId, age.nextLog]))
  return new Map(
    logs.map((row) => {
      const key = partitionKey(row.topicId, row.partition)
      const inLog = known.get(key)
      const producerOf = (producerId: number): KnownProducer => {
        const window = inLog?.get(producerId)
        // If the log is older than the producer's id, and the producer has never appended to it, its first batch here must have sequence 0.
        // A log with a later number was created after the id: the topic was deleted and created again, and the producer continues its old sequence.
        const logIsOlder = row.log < (young.get(producerId) ?? 0)
        return {
          window: window && isRemembered(window, producerIdExpirationMs) ? windowOf(window) : undefined,
          mustBeginAtZero: logIsOlder && window === undefined,
        }
      }
      return [key, { row, log: new LogAppend(row, producerOf, segmentBytes) }]
    }),
  )
}

/** The result of a replay: only the last commit of a chain can be replayed, and its result is stored with it. */
function* replay(incarnation: IncarnationId, sequence: Sequence): BodyPart<CommitDecision> {
  const [[row]] = yield* read(readResult({ incarnation, sequence }))
  if (row === undefined)
    throw new MetadataError('invalid', `The result of flush ${incarnation}/${sequence} is missing, although it is committed.`)
  return { kind: 'committed', result: decodeResult(row.result) }
}

interface Decided {
  readonly verdicts: readonly Verdict[]
  readonly growing: ReadonlyMap<string, Growing>
  /** Those of Idempotency-Keys and of transactions. */
  readonly writes: readonly Call[]
}

function stored({ cluster, input }: InCluster<CommitInput>, { verdicts, growing, writes: others }: Decided): Decision<CommitDecision> {
  const { incarnation, sequence, object } = input
  const flush = { incarnation: incarnation.id, sequence }
  const key = objectKey(cluster.id, incarnation, sequence)
  const grown = [...growing.values()].filter(({ log }) => log.runs.length > 0)
  const result: CommitResult = {
    verdicts,
    grown: grown.map(({ row, log }) => ({
      topicId: row.topicId,
      partition: row.partition,
      highWatermark: log.end.nextOffset,
      lastStableOffset: lastStableOffset({ logStartOffset: row.logStartOffset, ...log.end }),
      segments: log.runs.map(({ baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp }): Segment => {
        return { baseOffset, lastOffset, objectKey: key, byteStart, sizeBytes, maxTimestamp }
      }),
    })),
  }
  const writes = [
    ...(object === null ? [] : [insertObject({ ...flush, ...object })]),
    // No segment names the object if none of its batches was appended: it is for the sweep from the start.
    releaseObjects(object !== null && grown.length === 0 ? [flush] : []),
    ...growthOf(flush, grown),
    ...others,
    writeResult({ ...flush, result: encodeResult(result) }),
    advanceIncarnation(flush),
  ]
  return { writes, value: { kind: 'committed', result } }
}

function growthOf(flush: FlushId, grown: readonly Growing[]): readonly Call[] {
  return [
    insertSegments(grown.flatMap(segmentRowsOf), flush),
    setLogEnd(grown.map(logEndOf)),
    setFirstUnstable(grown.filter(({ row, log }) => log.end.firstUnstableOffset !== row.firstUnstableOffset).map(logEndOf)),
    writeWindows(grown.flatMap(({ row, log }) => [...log.windows].map(([producerId, window]) => windowRow(row.log, producerId, window)))),
  ]
}

/** Named one by one here and below: a spread of a row is slow, and each commit has one for each partition. */
function segmentRowsOf({ row: { log: logId }, log }: Growing): readonly (SegmentRun & { readonly log: LogId })[] {
  return log.runs.map(({ baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp, runningMaxTimestamp }) => {
    return { log: logId, baseOffset, lastOffset, byteStart, sizeBytes, maxTimestamp, runningMaxTimestamp }
  })
}

function logEndOf({ row: { topicId, partition }, log }: Growing): TopicPartition & LogEnd {
  const { nextOffset, maxTimestamp, firstUnstableOffset } = log.end
  return { topicId, partition, nextOffset, maxTimestamp, firstUnstableOffset }
}

// ---- keys ---------------------------------------------------------------------------------------------------------------------------

/** By partition, then by producer. */
function byProducer<T extends ProducerOfPartition>(items: readonly T[]): ReadonlyMap<string, ReadonlyMap<number, T>> {
  const byPartition = new Map<string, Map<number, T>>()
  for (const item of items) {
    const key = partitionKey(item.topicId, item.partition)
    const inPartition = byPartition.get(key)
    if (inPartition === undefined) byPartition.set(key, new Map([[item.producerId, item]]))
    else inPartition.set(item.producerId, item)
  }
  return byPartition
}

/** The idempotent producers of each partition, each once. */
function producersOf(batches: readonly CommitBatch[]): readonly ProducerOfPartition[] {
  return [...byProducer(batches.filter(({ producerId }) => producerId >= 0)).values()].flatMap((inPartition) => [...inPartition.values()])
}

/** A window older than producer.id.expiration.ms is forgotten, as in Kafka, unless the producer's transaction is open. */
function isRemembered({ silentMs, transactionFirstOffset }: StoredWindow, producerIdExpirationMs: number): boolean {
  return silentMs <= producerIdExpirationMs || transactionFirstOffset !== null
}

function distinct<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()]
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface FlushId {
  readonly incarnation: IncarnationId
  readonly sequence: Sequence
}

/** A deletion locks the partitions before it changes the topic, so an answer that is read here after their locks stays true until COMMIT. */
export const readAliveTopics = statementPerRow<{ readonly topicId: TopicId }, { readonly topicId: TopicId }>(
  'read alive topics',
  { topicId: 'text' },
  'SELECT topic_id AS "topicId" FROM topics WHERE cluster = $cluster AND topic_id = $topicId AND deleted_at_ms IS NULL',
)

export interface ProducerOfPartition extends TopicPartition {
  readonly producerId: number
}

export interface StoredWindow extends ProducerOfPartition, WindowRow {
  readonly silentMs: number
}

export const readWindows = statementPerRow<ProducerOfPartition, StoredWindow>(
  'read producer windows',
  { topicId: 'text', partition: 'int', producerId: 'bigint' },
  `SELECT p.topic_id AS "topicId", p.partition, w.log, w.producer_id AS "producerId", w.epoch, w.batches,
    w.transaction_first_offset AS "transactionFirstOffset", now_ms() - w.last_seen_ms AS "silentMs"
    FROM partitions AS p JOIN producers AS w ON w.cluster = p.cluster AND w.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition AND w.producer_id = $producerId`,
)

interface ProducerIdAge {
  readonly producerId: number
  readonly ageMs: number
  /** Logs with a smaller number were created before the id was allocated. */
  readonly nextLog: number
}

/** Ids that this cluster never allocated are missing. */
const readProducerIdAges = statementPerRow<{ readonly producerId: number }, ProducerIdAge>(
  'read producer id ages',
  { producerId: 'bigint' },
  `SELECT $producerId AS "producerId", now_ms() - b.allocated_at_ms AS "ageMs", b.next_log AS "nextLog" FROM (
      SELECT first, count, allocated_at_ms, next_log FROM producer_id_blocks
      WHERE cluster = $cluster AND first <= $producerId ORDER BY first DESC LIMIT 1
    ) AS b WHERE $producerId < b.first + b.count`,
)

const readResult = statement<FlushId, { readonly result: string }>(
  'read result',
  'SELECT result FROM results WHERE cluster = $cluster AND incarnation = $incarnation AND sequence = $sequence',
)

const writeResult = statement<FlushId & { readonly result: string }>(
  'write result',
  `INSERT INTO results (cluster, incarnation, sequence, result) VALUES ($cluster, $incarnation, $sequence, $result)
    ON CONFLICT (cluster, incarnation) DO UPDATE SET sequence = excluded.sequence, result = excluded.result`,
)

const insertObject = statement<FlushId & { readonly sizeBytes: number; readonly checksum: number }>(
  'insert object',
  `INSERT INTO objects (cluster, incarnation, sequence, size_bytes, checksum, created_at_ms)
    VALUES ($cluster, $incarnation, $sequence, $sizeBytes, $checksum, now_ms())`,
)

export const insertSegments = statementPerRow<SegmentRun & { readonly log: LogId }, Nothing, FlushId>(
  'insert segments',
  {
    log: 'bigint',
    baseOffset: 'bigint',
    lastOffset: 'bigint',
    byteStart: 'bigint',
    sizeBytes: 'bigint',
    maxTimestamp: 'bigint',
    runningMaxTimestamp: 'bigint',
  },
  `INSERT INTO segments (cluster, incarnation, sequence, log, last_offset, base_offset, byte_start, size_bytes, max_timestamp, running_max_timestamp)
    VALUES ($cluster, $incarnation::bigint, $sequence::bigint, $log, $lastOffset, $baseOffset, $byteStart, $sizeBytes, $maxTimestamp, $runningMaxTimestamp)`,
)
