// Groups as rows: a head that says who may save, the journal that a machine is reloaded from, and the committed offsets.
import { partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { limits } from '../limits.ts'
import type { InCluster } from './cluster.ts'
import type {
  AgedTopic,
  CommittedOffset,
  ExpireOffsets,
  GroupHead,
  JournalEntry,
  OpenedGroup,
  OpenGroup,
  SavedGroup,
  SaveGroup,
} from './metadata-store.ts'
import { type Body, type Call, read, statement, unchanged } from './sql.ts'

/**
 * Takes the group over: every save under another epoch is refused from now on. The head is locked before its slot's owner is read, and a slot changes
 * hands only by an update of its row, which waits for this lock: so who opens or saves is the owner until the transaction ends.
 */
export function* openGroup({ cluster, input }: InCluster<OpenGroup>): Body<OpenedGroup> {
  const { groupId, epoch, owner } = input
  const [[head], [slot]] = yield* read(lockHead(cluster.number, groupId), lockSlot(cluster.number, owner.slot))
  if (slot?.owner !== owner.incarnation.id) return unchanged({ kind: 'not owner' })
  if (head === undefined) return unchanged({ kind: 'opened', version: 0, exists: false, entries: [] })
  const [rows] = yield* read(readJournal(cluster.number, groupId))
  const entries = rows.map(({ key, value }) => ({ key: unescaped(key), value }))
  const opened: OpenedGroup = { kind: 'opened', version: head.version, exists: true, entries }
  return head.epoch === epoch ? unchanged(opened) : { writes: [setEpoch(cluster.number, groupId, epoch)], value: opened }
}

/** One step of a group's coordinator. A save that was already made answers alike; one under an old epoch or version changes nothing. */
export function* saveGroup({ cluster, input }: InCluster<SaveGroup & { readonly unsure: boolean }>): Body<SavedGroup> {
  const { groupId, epoch, version, owner, head, entries, offsets, removedOffsets, expiredOffsets, unsure } = input
  const [[held], [slot]] = yield* read(lockHead(cluster.number, groupId), lockSlot(cluster.number, owner.slot))
  if (slot?.owner !== owner.incarnation.id) return unchanged({ kind: 'not owner' })
  if (unsure && (held === undefined ? head === null : held.epoch === epoch && held.version === version + 1))
    return unchanged({ kind: 'saved' })
  if (held === undefined ? version !== 0 : held.epoch !== epoch || held.version !== version) return unchanged({ kind: 'stale' })
  const number = cluster.number
  // There was no row to lock: of two that make the same new group, the second waits here for the first and then finds its row.
  if (held === undefined && head !== null) {
    const [made] = yield* read(makeHead(number, groupId, epoch, head.kind, head.state))
    if (made.length === 0) return unchanged({ kind: 'stale' })
  }
  if (head === null) {
    return {
      writes: [removeJournal(number, groupId), removeAllOffsets(number, groupId), removeHead(number, groupId)],
      value: { kind: 'saved' },
    }
  }
  const kept = entries.filter((entry): entry is JournalEntry & { readonly value: string } => entry.value !== null)
  const removed = entries.filter(({ value }) => value === null)
  const writes: readonly (Call | undefined)[] = [
    writeHead(number, groupId, version + 1, head.kind, head.protocolType === null ? null : escaped(head.protocolType), head.state),
    removed.length === 0
      ? undefined
      : removeEntries(
          number,
          groupId,
          removed.map(({ key }) => escaped(key)),
        ),
    kept.length === 0
      ? undefined
      : writeEntries(
          number,
          groupId,
          kept.map(({ key }) => escaped(key)),
          kept.map(({ value }) => value),
        ),
    removedOffsets.length === 0
      ? undefined
      : removeOffsets(
          number,
          groupId,
          removedOffsets.map(({ topicId }) => topicId),
          removedOffsets.map(({ partition }) => partition),
        ),
    expiredOffsets.length === 0
      ? undefined
      : removeAgedOffsets(
          number,
          groupId,
          expiredOffsets.map(({ topicId }) => topicId),
          expiredOffsets.map(({ retentionMs }) => retentionMs),
        ),
    ...writesOfOffsets(number, groupId, offsets),
  ]
  return { writes: writes.filter((write) => write !== undefined), value: { kind: 'saved' } }
}

export function* listGroups({ cluster }: InCluster<Record<never, never>>): Body<readonly GroupHead[]> {
  const [heads] = yield* read(readHeads(cluster.number))
  return unchanged(heads.map((head) => ({ ...head, protocolType: head.protocolType === null ? null : unescaped(head.protocolType) })))
}

/** Of living topics only. */
export function* fetchOffsets({
  cluster,
  input,
}: InCluster<{ readonly groupId: string; readonly partitions?: readonly TopicPartition[] }>): Body<readonly CommittedOffset[]> {
  const [stored] = yield* read(readOffsets(cluster.number, input.groupId))
  const rows = stored.map((row) => ({ ...row, metadata: unescaped(row.metadata) }))
  if (input.partitions === undefined) return unchanged(rows)
  const asked = new Set(input.partitions.map(({ topicId, partition }) => partitionKey(topicId, partition)))
  return unchanged(rows.filter(({ topicId, partition }) => asked.has(partitionKey(topicId, partition))))
}

export function* expirableGroups({
  cluster,
  input: { retentionMs, after },
}: InCluster<ExpireOffsets & { readonly after?: string | undefined }>): Body<readonly string[]> {
  // No group has an empty id.
  const [rows] = yield* read(readExpirable(cluster.number, retentionMs, after ?? '', limits.expiredGroupsPerStep))
  return unchanged(rows.map(({ groupId }) => groupId))
}

export function* expireOffsets({
  cluster,
  input: { retentionMs, groupIds },
}: InCluster<ExpireOffsets & { readonly groupIds: readonly string[] }>): Body<undefined> {
  // What they are is decided under their locks: a member may have joined since.
  const [locked] = yield* read(lockHeads(cluster.number, groupIds.toSorted()))
  const empty = locked.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId)
  if (empty.length === 0) return unchanged(undefined)
  return {
    writes: [
      removeExpired(
        cluster.number,
        empty,
        empty.map(() => retentionMs),
      ),
      removeHeadsWithoutOffsets(cluster.number, empty),
      removeJournalsWithoutHead(cluster.number, empty),
    ],
    value: undefined,
  }
}

