// The rows of transactional ids under their locks, with the partitions and offsets of their transactions: shared by the commit and by the requests about transactions.
import type { TopicId, TopicPartition } from '../core/ids.ts'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import { escaped } from './escaped.ts'
import type { PendingOffset } from './metadata-store.ts'
import type { OffsetPlace } from './offset-place.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

/** An id in the form of its column: clients choose ids, also with characters that PostgreSQL's text cannot hold. */
export interface TransactionalIdKey {
  readonly transactionalId: string
}

export function transactionalIdKey(transactionalId: string): TransactionalIdKey {
  return { transactionalId: escaped(transactionalId) }
}

export interface HeldTransactionalId extends TransactionRow, TransactionalIdKey {
  /** How long ago the transaction that is open, or was the last, began. */
  readonly openMs: number
  readonly unchangedMs: number
  readonly beganAtMs: number
  readonly nowMs: number
}

export interface AddedPartition extends TransactionalIdKey, TopicPartition {}

/** Of `transactional_ids AS t`: a HeldTransactionalId. */
export const transactionalIdColumns = `t.transactional_id AS "transactionalId", t.producer_id AS "producerId", t.producer_epoch AS "producerEpoch", t.state,
  t.last_producer_id AS "lastProducerId", t.last_producer_epoch AS "lastProducerEpoch", t.timeout_ms AS "timeoutMs",
  t.transaction_number AS "transactionNumber", now_ms() - t.began_at_ms AS "openMs", now_ms() - t.changed_at_ms AS "unchangedMs",
  t.began_at_ms AS "beganAtMs", now_ms() AS "nowMs"`

export const readTransactionalIds = statementPerRow<TransactionalIdKey, HeldTransactionalId>(
  'read transactional ids',
  { transactionalId: 'text' },
  `SELECT ${transactionalIdColumns} FROM transactional_ids AS t WHERE t.cluster = $cluster AND t.transactional_id = $transactionalId`,
)

/** In the order of the ids, after the incarnation and before groups and partitions, so that two transactions never deadlock. */
export const lockTransactionalIds = statementPerRow<TransactionalIdKey, HeldTransactionalId>(
  'lock transactional ids',
  { transactionalId: 'text' },
  `SELECT ${transactionalIdColumns} FROM transactional_ids AS t WHERE t.cluster = $cluster AND t.transactional_id = $transactionalId
    ORDER BY t.transactional_id FOR NO KEY UPDATE OF t`,
)

/** Those of the places that are part of an open transaction. After the lock of the id: only its holder changes them. */
export const readAddedPartitions = statementPerRow<AddedPartition, AddedPartition>(
  'read added partitions',
  { transactionalId: 'text', topicId: 'text', partition: 'int' },
  `SELECT a.transactional_id AS "transactionalId", a.topic_id AS "topicId", a.partition FROM transaction_partitions AS a
    WHERE a.cluster = $cluster AND a.transactional_id = $transactionalId AND a.topic_id = $topicId AND a.partition = $partition`,
)

/** A partition that does not exist is left out, and one that is part of the transaction stays. */
export const addPartitions = statementPerRow<AddedPartition>(
  'add partitions to transactions',
  { transactionalId: 'text', topicId: 'text', partition: 'int' },
  {
    // SQLite needs the condition to tell ON CONFLICT from the condition of a join; PostgreSQL has the rows of the list in FROM.
    postgres: `INSERT INTO transaction_partitions (cluster, transactional_id, topic_id, partition)
      SELECT p.cluster, $transactionalId, p.topic_id, p.partition FROM partitions AS p CROSS JOIN $rows
      WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition ON CONFLICT DO NOTHING`,
    sqlite: `INSERT INTO transaction_partitions (cluster, transactional_id, topic_id, partition)
      SELECT p.cluster, $transactionalId, p.topic_id, p.partition FROM partitions AS p
      WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition ON CONFLICT DO NOTHING`,
  },
)

/** `begins` 1: the time of the transaction counts from now; otherwise 0. */
export interface ChangedTransactionalId extends TransactionRow, TransactionalIdKey {
  readonly begins: 0 | 1
}

export const writeTransactionalIds = statementPerRow<ChangedTransactionalId, Nothing>(
  'write transactional ids',
  {
    transactionalId: 'text',
    producerId: 'bigint',
    producerEpoch: 'int',
    state: 'text',
    lastProducerId: 'bigint',
    lastProducerEpoch: 'int',
    timeoutMs: 'int',
    transactionNumber: 'bigint',
    begins: 'int',
  },
  `UPDATE transactional_ids SET producer_id = $producerId, producer_epoch = $producerEpoch, state = $state,
    last_producer_id = $lastProducerId, last_producer_epoch = $lastProducerEpoch, timeout_ms = $timeoutMs,
    transaction_number = $transactionNumber, began_at_ms = CASE WHEN $begins = 1 THEN now_ms() ELSE began_at_ms END, changed_at_ms = now_ms()
    WHERE cluster = $cluster AND transactional_id = $transactionalId`,
)

