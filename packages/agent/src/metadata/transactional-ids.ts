// The requests about transactional ids, each decided under the lock of its id. A transaction ends in one database transaction: markers, producers and row together.
import { must } from '../core/assert.ts'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import type { Marker } from '../core/log/marker.ts'
import { rememberMarker } from '../core/log/producer-window.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfName, slotOfPartition } from '../core/slots.ts'
import { decideTransaction, type TransactionEnd } from '../core/transaction/transaction.ts'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import { fixedLimits } from '../limits.ts'
import type { Cluster } from './cluster.ts'
import { type ProducerOfPartition, readWindows } from './commit.ts'
import { unescaped } from './escaped.ts'
import { lockHeads } from './groups.ts'
import { insertAborted, insertMarkers, markerText, noSequence } from './markers.ts'
import { readSlots } from './members.ts'
import type { OffsetPlace } from './offset-place.ts'
import {
  inLockOrder,
  lastStableOffset,
  lockPartitions,
  setFirstUnstable,
  setLogEnd,
  windowOf,
  windowRow,
  writeWindows,
} from './partition-rows.ts'
import type { GrownPartition } from './segment.ts'
import { type Body, type BodyPart, type Call, type Decision, read, unchanged } from './sql.ts'
import { statement, statementPerRow } from './statement.ts'
import {
  addGroups,
  addPartitions,
  type HeldTransactionalId,
  lockTransactionalIds,
  readPending,
  readTransactionalIds,
  rowOf,
  type TransactionalIdKey,
  transactionalIdColumns,
  transactionalIdKey,
  writeTransactionalIds,
} from './transaction-rows.ts'
import type {
  AbortedIn,
  AbortedTransaction,
  CommittedOffsets,
  DecidedTransaction,
  FoundTransaction,
  ListedTransaction,
  TransactionalAnswer,
  TransactionalRequest,
} from './transaction-store.ts'

/** `unsure`: an earlier attempt of the same call may have been committed. */
export function* decideTransactional(
  input: TransactionalRequest & { readonly unsure: boolean },
  cluster: Cluster,
): Body<TransactionalAnswer> {
  const key = transactionalIdKey(input.transactionalId)
  const slot = slotOfName(input.transactionalId, cluster.slots)
  // After the lock: the agent that owned the slot before has decided all that it ever will, or finds out here that it is too late.
  const [[held], [ownership]] = yield* read(lockTransactionalIds([key]), readSlots([slot]))
  const row = held && rowOf(held)
  if (isForOwner(input.request) && ownership?.owner !== input.incarnation.id) return unchanged({ kind: 'not owner' })
  if (!holds(input, held)) return unchanged({ kind: 'decided', row, ...nothingEnded })
  const decision = decideTransaction(row, input.request, input.newProducerId)
  const { partitions = [], groupIds = [] } = input
  const adds = [
    addPartitions(partitions.map(({ topicId, partition }) => ({ ...key, topicId, partition }))),
    addGroups(groupIds.map((groupId) => ({ ...key, groupId }))),
  ]
  switch (decision.kind) {
    case 'rejected':
    case 'needs producer id':
      return unchanged(decision)
    case 'unchanged':
      return { writes: adds, value: { kind: 'decided', row, ...maybeEnded(input) } }
    case 'removed':
      return { writes: [deleteTransactionalId(key)], value: { kind: 'decided', row: undefined, ...nothingEnded } }
    case 'changed': {
      if (held === undefined) return yield* created(input, decision.row, cluster)
      const ended = decision.ends && (yield* end({ ...decision.ends, held, incarnation: input.incarnation }, cluster))
      return {
        writes: [
          ...(ended === undefined ? [] : ended.writes),
          writeTransactionalIds([{ ...key, ...decision.row, begins: decision.begins ? 1 : 0 }]),
          ...adds,
        ],
        // A repeated InitProducerId changes the row again, so it does not show whether the first attempt ended a transaction.
        value: {
          kind: 'decided',
          row: decision.row,
          ...(ended === undefined ? maybeEnded(input) : { grown: ended.grown, committed: ended.committed }),
        },
      }
    }
  }
}

