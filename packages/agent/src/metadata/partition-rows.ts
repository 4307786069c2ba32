// Partition rows under their locks, and the ends of their logs: shared by the commit and the recovery.
import { type IncarnationId, type LogId, partitionKey, type TopicPartition } from '../core/ids.ts'
import type { ProducerWindow, RememberedBatch } from '../core/log/producer-window.ts'
import { slotOfPartition } from '../core/slots.ts'
import type { Cluster } from './cluster.ts'
import type { SlotOwner } from './metadata-store.ts'
import { statementPerRow } from './statement.ts'

export interface LockedPartition extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
  /** The first offset of the transactions that are open in the log, null if none is. */
  readonly firstUnstableOffset: number | null
}

export interface LogEndRow extends TopicPartition {
  readonly nextOffset: number
  /** The largest timestamp of the log, -1 when it is empty. */
  readonly maxTimestamp: number
}

/** All transactions lock partitions in this order, so that they never deadlock, and each partition once. */
export function inLockOrder<Asked extends TopicPartition>(asked: readonly Asked[]): readonly Asked[] {
  const once = new Map(asked.map((one) => [partitionKey(one.topicId, one.partition), one]))
  return [...once.values()].toSorted((a, b) => (a.topicId === b.topicId ? a.partition - b.partition : a.topicId < b.topicId ? -1 : 1))
}

/** Takes them `inLockOrder`. */
export const lockPartitions = statementPerRow<TopicPartition, LockedPartition>(
  'lock partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, p.log, p.log_start_offset AS "logStartOffset", p.next_offset AS "nextOffset",
    p.max_timestamp AS "maxTimestamp", p.first_unstable_offset AS "firstUnstableOffset" FROM partitions AS p
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition
    ORDER BY p.topic_id, p.partition FOR NO KEY UPDATE OF p`,
)

export interface LogStartRow extends TopicPartition {
  readonly logStartOffset: number
}

/** Never back, whatever the caller read. */
export const setLogStart = statementPerRow<LogStartRow>(
  'set log start',
  { topicId: 'text', partition: 'int', logStartOffset: 'bigint' },
  `UPDATE partitions SET log_start_offset = $logStartOffset
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition AND log_start_offset < $logStartOffset`,
)

/** The slots of the partitions, each once. */
export function slotsOf(partitions: readonly TopicPartition[], cluster: Cluster): readonly { readonly slot: number }[] {
  const slots = new Set(partitions.map(({ topicId, partition }) => slotOfPartition(topicId, partition, cluster.slots)))
  return [...slots].toSorted((a, b) => a - b).map((slot) => ({ slot }))
}

/** A takeover waits for these locks, so its new owner reads what this transaction has written. */
export const lockSlots = statementPerRow<{ readonly slot: number }, SlotOwner>(
  'lock slots',
  { slot: 'int' },
  'SELECT s.slot, s.owner, s.epoch FROM slots AS s WHERE s.cluster = $cluster AND s.slot = $slot ORDER BY s.slot FOR SHARE OF s',
)

/** Whether the agent owns a partition, by the locked rows of its slots. */
export function ownership(owner: IncarnationId, slots: readonly SlotOwner[], cluster: Cluster): (partition: TopicPartition) => boolean {
  const owners = new Map(slots.map((row) => [row.slot, row.owner]))
  return ({ topicId, partition }) => owners.get(slotOfPartition(topicId, partition, cluster.slots)) === owner
}

export const setLogEnd = statementPerRow<LogEndRow>(
  'set log end',
  { topicId: 'text', partition: 'int', nextOffset: 'bigint', maxTimestamp: 'bigint' },
  `UPDATE partitions SET next_offset = $nextOffset, max_timestamp = $maxTimestamp
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition`,
)

/** Only where it changes: the column is null for logs without transactions. */
export const setFirstUnstable = statementPerRow<TopicPartition & { readonly firstUnstableOffset: number | null }>(
  'set first unstable offset',
  { topicId: 'text', partition: 'int', firstUnstableOffset: 'bigint' },
  `UPDATE partitions SET first_unstable_offset = $firstUnstableOffset
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition`,
)

/** The last stable offset of a log: records from there on are part of open transactions, or follow their records. */
export function lastStableOffset(row: {
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly firstUnstableOffset: number | null
}): number {
  // Records that were deleted are not unstable any more, as in Kafka.
  return row.firstUnstableOffset === null ? row.nextOffset : Math.max(row.firstUnstableOffset, row.logStartOffset)
}

/** What one log remembers of one producer; `batches` is JSON. */
export interface WindowRow {
  readonly log: LogId
  readonly producerId: number
  readonly epoch: number
  readonly batches: string
  /** Of the producer's open transaction in the log, null if none is open. */
  readonly transactionFirstOffset: number | null
}

/** The window in a row. */
export function windowOf({ log, producerId, epoch, batches, transactionFirstOffset }: WindowRow): ProducerWindow {
  return { epoch, batches: parsed(log, producerId, batches), ...(transactionFirstOffset !== null && { transactionFirstOffset }) }
}

interface ParsedBatches {
  readonly text: string
  readonly batches: readonly RememberedBatch[]
}

/** What was written or read last. A busy producer's window is read by each commit as the one before has written it, and to parse it takes longer than to read it. */
const lately: (ParsedBatches | undefined)[] = []
const mostParsed = 1_024

function parsed(log: LogId, producerId: number, text: string): readonly RememberedBatch[] {
  const known = lately[placeOf(log, producerId)]
  if (known?.text === text) return known.batches
  // The cast: `windowRow` is the only writer of the column.
  const batches = JSON.parse(text) as readonly RememberedBatch[]
  lately[placeOf(log, producerId)] = { text, batches }
  return batches
}

/** Another window may have the same place: it is parsed again. */
function placeOf(log: LogId, producerId: number): number {
  return (log + 31 * producerId) % mostParsed
}

export function windowRow(log: LogId, producerId: number, { epoch, batches, transactionFirstOffset }: ProducerWindow): WindowRow {
  const text = JSON.stringify(batches)
  lately[placeOf(log, producerId)] = { text, batches }
  return { log, producerId, epoch, batches: text, transactionFirstOffset: transactionFirstOffset ?? null }
}

export const writeWindows = statementPerRow<WindowRow>(
  'write producer windows',
  { log: 'bigint', producerId: 'bigint', epoch: 'int', batches: 'text', transactionFirstOffset: 'bigint' },
  `INSERT INTO producers (cluster, log, producer_id, epoch, batches, transaction_first_offset, last_seen_ms)
    VALUES ($cluster, $log, $producerId, $epoch, $batches, $transactionFirstOffset, now_ms())
    ON CONFLICT (cluster, log, producer_id) DO UPDATE SET epoch = excluded.epoch, batches = excluded.batches,
      transaction_first_offset = excluded.transaction_first_offset, last_seen_ms = excluded.last_seen_ms`,
)