export function* agedTopics({
  cluster,
  input: { retentionMs, after },
}: InCluster<ExpireOffsets & { readonly after?: AgedTopic | undefined }>): Body<readonly AgedTopic[]> {
  const [rows] = yield* read(readAged(cluster.number, retentionMs, after?.groupId ?? '', after?.topicId ?? '', limits.agedTopicsPerStep))
  return unchanged(rows)
}

/** PostgreSQL's text holds every character but U+0000, and clients choose member ids, protocol types and metadata. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\0', '%00')
}
function unescaped(text: string): string {
  return text.replaceAll('%00', '\0').replaceAll('%25', '%')
}

/** A partition that is named twice gets the last of its offsets, as if there had been two requests. */
function writesOfOffsets(cluster: number, groupId: string, offsets: SaveGroup['offsets']): readonly Call[] {
  const last = [...new Map(offsets.map((one) => [partitionKey(one.topicId, one.partition), one])).values()]
  if (last.length === 0) return []
  return [
    writeOffsets(
      cluster,
      groupId,
      last.map(({ topicId }) => topicId),
      last.map(({ partition }) => partition),
      last.map(({ offset }) => offset),
      last.map(({ leaderEpoch }) => leaderEpoch),
      last.map(({ metadata }) => escaped(metadata)),
      last.map(({ retentionMs }) => retentionMs ?? null),
    ),
  ]
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface HeadRow {
  readonly epoch: string
  readonly version: number
}

const lockHead = statement<[cluster: number, groupId: string], HeadRow>('lock group head', {
  postgres: 'SELECT epoch, version FROM groups WHERE cluster = $1 AND group_id = $2 FOR NO KEY UPDATE',
  sqlite: 'SELECT epoch, version FROM groups WHERE cluster = ?1 AND group_id = ?2',
})

/** Shared: many groups of one slot may save at a time, but it can't change hands meanwhile. */
const lockSlot = statement<[cluster: number, slot: number], { readonly owner: number | null }>('lock slot', {
  postgres: 'SELECT owner FROM slots WHERE cluster = $1 AND slot = $2 FOR SHARE',
  sqlite: 'SELECT owner FROM slots WHERE cluster = ?1 AND slot = ?2',
})

const setEpoch = statement<[cluster: number, groupId: string, epoch: string]>('set group epoch', {
  postgres: 'UPDATE groups SET epoch = $3 WHERE cluster = $1 AND group_id = $2',
  sqlite: 'UPDATE groups SET epoch = ?3 WHERE cluster = ?1 AND group_id = ?2',
})

const makeHead = statement<[cluster: number, groupId: string, epoch: string, kind: string, state: string], { readonly epoch: string }>(
  'make group head',
  {
    postgres: `INSERT INTO groups (cluster, group_id, epoch, version, kind, protocol_type, state, changed_at_ms) VALUES ($1, $2, $3, 0, $4, NULL, $5, now_ms())
    ON CONFLICT (cluster, group_id) DO NOTHING RETURNING epoch`,
    sqlite: `INSERT INTO groups (cluster, group_id, epoch, version, kind, protocol_type, state, changed_at_ms) VALUES (?1, ?2, ?3, 0, ?4, NULL, ?5, now_ms())
    ON CONFLICT (cluster, group_id) DO NOTHING RETURNING epoch`,
  },
)

const writeHead = statement<[cluster: number, groupId: string, version: number, kind: string, protocolType: string | null, state: string]>(
  'write group head',
  {
    postgres: `UPDATE groups SET version = $3, kind = $4, protocol_type = $5, state = $6,
    changed_at_ms = CASE WHEN state = $6 THEN changed_at_ms ELSE now_ms() END WHERE cluster = $1 AND group_id = $2`,
    sqlite: `UPDATE groups SET version = ?3, kind = ?4, protocol_type = ?5, state = ?6,
    changed_at_ms = CASE WHEN state = ?6 THEN changed_at_ms ELSE now_ms() END WHERE cluster = ?1 AND group_id = ?2`,
  },
)

const removeHead = statement<[cluster: number, groupId: string]>('remove group head', {
  postgres: 'DELETE FROM groups WHERE cluster = $1 AND group_id = $2',
  sqlite: 'DELETE FROM groups WHERE cluster = ?1 AND group_id = ?2',
})

const headSelect = `SELECT group_id AS "groupId", kind, protocol_type AS "protocolType", state FROM groups`
const readHeads = statement<[cluster: number], GroupHead>('read group heads', {
  postgres: `${headSelect} WHERE cluster = $1 ORDER BY group_id`,
  sqlite: `${headSelect} WHERE cluster = ?1 ORDER BY group_id`,
})

const readJournal = statement<[cluster: number, groupId: string], { readonly key: string; readonly value: string }>('read group journal', {
  postgres: 'SELECT key, value FROM group_journal WHERE cluster = $1 AND group_id = $2 ORDER BY key',
  sqlite: 'SELECT key, value FROM group_journal WHERE cluster = ?1 AND group_id = ?2 ORDER BY key',
})

const writeEntries = statement<[cluster: number, groupId: string, keys: string[], values: string[]]>('write group journal', {
  each: true,
  postgres: `INSERT INTO group_journal (cluster, group_id, key, value) SELECT $1::int, $2::text, a.key, a.value FROM unnest($3::text[], $4::text[]) AS a (key, value)
    ON CONFLICT (cluster, group_id, key) DO UPDATE SET value = excluded.value`,
  sqlite: `INSERT INTO group_journal (cluster, group_id, key, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (cluster, group_id, key) DO UPDATE SET value = excluded.value`,
})

const removeEntries = statement<[cluster: number, groupId: string, keys: string[]]>('remove group journal entries', {
  each: true,
  postgres: 'DELETE FROM group_journal WHERE cluster = $1 AND group_id = $2 AND key = ANY ($3::text[])',
  sqlite: 'DELETE FROM group_journal WHERE cluster = ?1 AND group_id = ?2 AND key = ?3',
})

const removeJournal = statement<[cluster: number, groupId: string]>('remove group journal', {
  postgres: 'DELETE FROM group_journal WHERE cluster = $1 AND group_id = $2',
  sqlite: 'DELETE FROM group_journal WHERE cluster = ?1 AND group_id = ?2',
})

const offsetsSelect = `SELECT t.name AS topic, o.topic_id AS "topicId", o.partition, o.committed_offset AS "offset", o.leader_epoch AS "leaderEpoch", o.metadata
  FROM group_offsets AS o JOIN topics AS t ON t.cluster = o.cluster AND t.topic_id = o.topic_id AND t.deleted_at_ms IS NULL`
const readOffsets = statement<[cluster: number, groupId: string], CommittedOffset>('read group offsets', {
  postgres: `${offsetsSelect} WHERE o.cluster = $1 AND o.group_id = $2 ORDER BY o.topic_id, o.partition`,
  sqlite: `${offsetsSelect} WHERE o.cluster = ?1 AND o.group_id = ?2 ORDER BY o.topic_id, o.partition`,
})

const offsetColumns = 'cluster, group_id, topic_id, partition, committed_offset, leader_epoch, metadata, committed_at_ms, expires_at_ms'
const replaceOffset = `ON CONFLICT (cluster, group_id, topic_id, partition) DO UPDATE SET committed_offset = excluded.committed_offset,
      leader_epoch = excluded.leader_epoch, metadata = excluded.metadata, committed_at_ms = excluded.committed_at_ms,
      expires_at_ms = excluded.expires_at_ms`
/** Null, for the server's own retention, makes the sum null. */
const writeOffsets = statement<
  [
    cluster: number,
    groupId: string,
    topicIds: TopicId[],
    partitions: number[],
    offsets: number[],
    leaderEpochs: number[],
    metadata: string[],
    retentions: (number | null)[],
  ]
>('write group offsets', {
  each: true,
  postgres: `INSERT INTO group_offsets (${offsetColumns})
    SELECT $1::int, $2::text, a.topic_id, a.partition, a.committed_offset, a.leader_epoch, a.metadata, now_ms(), now_ms() + a.retention
    FROM unnest($3::text[], $4::int[], $5::bigint[], $6::int[], $7::text[], $8::bigint[])
      AS a (topic_id, partition, committed_offset, leader_epoch, metadata, retention)
    ${replaceOffset}`,
  sqlite: `INSERT INTO group_offsets (${offsetColumns})
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, now_ms(), now_ms() + ?8)
    ${replaceOffset}`,
})

const removeOffsets = statement<[cluster: number, groupId: string, topicIds: TopicId[], partitions: number[]]>('remove group offsets', {
  each: true,
  postgres: `DELETE FROM group_offsets AS o USING unnest($3::text[], $4::int[]) AS a (topic_id, partition)
    WHERE o.cluster = $1 AND o.group_id = $2 AND o.topic_id = a.topic_id AND o.partition = a.partition`,
  sqlite: 'DELETE FROM group_offsets WHERE cluster = ?1 AND group_id = ?2 AND topic_id = ?3 AND partition = ?4',
})

const removeAllOffsets = statement<[cluster: number, groupId: string]>('remove all group offsets', {
  postgres: 'DELETE FROM group_offsets WHERE cluster = $1 AND group_id = $2',
  sqlite: 'DELETE FROM group_offsets WHERE cluster = ?1 AND group_id = ?2',
})

/** With the topic go the offsets in it. */
export const removeOffsetsOfTopic = statement<[cluster: number, topicId: TopicId]>('remove group offsets of topic', {
  postgres: 'DELETE FROM group_offsets WHERE cluster = $1 AND topic_id = $2',
  sqlite: 'DELETE FROM group_offsets WHERE cluster = ?1 AND topic_id = ?2',
})

/** An offset whose commit named a retention expires at its own time; any other when the commit is older than the server's retention. */
const aged = (retention: string): string =>
  `(o.expires_at_ms <= now_ms() OR (o.expires_at_ms IS NULL AND o.committed_at_ms <= now_ms() - ${retention}))`
/**
 * A group that had members keeps its offsets for the server's retention after the last of them went; a group that is only offsets counts from each commit.
 * A retention of the commit's own counts from the commit in both (Kafka's OffsetExpirationConditionImpl).
 */
const expired = (retention: string): string =>
  `${aged(retention)} AND (o.expires_at_ms IS NOT NULL OR g.protocol_type IS NULL OR g.changed_at_ms <= now_ms() - ${retention})`
const ofGroup = 'o.cluster = g.cluster AND o.group_id = g.group_id'

/** A group without members and without offsets keeps nothing, however young it is. */
const readExpirable = statement<[cluster: number, retentionMs: number, after: string, limit: number], { readonly groupId: string }>(
  'read expirable groups',
  {
    postgres: `SELECT g.group_id AS "groupId" FROM groups AS g WHERE g.cluster = $1 AND g.state = 'Empty' AND g.group_id > $3
    AND (EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup} AND ${expired('$2::bigint')})
      OR NOT EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup})) ORDER BY g.group_id LIMIT $4::int`,
    sqlite: `SELECT g.group_id AS "groupId" FROM groups AS g WHERE g.cluster = ?1 AND g.state = 'Empty' AND g.group_id > ?3
    AND (EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup} AND ${expired('?2')})
      OR NOT EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup})) ORDER BY g.group_id LIMIT ?4`,
  },
)

/** No group has an empty id, so that the first step begins before all of them. */
const agedFrom = `FROM groups AS g JOIN group_offsets AS o ON ${ofGroup} JOIN topics AS t ON t.cluster = o.cluster AND t.topic_id = o.topic_id`
const agedOrder = 'GROUP BY o.group_id, o.topic_id, t.name ORDER BY o.group_id, o.topic_id LIMIT'
const agedSelect = `SELECT o.group_id AS "groupId", o.topic_id AS "topicId", t.name AS topic ${agedFrom}`
const readAged = statement<[cluster: number, retentionMs: number, groupId: string, topicId: string, limit: number], AgedTopic>(
  'read aged offsets of stable groups',
  {
    postgres: `${agedSelect} WHERE g.cluster = $1 AND g.state = 'Stable' AND g.protocol_type = 'consumer' AND ${aged('$2::bigint')}
    AND (o.group_id, o.topic_id) > ($3::text, $4::text) ${agedOrder} $5::int`,
    sqlite: `${agedSelect} WHERE g.cluster = ?1 AND g.state = 'Stable' AND g.protocol_type = 'consumer' AND ${aged('?2')}
    AND (o.group_id, o.topic_id) > (?3, ?4) ${agedOrder} ?5`,
  },
)

const removeAgedOffsets = statement<[cluster: number, groupId: string, topicIds: TopicId[], retentions: number[]]>(
  'remove aged group offsets of topics',
  {
    each: true,
    postgres: `DELETE FROM group_offsets AS o USING unnest($3::text[], $4::bigint[]) AS a (topic_id, retention)
    WHERE o.cluster = $1 AND o.group_id = $2 AND o.topic_id = a.topic_id AND ${aged('a.retention')}`,
    sqlite: `DELETE FROM group_offsets AS o WHERE o.cluster = ?1 AND o.group_id = ?2 AND o.topic_id = ?3 AND ${aged('?4')}`,
  },
)

const lockHeads = statement<[cluster: number, groupIds: string[]], { readonly groupId: string; readonly state: string }>(
  'lock group heads',
  {
    each: true,
    postgres:
      'SELECT group_id AS "groupId", state FROM groups WHERE cluster = $1 AND group_id = ANY ($2::text[]) ORDER BY group_id FOR NO KEY UPDATE',
    sqlite: 'SELECT group_id AS "groupId", state FROM groups WHERE cluster = ?1 AND group_id = ?2',
  },
)

const removeExpired = statement<[cluster: number, groupIds: string[], retentions: number[]]>('remove expired group offsets', {
  each: true,
  postgres: `DELETE FROM group_offsets AS o USING groups AS g, unnest($2::text[], $3::bigint[]) AS a (group_id, retention)
    WHERE g.cluster = $1 AND g.group_id = a.group_id AND ${ofGroup} AND ${expired('a.retention')}`,
  sqlite: `DELETE FROM group_offsets AS o WHERE o.cluster = ?1 AND o.group_id = ?2
    AND EXISTS (SELECT 1 FROM groups AS g WHERE ${ofGroup} AND ${expired('?3')})`,
})

const removeHeadsWithoutOffsets = statement<[cluster: number, groupIds: string[]]>('remove group heads without offsets', {
  each: true,
  postgres: `DELETE FROM groups AS g WHERE g.cluster = $1 AND g.group_id = ANY ($2::text[]) AND NOT EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup})`,
  sqlite: `DELETE FROM groups AS g WHERE g.cluster = ?1 AND g.group_id = ?2 AND NOT EXISTS (SELECT 1 FROM group_offsets AS o WHERE ${ofGroup})`,
})

const removeJournalsWithoutHead = statement<[cluster: number, groupIds: string[]]>('remove group journals without a head', {
  each: true,
  postgres: `DELETE FROM group_journal AS j WHERE j.cluster = $1 AND j.group_id = ANY ($2::text[])
    AND NOT EXISTS (SELECT 1 FROM groups AS g WHERE g.cluster = j.cluster AND g.group_id = j.group_id)`,
  sqlite: `DELETE FROM group_journal AS j WHERE j.cluster = ?1 AND j.group_id = ?2
    AND NOT EXISTS (SELECT 1 FROM groups AS g WHERE g.cluster = j.cluster AND g.group_id = j.group_id)`,
})