export function* timedOutTransactions({ after = beforeAllIds }: { readonly after?: string | undefined }): Body<readonly string[]> {
  const [rows] = yield* read(readTimedOut({ ...transactionalIdKey(after), maxIds: fixedLimits.transactionalIdsPerStep }))
  return unchanged(rows.map(({ transactionalId }) => unescaped(transactionalId)))
}

export function* unusedTransactionalIds({
  unusedMs,
  after = beforeAllIds,
}: {
  readonly unusedMs: number
  readonly after?: string | undefined
}): Body<readonly string[]> {
  const [rows] = yield* read(readUnused({ ...transactionalIdKey(after), unusedMs, maxIds: fixedLimits.transactionalIdsPerStep }))
  return unchanged(rows.map(({ transactionalId }) => unescaped(transactionalId)))
}

export function* listTransactions({ after = beforeAllIds }: { readonly after?: string | undefined }): Body<readonly ListedTransaction[]> {
  const [rows] = yield* read(readListed({ ...transactionalIdKey(after), maxIds: fixedLimits.transactionalIdsPerStep }))
  return unchanged(
    rows.map((held) => {
      const { beganAtMs, openMs } = held
      return { transactionalId: unescaped(held.transactionalId), row: rowOf(held), beganAtMs, openMs }
    }),
  )
}

export function* findTransaction({ transactionalId }: { readonly transactionalId: string }): Body<FoundTransaction | undefined> {
  const key = transactionalIdKey(transactionalId)
  const [[held], partitions, groups] = yield* read(readTransactionalIds([key]), readPartitionsOf(key), readGroupsOf(key))
  const groupIds = groups.map(({ groupId }) => groupId)
  return unchanged(held && { row: rowOf(held), beganAtMs: held.beganAtMs, partitions: inLockOrder(partitions), groupIds })
}

export function* pendingOffsets({ groupIds }: { readonly groupIds: readonly string[] }): Body<readonly OffsetPlace[]> {
  const [rows] = yield* read(readPending(groupIds.map((groupId) => ({ groupId }))))
  return unchanged(rows)
}

export function* abortedTransactions(asks: readonly AbortedIn[]): Body<readonly (readonly AbortedTransaction[])[]> {
  const [rows] = yield* read(readAborted(asks.map((one, ask) => ({ ...one, ask }))))
  const byAsk = Map.groupBy(rows, ({ ask }) => ask)
  return unchanged(
    asks.map((_, ask) => {
      // Absent: no aborted transaction overlaps the range.
      const found = byAsk.get(ask) ?? []
      return found
        .toSorted((a, b) => a.markerOffset - b.markerOffset)
        .map(({ producerId, firstOffset, markerOffset }) => ({ producerId, firstOffset, markerOffset }))
    }),
  )
}

/**
 * What producers ask their coordinator for. An agent that was paused, and wakes when another one has its slots, must not do it: by the older protocol the request may
 * have been repeated there, and the next transaction has the same epoch.
 */
function isForOwner({ kind }: TransactionalRequest['request']): boolean {
  return kind === 'init' || kind === 'end'
}

const nothingEnded = { grown: [], committed: [] } as const

/** An attempt whose answer was lost may have ended the transaction. */
function maybeEnded({ unsure }: { readonly unsure: boolean }): Pick<DecidedTransaction, 'grown' | 'committed'> {
  return unsure ? { grown: 'unknown', committed: 'unknown' } : nothingEnded
}

/** Transactional ids are never empty. */
const beforeAllIds = ''

function holds({ onlyIf }: TransactionalRequest, held: HeldTransactionalId | undefined): boolean {
  switch (onlyIf?.kind) {
    case undefined:
      return true
    case 'timed out':
      return held !== undefined && held.openMs >= held.timeoutMs
    case 'unused':
      return held !== undefined && held.unchangedMs >= onlyIf.unusedMs
  }
}

