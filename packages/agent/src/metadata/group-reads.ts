// Reads of groups without taking them over: their heads, and committed offsets of topics that are not deleted. Long answers come page by page.
import { fixedLimits } from '../limits.ts'
import { unescaped } from './escaped.ts'
import type { GroupHead, GroupOffset, OffsetPlace, OffsetsOfGroups } from './metadata-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'

export function* listGroups(_input: Record<never, never>): Body<readonly GroupHead[]> {
  const [heads] = yield* read(readHeads())
  return unchanged(heads.map(headOf))
}

export function* findGroups({ groupIds }: { readonly groupIds: readonly string[] }): Body<readonly GroupHead[]> {
  const [heads] = yield* read(readHeadsById(groupIds.map((groupId) => ({ groupId }))))
  return unchanged(heads.map(headOf))
}

export function* fetchOffsets({ groupIds, after = beforeAll }: OffsetsOfGroups): Body<readonly GroupOffset[]> {
  const { groupId, topicId, partition } = after
  const page = { groupIds: JSON.stringify(groupIds), groupId, topicId, partition, maxOffsets: fixedLimits.offsetsPerRead }
  const [rows] = yield* read(readOffsets(page))
  return unchanged(rows.map(offsetOf))
}

export function* fetchOffsetsAt({ places }: { readonly places: readonly OffsetPlace[] }): Body<readonly GroupOffset[]> {
  const [rows] = yield* read(readOffsetsAt(places))
  return unchanged(rows.map(offsetOf))
}

/** No group has an empty id. */
const beforeAll: OffsetPlace = { groupId: '', topicId: '', partition: 0 }

function headOf(head: GroupHead): GroupHead {
  return { ...head, protocolType: head.protocolType === null ? null : unescaped(head.protocolType) }
}

function offsetOf(row: GroupOffset): GroupOffset {
  return { ...row, metadata: unescaped(row.metadata) }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const selectHead = `SELECT group_id AS "groupId", kind, protocol_type AS "protocolType", state FROM groups WHERE cluster = $cluster`

const readHeads = statement<Nothing, GroupHead>('read group heads', `${selectHead} ORDER BY group_id`)

const readHeadsById = statementPerRow<{ readonly groupId: string }, GroupHead>(
  'read group heads by id',
  { groupId: 'text' },
  `${selectHead} AND group_id = $groupId`,
)

const selectOffset = `SELECT o.group_id AS "groupId", t.name AS topic, o.topic_id AS "topicId", o.partition, o.committed_offset AS "offset",
    o.leader_epoch AS "leaderEpoch", o.metadata
  FROM group_offsets AS o JOIN topics AS t ON t.cluster = o.cluster AND t.topic_id = o.topic_id AND t.deleted_at_ms IS NULL
  WHERE o.cluster = $cluster`

const pageOfOffsets = (groupIds: string): string => `${selectOffset} AND o.group_id IN (${groupIds})
  AND (o.group_id, o.topic_id, o.partition) > ($groupId, $topicId, $partition) ORDER BY o.group_id, o.topic_id, o.partition LIMIT $maxOffsets`

const readOffsets = statement<OffsetPlace & { readonly groupIds: string; readonly maxOffsets: number }, GroupOffset>('read group offsets', {
  // The dialects read a JSON list differently. It is one list, not a row for each group, because a page spans all groups together.
  postgres: pageOfOffsets('SELECT jsonb_array_elements_text($groupIds::jsonb)'),
  sqlite: pageOfOffsets('SELECT value FROM json_each($groupIds)'),
})

const readOffsetsAt = statementPerRow<OffsetPlace, GroupOffset>(
  'read group offsets at',
  { groupId: 'text', topicId: 'text', partition: 'int' },
  `${selectOffset} AND o.group_id = $groupId AND o.topic_id = $topicId AND o.partition = $partition`,
)