export function rowOf(held: HeldTransactionalId): TransactionRow {
  const { producerId, producerEpoch, state, lastProducerId, lastProducerEpoch, timeoutMs, transactionNumber } = held
  return { producerId, producerEpoch, state, lastProducerId, lastProducerEpoch, timeoutMs, transactionNumber }
}

interface GroupOfTransaction extends TransactionalIdKey {
  readonly groupId: string
}

export const addGroups = statementPerRow<GroupOfTransaction>(
  'add groups to transactions',
  { transactionalId: 'text', groupId: 'text' },
  `INSERT INTO transaction_groups (cluster, transactional_id, group_id) VALUES ($cluster, $transactionalId, $groupId) ON CONFLICT DO NOTHING`,
)

/** Those of the offsets whose transaction is still open, by the locked rows. The last one of a partition counts. */
export function stillPending(offsets: readonly PendingOffset[], held: readonly HeldTransactionalId[]): readonly PendingOffset[] {
  const rows = new Map(held.map((row) => [row.transactionalId, row]))
  const open = offsets.filter(({ transactionalId, producerId, producerEpoch, transactionNumber }) => {
    const row = rows.get(transactionalIdKey(transactionalId).transactionalId)
    const isSame = row?.producerId === producerId && row.producerEpoch === producerEpoch && row.transactionNumber === transactionNumber
    return isSame && row.state === 'Ongoing'
  })
  const places = open.map((one) => [JSON.stringify([one.transactionalId, one.topicId, one.partition]), one] as const)
  return [...new Map(places).values()]
}

interface PendingRow extends TransactionalIdKey, TopicPartition {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  /** 1: the same save has a later commit without a transaction. */
  readonly isOverwritten: 0 | 1
}

/** A save of a group, and the version of the head after it: of two offsets for one place, the one of the later save was sent later. */
export interface SaveOfGroup {
  readonly groupId: string
  readonly saveVersion: number
}

const writePending = statementPerRow<PendingRow, Nothing, SaveOfGroup>(
  'write pending offsets',
  {
    transactionalId: 'text',
    topicId: 'text',
    partition: 'int',
    offset: 'bigint',
    leaderEpoch: 'int',
    metadata: 'text',
    isOverwritten: 'int',
  },
  `INSERT INTO transaction_offsets
    (cluster, group_id, transactional_id, topic_id, partition, committed_offset, leader_epoch, metadata, save_version)
    VALUES ($cluster, $groupId::text, $transactionalId, $topicId, $partition, $offset, $leaderEpoch, $metadata,
      $saveVersion::bigint - $isOverwritten)
    ON CONFLICT (cluster, transactional_id, group_id, topic_id, partition) DO UPDATE SET committed_offset = excluded.committed_offset,
      leader_epoch = excluded.leader_epoch, metadata = excluded.metadata, save_version = excluded.save_version`,
)

export function writePendingOffsets(save: SaveOfGroup, offsets: readonly PendingOffset[]): ReturnType<typeof writePending> {
  const rows = offsets.map(({ transactionalId, metadata, topicId, partition, offset, leaderEpoch, isOverwritten = false }) => {
    const of = { ...transactionalIdKey(transactionalId), topicId, partition, offset, leaderEpoch, metadata: escaped(metadata) }
    return { ...of, isOverwritten: isOverwritten ? (1 as const) : (0 as const) }
  })
  return writePending(rows, save)
}

/** The places with pending offsets. */
export const readPending = statementPerRow<{ readonly groupId: string }, OffsetPlace>(
  'read pending offsets',
  { groupId: 'text' },
  `SELECT DISTINCT o.group_id AS "groupId", o.topic_id AS "topicId", o.partition FROM transaction_offsets AS o
    WHERE o.cluster = $cluster AND o.group_id = $groupId`,
)

/** Those of all transactions. */
export const removePendingOffsets = statementPerRow<TopicPartition, Nothing, { readonly groupId: string }>(
  'remove pending offsets',
  { topicId: 'text', partition: 'int' },
  'DELETE FROM transaction_offsets WHERE cluster = $cluster AND group_id = $groupId AND topic_id = $topicId AND partition = $partition',
)

export const removePendingOfGroup = statement<{ readonly groupId: string }>(
  'remove pending offsets of group',
  'DELETE FROM transaction_offsets WHERE cluster = $cluster AND group_id = $groupId',
)

/** Deleting a topic deletes the offsets in it. */
export const removePendingOfTopic = statement<{ readonly topicId: TopicId }>(
  'remove pending offsets of topic',
  'DELETE FROM transaction_offsets WHERE cluster = $cluster AND topic_id = $topicId',
)