/** There was no row to lock. When two agents create the same id, the second waits here for the first, and decides again on its row. */
function* created(
  input: TransactionalRequest & { readonly unsure: boolean },
  row: TransactionRow,
  cluster: Cluster,
): BodyPart<Decision<TransactionalAnswer>> {
  const [made] = yield* read(insertTransactionalId({ ...transactionalIdKey(input.transactionalId), ...row }))
  if (made.length === 0) return yield* decideTransactional(input, cluster)
  return unchanged({ kind: 'decided', row, ...nothingEnded })
}

interface Ending extends TransactionEnd, Pick<TransactionalRequest, 'incarnation'> {
  readonly held: HeldTransactionalId
}

interface EndedTransaction {
  readonly writes: readonly Call[]
  readonly grown: readonly GrownPartition[]
  readonly committed: readonly CommittedOffsets[]
}

/** The markers of a transaction: one in each partition that still exists, also if its topic is deleted, so that a topic that is brought back is complete. */
function* end(ending: Ending, cluster: Cluster): BodyPart<EndedTransaction> {
  const { held, incarnation, producerId, producerEpoch, outcome } = ending
  const key = { transactionalId: held.transactionalId }
  const [partitions, groups] = yield* read(readPartitionsOf(key), readGroupsOf(key))
  const asked = inLockOrder(partitions)
  const coordinatorSlot = slotOfName(unescaped(held.transactionalId), cluster.slots)
  const slotOf = ({ topicId, partition }: TopicPartition): number => slotOfPartition(topicId, partition, cluster.slots)
  const producers = asked.map((one) => ({ ...one, producerId }))
  // One round trip, but the statements run in order: each value that decides is read after the lock that protects it.
  const [, logs, windows, others, slots] = yield* read(
    lockHeads(groups),
    lockPartitions(asked),
    readWindows(producers),
    readFirstOffsetsOfOthers(producers),
    readSlots([coordinatorSlot, ...asked.map(slotOf)]),
  )
  const epochs = new Map(slots.map(({ slot, epoch }) => [slot, epoch]))
  const windowAt = new Map(windows.map((row) => [partitionKey(row.topicId, row.partition), row]))
  const othersAt = new Map(others.map((row) => [partitionKey(row.topicId, row.partition), row.firstOffset]))
  const coordinatorEpoch = must(epochs.get(coordinatorSlot), 'the slot of a transactional id')
  const key0 = objectKey(cluster.id, incarnation, noSequence)
  const ends = logs.map((row) => {
    const place = partitionKey(row.topicId, row.partition)
    const stored = windowAt.get(place)
    const window = stored && windowOf(stored)
    const marker: Marker = {
      producerId,
      producerEpoch,
      outcome,
      coordinatorEpoch,
      leaderEpoch: must(epochs.get(slotOf(row)), 'the slot of a partition'),
    }
    // Absent: no other transaction is open in the log.
    const firstUnstableOffset = othersAt.get(place) ?? null
    const after = {
      ...row,
      nextOffset: row.nextOffset + 1,
      maxTimestamp: Math.max(row.maxTimestamp, held.nowMs),
      firstUnstableOffset,
    }
    return { row, after, marker, window, lastStableOffset: lastStableOffset(after) }
  })
  return {
    writes: [
      insertMarkers(
        ends.map(({ row, after, marker }) => ({
          log: row.log,
          incarnation: incarnation.id,
          offset: row.nextOffset,
          maxTimestamp: held.nowMs,
          runningMaxTimestamp: after.maxTimestamp,
          marker: markerText(marker),
        })),
      ),
      setLogEnd(ends.map(({ after }) => after)),
      setFirstUnstable(ends.filter(({ row, after }) => row.firstUnstableOffset !== after.firstUnstableOffset).map(({ after }) => after)),
      writeWindows(ends.map(({ row, window }) => windowRow(row.log, producerId, rememberMarker(window, producerEpoch)))),
      insertAborted(
        ends.flatMap(({ row, window, lastStableOffset: stable }) => {
          const firstOffset = window?.transactionFirstOffset
          if (outcome === 'commit' || firstOffset === undefined) return []
          return [{ log: row.log, markerOffset: row.nextOffset, firstOffset, producerId, lastStableOffset: stable }]
        }),
      ),
      deletePartitionsOf(key),
      ...(outcome === 'commit' ? [applyOffsets(key)] : []),
      deleteOffsetsOf(key),
      deleteGroupsOf(key),
    ],
    committed: outcome === 'commit' ? groups.filter(({ offsets }) => offsets > 0) : [],
    grown: ends.map(({ row, after, marker, lastStableOffset: stable }): GrownPartition => {
      const place = { baseOffset: row.nextOffset, lastOffset: row.nextOffset, objectKey: key0, byteStart: 0, sizeBytes: 0 }
      return {
        topicId: row.topicId,
        partition: row.partition,
        highWatermark: after.nextOffset,
        lastStableOffset: stable,
        segments: [{ ...place, maxTimestamp: held.nowMs, marker }],
      }
    }),
  }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const insertTransactionalId = statement<TransactionRow & TransactionalIdKey, TransactionalIdKey>(
  'insert transactional id',
  `INSERT INTO transactional_ids (cluster, transactional_id, producer_id, producer_epoch, state, last_producer_id, last_producer_epoch, timeout_ms,
      transaction_number, began_at_ms, changed_at_ms)
    VALUES ($cluster, $transactionalId, $producerId, $producerEpoch, $state, $lastProducerId, $lastProducerEpoch, $timeoutMs,
      $transactionNumber, now_ms(), now_ms())
    ON CONFLICT (cluster, transactional_id) DO NOTHING RETURNING transactional_id AS "transactionalId"`,
)

const deleteTransactionalId = statement<TransactionalIdKey>(
  'delete transactional id',
  'DELETE FROM transactional_ids WHERE cluster = $cluster AND transactional_id = $transactionalId',
)

const readPartitionsOf = statement<TransactionalIdKey, TopicPartition>(
  'read partitions of transaction',
  'SELECT topic_id AS "topicId", partition FROM transaction_partitions WHERE cluster = $cluster AND transactional_id = $transactionalId',
)

const deletePartitionsOf = statement<TransactionalIdKey>(
  'delete partitions of transaction',
  'DELETE FROM transaction_partitions WHERE cluster = $cluster AND transactional_id = $transactionalId',
)

/** With the number of its pending offsets. */
const readGroupsOf = statement<TransactionalIdKey, { readonly groupId: string; readonly offsets: number }>(
  'read groups of transaction',
  `SELECT g.group_id AS "groupId", (SELECT COUNT(*) FROM transaction_offsets AS o
      WHERE o.cluster = g.cluster AND o.transactional_id = g.transactional_id AND o.group_id = g.group_id) AS offsets
    FROM transaction_groups AS g WHERE g.cluster = $cluster AND g.transactional_id = $transactionalId ORDER BY g.group_id`,
)

/**
 * Those of groups and topics that still exist, unless the group has an offset that was sent later. The retention of an offset counts from here.
 * As in Kafka's OffsetMetadataManager, the later request wins, not the later end.
 */
const applyOffsets = statement<TransactionalIdKey>(
  'apply pending offsets',
  `INSERT INTO group_offsets
    (cluster, group_id, topic_id, partition, committed_offset, leader_epoch, metadata, committed_at_ms, expires_at_ms, save_version)
    SELECT o.cluster, o.group_id, o.topic_id, o.partition, o.committed_offset, o.leader_epoch, o.metadata, now_ms(), NULL, o.save_version
    FROM transaction_offsets AS o JOIN groups AS g ON g.cluster = o.cluster AND g.group_id = o.group_id
    JOIN topics AS t ON t.cluster = o.cluster AND t.topic_id = o.topic_id AND t.deleted_at_ms IS NULL
    WHERE o.cluster = $cluster AND o.transactional_id = $transactionalId
    ON CONFLICT (cluster, group_id, topic_id, partition) DO UPDATE SET committed_offset = excluded.committed_offset,
      leader_epoch = excluded.leader_epoch, metadata = excluded.metadata, committed_at_ms = excluded.committed_at_ms,
      expires_at_ms = excluded.expires_at_ms, save_version = excluded.save_version
      WHERE group_offsets.save_version <= excluded.save_version`,
)

const deleteOffsetsOf = statement<TransactionalIdKey>(
  'delete offsets of transaction',
  'DELETE FROM transaction_offsets WHERE cluster = $cluster AND transactional_id = $transactionalId',
)

const deleteGroupsOf = statement<TransactionalIdKey>(
  'delete groups of transaction',
  'DELETE FROM transaction_groups WHERE cluster = $cluster AND transactional_id = $transactionalId',
)

/** The first offset of the open transactions of all other producers in the partition. Absent: there is none. */
const readFirstOffsetsOfOthers = statementPerRow<ProducerOfPartition, TopicPartition & { readonly firstOffset: number }>(
  'read first offsets of others',
  { topicId: 'text', partition: 'int', producerId: 'bigint' },
  `SELECT p.topic_id AS "topicId", p.partition, MIN(w.transaction_first_offset) AS "firstOffset"
    FROM partitions AS p JOIN producers AS w ON w.cluster = p.cluster AND w.log = p.log AND w.transaction_first_offset IS NOT NULL
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition AND w.producer_id <> $producerId
    GROUP BY p.topic_id, p.partition`,
)

/** In the order of markers it ends at the first one after which everything before the end of the range is stable: every later transaction begins after the range. */
const readAborted = statementPerRow<
  AbortedIn & { readonly ask: number },
  { readonly ask: number; readonly markerOffset: number; readonly firstOffset: number; readonly producerId: number }
>(
  'read aborted transactions',
  { ask: 'int', topicId: 'text', partition: 'int', fromOffset: 'bigint', untilOffset: 'bigint' },
  `SELECT $ask AS ask, a.marker_offset AS "markerOffset", a.first_offset AS "firstOffset", a.producer_id AS "producerId"
    FROM partitions AS p JOIN aborted_transactions AS a ON a.cluster = p.cluster AND a.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition
    AND a.marker_offset >= $fromOffset AND a.first_offset < $untilOffset
    AND a.marker_offset <= COALESCE((
      SELECT MIN(b.marker_offset) FROM aborted_transactions AS b
      WHERE b.cluster = p.cluster AND b.log = p.log AND b.marker_offset >= $fromOffset AND b.last_stable_offset >= $untilOffset
    ), ${Number.MAX_SAFE_INTEGER})`,
)

interface IdsAfter extends TransactionalIdKey {
  readonly maxIds: number
}

const readListed = statement<IdsAfter, HeldTransactionalId>(
  'read listed transactional ids',
  `SELECT ${transactionalIdColumns} FROM transactional_ids AS t WHERE t.cluster = $cluster AND t.transactional_id > $transactionalId
    ORDER BY t.transactional_id LIMIT $maxIds`,
)

const readTimedOut = statement<IdsAfter, TransactionalIdKey>(
  'read timed out transactions',
  `SELECT transactional_id AS "transactionalId" FROM transactional_ids
    WHERE cluster = $cluster AND transactional_id > $transactionalId AND state = 'Ongoing' AND began_at_ms <= now_ms() - timeout_ms
    ORDER BY transactional_id LIMIT $maxIds`,
)

const readUnused = statement<IdsAfter & { readonly unusedMs: number }, TransactionalIdKey>(
  'read unused transactional ids',
  `SELECT transactional_id AS "transactionalId" FROM transactional_ids
    WHERE cluster = $cluster AND transactional_id > $transactionalId AND state <> 'Ongoing' AND changed_at_ms <= now_ms() - $unusedMs::bigint
    ORDER BY transactional_id LIMIT $maxIds::int`,
)
