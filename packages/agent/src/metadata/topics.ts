// Topics as rows: found, created, grown, and softly deleted. All changes are made under the cluster's lock.
import { must } from '../core/assert.ts'
import { changedConfigs } from '../core/config/config-changes.ts'
import { topicConfigTable } from '../core/config/topic-configs.ts'
import type { TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { type Cluster, countViewChange, lockCluster, lockedCounters } from './cluster.ts'
import { removeOffsetsOfTopic } from './groups.ts'
import type {
  ChangeTopicConfigs,
  ChangeTopicConfigsResult,
  CreateTopicResult,
  DeletedTopic,
  GrowTopicResult,
  NewTopic,
  Topic,
  UndeleteTopicResult,
} from './metadata-store.ts'
import { type Body, type Call, read, unchanged } from './sql.ts'
import { type Nothing, statement, statementPerRow } from './statement.ts'
import { removePendingOfTopic } from './transaction-rows.ts'

/** `unsure`: an earlier attempt of the same call may have been committed. */
export interface Unsure {
  readonly unsure: boolean
}

export interface TopicsToFind {
  readonly names: readonly string[]
  readonly topicIds: readonly TopicId[]
}

export function* findTopics({ names, topicIds }: TopicsToFind): Body<readonly Topic[]> {
  const [byName, byId] = yield* read(
    readTopicsByName(names.map((name) => ({ name, foldedName: folded(name) }))),
    readTopicsById(topicIds.map((topicId) => ({ topicId }))),
  )
  return unchanged([...new Map([...byName, ...byId].map((row) => [row.topicId, topicOf(row)])).values()])
}

export function* listTopics(_input: Record<never, never>): Body<readonly Topic[]> {
  const [rows] = yield* read(readAllTopics())
  return unchanged(rows.map(topicOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
}

export function* listDeletedTopics(_input: Record<never, never>): Body<readonly DeletedTopic[]> {
  const [rows] = yield* read(readDeletedTopics({ count: fixedLimits.namesPerRead }))
  return unchanged(rows.map((row) => ({ ...topicOf(row), deletedAtMs: row.deletedAtMs })))
}

export function* createTopic(
  { topicId, name, partitions, replicationFactor = 1, configs, dryRun }: NewTopic,
  cluster: Cluster,
): Body<CreateTopicResult> {
  const foldedName = folded(name)
  const [locked, [same], [mine], [clock]] = yield* read(
    lockCluster(),
    readTopicByFoldedName({ foldedName }),
    readTopicEvenDeleted({ topicId }),
    readNow(),
  )
  const counters = lockedCounters(locked, cluster)
  // The id was drawn for this call alone, so its row can only come from an earlier attempt.
  if (mine !== undefined) return unchanged({ kind: 'created', topic: topicOf(mine) })
  if (same !== undefined)
    return unchanged(same.name === name ? { kind: 'exists', topic: topicOf(same) } : { kind: 'collides', with: same.name })
  const createdAtMs = must(clock, "the database's clock").nowMs
  const topic: Topic = { topicId, name, partitions, replicationFactor, configs, createdAtMs }
  if (dryRun) return unchanged({ kind: 'created', topic })
  return {
    writes: [
      insertTopic({ topicId, name, foldedName, partitions, replicationFactor, configs: JSON.stringify(configs), createdAtMs }),
      ...addPartitions({ topicId, from: 0, to: partitions, firstLog: counters.nextLog }),
      countViewChange(),
    ],
    value: { kind: 'created', topic },
  }
}

/** Locks the partitions before it changes the topic: a commit that has locked one of them is either before this transaction or sees the topic deleted. */
export function* deleteTopic({ topicId, unsure }: { readonly topicId: TopicId } & Unsure): Body<'deleted' | 'unknown'> {
  const [, [topic]] = yield* read(lockCluster(), readTopicEvenDeleted({ topicId }), lockPartitionsOfTopic({ topicId }))
  if (topic === undefined) return unchanged('unknown')
  if (topic.deletedAtMs !== null) return unchanged(unsure ? 'deleted' : 'unknown')
  return {
    writes: [markDeleted({ topicId }), removeOffsetsOfTopic({ topicId }), removePendingOfTopic({ topicId }), countViewChange()],
    value: 'deleted',
  }
}

/** The row's lock orders it with the purge, which does not lock the cluster. */
export function* undeleteTopic({ topicId, unsure }: { readonly topicId: TopicId } & Unsure): Body<UndeleteTopicResult> {
  const [, [row]] = yield* read(lockCluster(), lockTopic({ topicId }))
  if (row === undefined || row.purgeBeganAtMs !== null) return unchanged({ kind: 'unknown' })
  if (row.deletedAtMs === null) return unchanged(unsure ? { kind: 'undeleted', topic: topicOf(row) } : { kind: 'unknown' })
  const [[same]] = yield* read(readTopicByFoldedName({ foldedName: folded(row.name) }))
  if (same !== undefined) return unchanged({ kind: 'taken', by: same.name })
  return { writes: [markUndeleted({ topicId }), countViewChange()], value: { kind: 'undeleted', topic: topicOf(row) } }
}

export interface GrowTopic {
  readonly topicId: TopicId
  readonly partitions: number
  readonly dryRun: boolean
}

export function* growTopic({ topicId, partitions, dryRun, unsure }: GrowTopic & Unsure, cluster: Cluster): Body<GrowTopicResult> {
  const [locked, [row]] = yield* read(lockCluster(), readTopicEvenDeleted({ topicId }))
  const counters = lockedCounters(locked, cluster)
  if (row === undefined || row.deletedAtMs !== null) return unchanged({ kind: 'unknown' })
  const topic: Topic = { ...topicOf(row), partitions }
  if (unsure && row.partitions === partitions) return unchanged({ kind: 'grown', topic })
  if (partitions <= row.partitions) return unchanged({ kind: 'not more', partitions: row.partitions })
  if (dryRun) return unchanged({ kind: 'grown', topic })
  return {
    writes: [
      setPartitions({ topicId, partitions }),
      ...addPartitions({ topicId, from: row.partitions, to: partitions, firstLog: counters.nextLog }),
      countViewChange(),
    ],
    value: { kind: 'grown', topic },
  }
}

/** Repeating the changes gives the same configs, so a call whose outcome was unknown can be repeated. As in Kafka, wrong changes are reported before a missing topic. */
export function* changeTopicConfigs({ name, changes, dryRun }: ChangeTopicConfigs): Body<ChangeTopicConfigsResult> {
  const [, [row]] = yield* read(lockCluster(), readTopicByFoldedName({ foldedName: folded(name) }))
  const topic = row?.name === name ? topicOf(row) : undefined
  // The changes to a topic that does not exist are only checked.
  const changed = changedConfigs(topic?.configs ?? {}, changes, topicConfigTable)
  if (changed.kind === 'error') return unchanged({ kind: 'rejected', code: changed.code, message: changed.message })
  if (topic === undefined) return unchanged({ kind: 'unknown' })
  const value = { kind: 'changed', topic: { ...topic, configs: changed.value } } as const
  if (dryRun) return unchanged(value)
  return { writes: [setTopicConfigs({ topicId: topic.topicId, configs: JSON.stringify(changed.value) }), countViewChange()], value }
}

/** Kafka's rule against colliding metric names: names that differ only by `.` and `_` are the same. */
function folded(name: string): string {
  return name.replaceAll('.', '_')
}

function topicOf({ topicId, name, partitions, replicationFactor, configs, createdAtMs }: TopicRow): Topic {
  return {
    topicId,
    name,
    partitions,
    replicationFactor,
    configs: JSON.parse(configs) as Topic['configs'],
    createdAtMs,
  }
}

/** Adds partitions `from` to `to` - 1, each with a log of its own. */
function addPartitions(added: {
  readonly topicId: TopicId
  readonly from: number
  readonly to: number
  readonly firstLog: number
}): readonly Call[] {
  const { topicId, from, to, firstLog } = added
  return [
    insertPartitions({ topicId, first: from, last: to - 1, logMinusPartition: firstLog - from }),
    setNextLog({ next: firstLog + to - from }),
  ]
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface TopicRow {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: string
  readonly createdAtMs: number
  readonly deletedAtMs: number | null
}

const selectTopic = `SELECT topic_id AS "topicId", name, partitions, COALESCE(replication_factor, 1) AS "replicationFactor", configs, created_at_ms AS "createdAtMs", deleted_at_ms AS "deletedAtMs" FROM topics
  WHERE cluster = $cluster`

interface TopicName {
  readonly name: string
  readonly foldedName: string
}

/** Also filters by the folded name, because that one has the index. */
const readTopicsByName = statementPerRow<TopicName, TopicRow>(
  'read topics by name',
  { name: 'text', foldedName: 'text' },
  `${selectTopic} AND name = $name AND folded_name = $foldedName AND deleted_at_ms IS NULL`,
)

const readTopicsById = statementPerRow<{ readonly topicId: TopicId }, TopicRow>(
  'read topics by id',
  { topicId: 'text' },
  `${selectTopic} AND topic_id = $topicId AND deleted_at_ms IS NULL`,
)

const readAllTopics = statement<Nothing, TopicRow>('read all topics', `${selectTopic} AND deleted_at_ms IS NULL`)

const readDeletedTopics = statement<{ readonly count: number }, TopicRow & { readonly deletedAtMs: number }>(
  'read deleted topics',
  `${selectTopic} AND deleted_at_ms IS NOT NULL AND purge_began_at_ms IS NULL ORDER BY deleted_at_ms DESC, topic_id LIMIT $count`,
)

const readTopicByFoldedName = statement<{ readonly foldedName: string }, TopicRow>(
  'read topic by folded name',
  `${selectTopic} AND folded_name = $foldedName AND deleted_at_ms IS NULL`,
)

const readTopicEvenDeleted = statement<{ readonly topicId: TopicId }, TopicRow>(
  'read topic even deleted',
  `${selectTopic} AND topic_id = $topicId`,
)

const readNow = statement<Nothing, { readonly nowMs: number }>('read now', 'SELECT now_ms() AS "nowMs"')

const insertTopic = statement<
  TopicName & {
    readonly topicId: TopicId
    readonly partitions: number
    readonly replicationFactor: number
    readonly configs: string
    readonly createdAtMs: number
  }
>(
  'insert topic',
  `INSERT INTO topics (cluster, topic_id, name, folded_name, partitions, replication_factor, configs, created_at_ms)
    VALUES ($cluster, $topicId, $name, $foldedName, $partitions, $replicationFactor, $configs, $createdAtMs)`,
)

interface NewPartitions {
  readonly topicId: TopicId
  readonly first: number
  readonly last: number
  /** The log of a partition is the partition's number plus this. */
  readonly logMinusPartition: number
}

const partitionColumns = 'cluster, topic_id, partition, log, log_start_offset, next_offset, max_timestamp, created_at_ms'
const insertPartitions = statement<NewPartitions>('insert partitions', {
  // The dialects generate series of numbers differently.
  postgres: `INSERT INTO partitions (${partitionColumns}) SELECT $cluster::int, $topicId::text, n, n + $logMinusPartition::bigint, 0, 0, -1, now_ms()
    FROM generate_series($first::int, $last::int) AS n`,
  sqlite: `WITH RECURSIVE numbers (n) AS (SELECT $first UNION ALL SELECT n + 1 FROM numbers WHERE n < $last)
    INSERT INTO partitions (${partitionColumns}) SELECT $cluster, $topicId, n, n + $logMinusPartition, 0, 0, -1, now_ms() FROM numbers`,
})

const setNextLog = statement<{ readonly next: number }>('set next log', 'UPDATE clusters SET next_log = $next WHERE cluster = $cluster')

const setPartitions = statement<{ readonly topicId: TopicId; readonly partitions: number }>(
  'set partitions',
  'UPDATE topics SET partitions = $partitions WHERE cluster = $cluster AND topic_id = $topicId',
)

const setTopicConfigs = statement<{ readonly topicId: TopicId; readonly configs: string }>(
  'set topic configs',
  'UPDATE topics SET configs = $configs WHERE cluster = $cluster AND topic_id = $topicId',
)

/** Locks in the order in which every commit locks them. */
const lockPartitionsOfTopic = statement<{ readonly topicId: TopicId }>('lock partitions of topic', {
  postgres: 'SELECT 1 FROM partitions WHERE cluster = $cluster AND topic_id = $topicId ORDER BY topic_id, partition FOR NO KEY UPDATE',
  // SQLite's transactions are serial: there is nothing to lock.
  sqlite: 'SELECT 1',
})

const lockTopic = statement<{ readonly topicId: TopicId }, TopicRow & { readonly purgeBeganAtMs: number | null }>(
  'lock topic',
  `SELECT topic_id AS "topicId", name, partitions, COALESCE(replication_factor, 1) AS "replicationFactor", configs, created_at_ms AS "createdAtMs",
    deleted_at_ms AS "deletedAtMs", purge_began_at_ms AS "purgeBeganAtMs" FROM topics WHERE cluster = $cluster AND topic_id = $topicId FOR NO KEY UPDATE`,
)

const markUndeleted = statement<{ readonly topicId: TopicId }>(
  'mark undeleted',
  'UPDATE topics SET deleted_at_ms = NULL WHERE cluster = $cluster AND topic_id = $topicId',
)

const markDeleted = statement<{ readonly topicId: TopicId }>(
  'mark deleted',
  'UPDATE topics SET deleted_at_ms = now_ms() WHERE cluster = $cluster AND topic_id = $topicId',
)
