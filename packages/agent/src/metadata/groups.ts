// Groups as rows: a head that records which coordinator may save, the journal that reloads a group's machine, and the committed offsets.
import { partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { escaped, unescaped } from './escaped.ts'
import type { AgedTopic, ExpireOffsets, OffsetToCommit, OpenedGroup, OpenGroup, SavedGroup, SaveGroup } from './metadata-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'
import {
  lockTransactionalIds,
  removePendingOffsets,
  removePendingOfGroup,
  type SaveOfGroup,
  stillPending,
  transactionalIdKey,
  writePendingOffsets,
} from './transaction-rows.ts'

/**
 * Takes the group over: from now on every save under another epoch is rejected. The head is locked before the owner of its slot is read, and a slot
 * changes hands only by an update of its row, which waits for this lock. Therefore a coordinator that opens or saves owns the slot until the
 * transaction ends.
 */
export function* openGroup({ groupId, epoch, owner }: OpenGroup): Body<OpenedGroup> {
  const [[head], [slot]] = yield* read(lockHead({ groupId }), lockSlot(owner))
  if (slot?.owner !== owner.incarnation.id) return unchanged({ kind: 'not owner' })
  if (head === undefined) return unchanged({ kind: 'opened', version: 0, exists: false, entries: [] })
  const [rows] = yield* read(readJournal({ groupId }))
  const entries = rows.map(({ key, value }) => ({ key: unescaped(key), value }))
  const opened: OpenedGroup = { kind: 'opened', version: head.version, exists: true, entries }
  return head.epoch === epoch ? unchanged(opened) : { writes: [setEpoch({ groupId, epoch })], value: opened }
}

/** One step of a group's coordinator. A save that was already made gets the same answer; a save under an old epoch or version changes nothing. */
export function* saveGroup(input: SaveGroup & { readonly unsure: boolean }): Body<SavedGroup> {
  const { groupId, epoch, version, owner, head, entries, offsets, removedOffsets, expiredOffsets, pendingOffsets, unsure } = input
  const group = { groupId }
  const ids = [...new Set(pendingOffsets.map(({ transactionalId }) => transactionalId))].map(transactionalIdKey)
  // Transactional ids are locked before groups, as at the end of a transaction.
  const [transactions, [held], [slot]] = yield* read(lockTransactionalIds(ids), lockHead(group), lockSlot(owner))
  if (slot?.owner !== owner.incarnation.id) return unchanged({ kind: 'not owner' })
  if (unsure && (held === undefined ? head === null : held.epoch === epoch && held.version === version + 1))
    return unchanged({ kind: 'saved' })
  if (held === undefined ? version !== 0 : held.epoch !== epoch || held.version !== version) return unchanged({ kind: 'stale' })
  // There was no row to lock. When two coordinators create the same group, the second waits here for the first and then finds its row.
  if (held === undefined && head !== null) {
    const [made] = yield* read(makeHead({ groupId, epoch, ...head }))
    if (made.length === 0) return unchanged({ kind: 'stale' })
  }
  if (head === null)
    return {
      writes: [removeJournal(group), removeAllOffsets(group), removePendingOfGroup(group), removeHead(group)],
      value: { kind: 'saved' },
    }
  const kept = entries.filter((entry): entry is StoredEntry => entry.value !== null)
  const removed = entries.filter(({ value }) => value === null)
  const { kind, state } = head
  const protocolType = head.protocolType === null ? null : escaped(head.protocolType)
  return {
    writes: [
      writeHead({ groupId, version: version + 1, kind, protocolType, state }),
      removeEntries(
        removed.map(({ key }) => ({ key: escaped(key) })),
        group,
      ),
      writeEntries(
        kept.map(({ key, value }) => ({ key: escaped(key), value })),
        group,
      ),
      removeOffsets(removedOffsets, group),
      removePendingOffsets(removedOffsets, group),
      removeAgedOffsets(expiredOffsets, group),
      writeOffsets(
        lastOfEach(offsets).map((one) => ({ ...one, metadata: escaped(one.metadata), retentionMs: one.retentionMs ?? null })),
        { groupId, saveVersion: version + 1 },
      ),
      writePendingOffsets({ groupId, saveVersion: version + 1 }, stillPending(pendingOffsets, transactions)),
    ],
    value: { kind: 'saved' },
  }
}

export function* expirableGroups({
  retentionMs,
  after = beforeAll.groupId,
}: ExpireOffsets & { readonly after?: string | undefined }): Body<readonly string[]> {
  const [rows] = yield* read(readExpirable({ retentionMs, after, maxGroups: fixedLimits.expiredGroupsPerStep }))
  return unchanged(rows.map(({ groupId }) => groupId))
}

export function* expireOffsets({ retentionMs, groupIds }: ExpireOffsets & { readonly groupIds: readonly string[] }): Body<undefined> {
  // The groups are checked again under their locks, because a member may have joined since.
  const [locked] = yield* read(lockHeads(groupIds.map((groupId) => ({ groupId }))))
  const empty = locked.filter(({ state }) => state === 'Empty')
  return {
    writes: [removeExpired(empty, { retentionMs }), removeHeadsWithoutOffsets(empty), removeJournalsWithoutHead(empty)],
    value: undefined,
  }
}

export function* agedTopics({
  retentionMs,
  after,
}: ExpireOffsets & { readonly after?: AgedTopic | undefined }): Body<readonly AgedTopic[]> {
  const { groupId, topicId } = after ?? beforeAll
  const [rows] = yield* read(readAged({ retentionMs, groupId, topicId, maxTopics: fixedLimits.agedTopicsPerStep }))
  return unchanged(rows)
}

/** Group ids and topic ids are never empty. */
const beforeAll = { groupId: '', topicId: '' }

/** A partition that is named twice gets the last of its offsets, as with two requests. */
function lastOfEach(offsets: readonly OffsetToCommit[]): readonly OffsetToCommit[] {
  return [...new Map(offsets.map((one) => [partitionKey(one.topicId, one.partition), one])).values()]
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface HeadRow {
  readonly epoch: string
  readonly version: number
}

interface GroupKey {
  readonly groupId: string
}

const lockHead = statement<GroupKey, HeadRow>(
  'lock group head',
  'SELECT epoch, version FROM groups WHERE cluster = $cluster AND group_id = $groupId FOR NO KEY UPDATE',
)

/** A shared lock: many groups of one slot may save at once, but the slot can't change hands meanwhile. */
const lockSlot = statement<{ readonly slot: number }, { readonly owner: number | null }>(
  'lock slot',
  'SELECT owner FROM slots WHERE cluster = $cluster AND slot = $slot FOR SHARE',
)

const setEpoch = statement<GroupKey & { readonly epoch: string }>(
  'set group epoch',
  'UPDATE groups SET epoch = $epoch WHERE cluster = $cluster AND group_id = $groupId',
)

const makeHead = statement<
  GroupKey & { readonly epoch: string; readonly kind: string; readonly state: string },
  { readonly epoch: string }
>(
  'make group head',
  `INSERT INTO groups (cluster, group_id, epoch, version, kind, protocol_type, state, changed_at_ms)
    VALUES ($cluster, $groupId, $epoch, 0, $kind, NULL, $state, now_ms())
    ON CONFLICT (cluster, group_id) DO NOTHING RETURNING epoch`,
)

interface NewHead extends GroupKey {
  readonly version: number
  readonly kind: string
  readonly protocolType: string | null
  readonly state: string
}

const writeHead = statement<NewHead>(
  'write group head',
  `UPDATE groups SET version = $version, kind = $kind, protocol_type = $protocolType, state = $state,
    changed_at_ms = CASE WHEN state = $state THEN changed_at_ms ELSE now_ms() END WHERE cluster = $cluster AND group_id = $groupId`,
)

const removeHead = statement<GroupKey>('remove group head', 'DELETE FROM groups WHERE cluster = $cluster AND group_id = $groupId')

interface StoredEntry {
  readonly key: string
  readonly value: string
}

const readJournal = statement<GroupKey, StoredEntry>(
  'read group journal',
  'SELECT key, value FROM group_journal WHERE cluster = $cluster AND group_id = $groupId ORDER BY key',
)

const writeEntries = statementPerRow<StoredEntry, Nothing, GroupKey>(
  'write group journal',
  { key: 'text', value: 'text' },
  `INSERT INTO group_journal (cluster, group_id, key, value) VALUES ($cluster, $groupId::text, $key, $value)
    ON CONFLICT (cluster, group_id, key) DO UPDATE SET value = excluded.value`,
)

const removeEntries = statementPerRow<{ readonly key: string }, Nothing, GroupKey>(
  'remove group journal entries',
  { key: 'text' },
  'DELETE FROM group_journal WHERE cluster = $cluster AND group_id = $groupId AND key = $key',
)

const removeJournal = statement<GroupKey>(
  'remove group journal',
  'DELETE FROM group_journal WHERE cluster = $cluster AND group_id = $groupId',
)

/** A null retention stands for the server's own; it makes the sum null. */
const writeOffsets = statementPerRow<Omit<OffsetToCommit, 'retentionMs'> & { readonly retentionMs: number | null }, Nothing, SaveOfGroup>(
  'write group offsets',
  { topicId: 'text', partition: 'int', offset: 'bigint', leaderEpoch: 'int', metadata: 'text', retentionMs: 'bigint' },
  `INSERT INTO group_offsets
    (cluster, group_id, topic_id, partition, committed_offset, leader_epoch, metadata, committed_at_ms, expires_at_ms, save_version)
    VALUES ($cluster, $groupId::text, $topicId, $partition, $offset, $leaderEpoch, $metadata, now_ms(), now_ms() + $retentionMs, $saveVersion::bigint)
    ON CONFLICT (cluster, group_id, topic_id, partition) DO UPDATE SET committed_offset = excluded.committed_offset,
      leader_epoch = excluded.leader_epoch, metadata = excluded.metadata, committed_at_ms = excluded.committed_at_ms,
      expires_at_ms = excluded.expires_at_ms, save_version = excluded.save_version`,
)

const removeOffsets = statementPerRow<TopicPartition, Nothing, GroupKey>(
  'remove group offsets',
  { topicId: 'text', partition: 'int' },
  'DELETE FROM group_offsets WHERE cluster = $cluster AND group_id = $groupId AND topic_id = $topicId AND partition = $partition',
)

const removeAllOffsets = statement<GroupKey>(
  'remove all group offsets',
  'DELETE FROM group_offsets WHERE cluster = $cluster AND group_id = $groupId',
)

/** Deleting a topic deletes the committed offsets in it. */
export const removeOffsetsOfTopic = statement<{ readonly topicId: TopicId }>(
  'remove group offsets of topic',
  'DELETE FROM group_offsets WHERE cluster = $cluster AND topic_id = $topicId',
)

interface Retention {
  readonly retentionMs: number
}

/** An offset that was committed with a retention expires at its own time; any other expires when its commit is older than the server's retention. */
const aged = `(o.expires_at_ms <= now_ms() OR (o.expires_at_ms IS NULL AND o.committed_at_ms <= now_ms() - $retentionMs::bigint))`
/**
 * A group that had members keeps its offsets for the server's retention after its last member left; in a group that only keeps offsets the retention
 * counts from each commit. A retention in the commit itself counts from the commit in both cases (Kafka's OffsetExpirationConditionImpl).
 */
const expired = `${aged} AND (o.expires_at_ms IS NOT NULL OR g.protocol_type IS NULL OR g.changed_at_ms <= now_ms() - $retentionMs::bigint)`
const ofGroup = 'o.cluster = g.cluster AND o.group_id = g.group_id'
/** A transaction may still commit offsets of the group. */
const hasPending = `EXISTS (SELECT 1 FROM transaction_offsets AS o WHERE ${ofGroup})`

/** A group without members and without offsets is expirable at any age. */
const readExpirable = statement<Retention & { readonly after: string; readonly maxGroups: number }, GroupKey>(
  'read expirable groups',
  `SELECT g.group_id AS "groupId" FROM groups AS g WHERE g.cluster = $cluster AND g.state = 'Empty' AND g.group_id > $after
    AND (EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup} AND ${expired})
      OR NOT (EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup}) OR ${hasPending})) ORDER BY g.group_id LIMIT $maxGroups::int`,
)

const readAged = statement<Retention & GroupKey & { readonly topicId: string; readonly maxTopics: number }, AgedTopic>(
  'read aged offsets of stable groups',
  `SELECT o.group_id AS "groupId", o.topic_id AS "topicId", t.name AS topic
    FROM groups AS g JOIN group_offsets AS o ON ${ofGroup} JOIN topics AS t ON t.cluster = o.cluster AND t.topic_id = o.topic_id
    WHERE g.cluster = $cluster AND g.state = 'Stable' AND g.protocol_type = 'consumer' AND ${aged}
    AND (o.group_id, o.topic_id) > ($groupId::text, $topicId::text)
    GROUP BY o.group_id, o.topic_id, t.name ORDER BY o.group_id, o.topic_id LIMIT $maxTopics::int`,
)

const removeAgedOffsets = statementPerRow<Retention & { readonly topicId: TopicId }, Nothing, GroupKey>(
  'remove aged group offsets of topics',
  { topicId: 'text', retentionMs: 'bigint' },
  `DELETE FROM group_offsets AS o WHERE o.cluster = $cluster AND o.group_id = $groupId AND o.topic_id = $topicId AND ${aged}`,
)

/** Locks in the order of the ids, so that two transactions never deadlock. */
export const lockHeads = statementPerRow<GroupKey, GroupKey & { readonly state: string }>(
  'lock group heads',
  { groupId: 'text' },
  `SELECT g.group_id AS "groupId", g.state FROM groups AS g WHERE g.cluster = $cluster AND g.group_id = $groupId
    ORDER BY g.group_id FOR NO KEY UPDATE OF g`,
)

const removeExpired = statementPerRow<GroupKey, Nothing, Retention>(
  'remove expired group offsets',
  { groupId: 'text' },
  `DELETE FROM group_offsets AS o WHERE o.cluster = $cluster AND o.group_id = $groupId
    AND EXISTS (SELECT 1 FROM groups AS g WHERE ${ofGroup} AND ${expired})`,
)

const removeHeadsWithoutOffsets = statementPerRow<GroupKey>(
  'remove group heads without offsets',
  { groupId: 'text' },
  `DELETE FROM groups AS g WHERE g.cluster = $cluster AND g.group_id = $groupId
    AND NOT EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup}) AND NOT ${hasPending}`,
)

const removeJournalsWithoutHead = statementPerRow<GroupKey>(
  'remove group journals without a head',
  { groupId: 'text' },
  `DELETE FROM group_journal AS j WHERE j.cluster = $cluster AND j.group_id = $groupId
    AND NOT EXISTS (SELECT 1 FROM groups AS g WHERE g.cluster = j.cluster AND g.group_id = j.group_id)`,
)
