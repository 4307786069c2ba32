// Topics as rows: found, made, grown, and deleted softly. All changes are made under the cluster's lock.
import type { TopicId } from '../core/ids.ts'
import { type InCluster, lockCluster } from './cluster.ts'
import { removeOffsetsOfTopic } from './groups.ts'
import { type CreateTopicResult, type GrowTopicResult, MetadataError, type NewTopic, type Topic } from './metadata-store.ts'
import { type Body, type Call, read, statement, unchanged } from './sql.ts'

/** `unsure`: an earlier try of the same call may have been committed. */
export interface Unsure {
  readonly unsure: boolean
}

export function* findTopics({
  cluster,
  input,
}: InCluster<{ readonly names: readonly string[]; readonly topicIds: readonly TopicId[] }>): Body<readonly Topic[]> {
  const [byName, byId] = yield* read(
    readTopicsByName(cluster.number, input.names, input.names.map(folded)),
    readTopicsById(cluster.number, input.topicIds),
  )
  return unchanged([...new Map([...byName, ...byId].map((row) => [row.topicId, topicOf(row)])).values()])
}

export function* listTopics({ cluster }: InCluster<Record<never, never>>): Body<readonly Topic[]> {
  const [rows] = yield* read(readAllTopics(cluster.number))
  return unchanged(rows.map(topicOf).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
}

export function* createTopic({ cluster, input }: InCluster<NewTopic>): Body<CreateTopicResult> {
  const { topicId, name, partitions, configs, dryRun } = input
  const [[counters], [same], [mine], [clock]] = yield* read(
    lockCluster(cluster.number),
    readTopicByFoldedName(cluster.number, folded(name)),
    readTopicEvenDeleted(cluster.number, topicId),
    readNow(),
  )
  if (counters === undefined || clock === undefined) throw new MetadataError('invalid', `Cluster ${cluster.id} is gone from the database.`)
  // The id was drawn for this call alone: its row can only come from an earlier try.
  if (mine !== undefined) return unchanged({ kind: 'created', topic: topicOf(mine) })
  if (same !== undefined)
    return unchanged(same.name === name ? { kind: 'exists', topic: topicOf(same) } : { kind: 'collides', with: same.name })
  const topic: Topic = { topicId, name, partitions, configs, createdAtMs: clock.now }
  if (dryRun) return unchanged({ kind: 'created', topic })
  return {
    writes: [
      insertTopic(cluster.number, topicId, name, folded(name), partitions, JSON.stringify(configs), clock.now),
      ...addPartitions({ cluster: cluster.number, topicId, from: 0, to: partitions, firstLog: counters.nextLog }),
    ],
    value: { kind: 'created', topic },
  }
}

/** The partitions are locked before the topic changes: a commit that holds one of them is either before this transaction or sees the topic deleted. */
export function* deleteTopic({ cluster, input }: InCluster<{ readonly topicId: TopicId } & Unsure>): Body<'deleted' | 'unknown'> {
  const [, [topic]] = yield* read(
    lockCluster(cluster.number),
    readTopicEvenDeleted(cluster.number, input.topicId),
    lockPartitionsOfTopic(cluster.number, input.topicId),
  )
  if (topic === undefined) return unchanged('unknown')
  if (topic.deletedAtMs !== null) return unchanged(input.unsure ? 'deleted' : 'unknown')
  return { writes: [markDeleted(cluster.number, input.topicId), removeOffsetsOfTopic(cluster.number, input.topicId)], value: 'deleted' }
}

export function* growTopic({
  cluster,
  input,
}: InCluster<{ readonly topicId: TopicId; readonly partitions: number; readonly dryRun: boolean } & Unsure>): Body<GrowTopicResult> {
  const { topicId, partitions, dryRun, unsure } = input
  const [[counters], [row]] = yield* read(lockCluster(cluster.number), readTopicEvenDeleted(cluster.number, topicId))
  if (counters === undefined) throw new MetadataError('invalid', `Cluster ${cluster.id} is gone from the database.`)
  if (row === undefined || row.deletedAtMs !== null) return unchanged({ kind: 'unknown' })
  const topic: Topic = { ...topicOf(row), partitions }
  if (unsure && row.partitions === partitions) return unchanged({ kind: 'grown', topic })
  if (partitions <= row.partitions) return unchanged({ kind: 'not more', partitions: row.partitions })
  if (dryRun) return unchanged({ kind: 'grown', topic })
  return {
    writes: [
      setPartitions(cluster.number, topicId, partitions),
      ...addPartitions({ cluster: cluster.number, topicId, from: row.partitions, to: partitions, firstLog: counters.nextLog }),
    ],
    value: { kind: 'grown', topic },
  }
}

/** Kafka's rule against colliding metric names: a name with `.` and one with `_` in its place are the same. */
function folded(name: string): string {
  return name.replaceAll('.', '_')
}

function topicOf({ topicId, name, partitions, configs, createdAtMs }: TopicRow): Topic {
  return { topicId, name, partitions, configs: JSON.parse(configs) as Topic['configs'], createdAtMs }
}

/** Partitions `from` to `to` - 1, each with a log of its own. */
function addPartitions(added: {
  readonly cluster: number
  readonly topicId: TopicId
  readonly from: number
  readonly to: number
  readonly firstLog: number
}): readonly Call[] {
  const { cluster, topicId, from, to, firstLog } = added
  return [insertPartitions(cluster, topicId, from, to - 1, firstLog - from), setNextLog(cluster, firstLog + to - from)]
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface TopicRow {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  readonly configs: string
  readonly createdAtMs: number
  readonly deletedAtMs: number | null
}

const topicSelect = `SELECT topic_id AS "topicId", name, partitions, configs, created_at_ms AS "createdAtMs", deleted_at_ms AS "deletedAtMs" FROM topics`

/** By the folded name, because that has the index. */
const readTopicsByName = statement<[cluster: number, names: readonly string[], foldedNames: readonly string[]], TopicRow>(
  'read topics by name',
  {
    each: true,
    postgres: `${topicSelect} WHERE cluster = $1 AND name = ANY ($2::text[]) AND folded_name = ANY ($3::text[]) AND deleted_at_ms IS NULL`,
    sqlite: `${topicSelect} WHERE cluster = ?1 AND name = ?2 AND folded_name = ?3 AND deleted_at_ms IS NULL`,
  },
)

const readTopicsById = statement<[cluster: number, topicIds: readonly string[]], TopicRow>('read topics by id', {
  each: true,
  postgres: `${topicSelect} WHERE cluster = $1 AND topic_id = ANY ($2::text[]) AND deleted_at_ms IS NULL`,
  sqlite: `${topicSelect} WHERE cluster = ?1 AND topic_id = ?2 AND deleted_at_ms IS NULL`,
})

const readAllTopics = statement<[cluster: number], TopicRow>('read all topics', {
  postgres: `${topicSelect} WHERE cluster = $1 AND deleted_at_ms IS NULL`,
  sqlite: `${topicSelect} WHERE cluster = ?1 AND deleted_at_ms IS NULL`,
})

const readTopicByFoldedName = statement<[cluster: number, foldedName: string], TopicRow>('read topic by folded name', {
  postgres: `${topicSelect} WHERE cluster = $1 AND folded_name = $2 AND deleted_at_ms IS NULL`,
  sqlite: `${topicSelect} WHERE cluster = ?1 AND folded_name = ?2 AND deleted_at_ms IS NULL`,
})

const readTopicEvenDeleted = statement<[cluster: number, topicId: string], TopicRow>('read topic even deleted', {
  postgres: `${topicSelect} WHERE cluster = $1 AND topic_id = $2`,
  sqlite: `${topicSelect} WHERE cluster = ?1 AND topic_id = ?2`,
})

const readNow = statement<[], { readonly now: number }>('read now', {
  postgres: 'SELECT now_ms() AS now',
  sqlite: 'SELECT now_ms() AS now',
})

const insertTopic = statement<
  [cluster: number, topicId: string, name: string, foldedName: string, partitions: number, configs: string, createdAtMs: number]
>('insert topic', {
  postgres: `INSERT INTO topics (cluster, topic_id, name, folded_name, partitions, configs, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  sqlite: `INSERT INTO topics (cluster, topic_id, name, folded_name, partitions, configs, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
})

const partitionColumns = 'cluster, topic_id, partition, log, log_start_offset, next_offset, max_timestamp, created_at_ms'
/** The log of a partition is its number plus `logMinusPartition`. */
const insertPartitions = statement<[cluster: number, topicId: string, first: number, last: number, logMinusPartition: number]>(
  'insert partitions',
  {
    postgres: `INSERT INTO partitions (${partitionColumns})
    SELECT $1::int, $2::text, n, n + $5::bigint, 0, 0, -1, now_ms() FROM generate_series($3::int, $4::int) AS n`,
    sqlite: `WITH RECURSIVE numbers (n) AS (SELECT ?3 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?4)
    INSERT INTO partitions (${partitionColumns}) SELECT ?1, ?2, n, n + ?5, 0, 0, -1, now_ms() FROM numbers`,
  },
)

const setNextLog = statement<[cluster: number, nextLog: number]>('set next log', {
  postgres: 'UPDATE clusters SET next_log = $2 WHERE cluster = $1',
  sqlite: 'UPDATE clusters SET next_log = ?2 WHERE cluster = ?1',
})

const setPartitions = statement<[cluster: number, topicId: string, partitions: number]>('set partitions', {
  postgres: 'UPDATE topics SET partitions = $3 WHERE cluster = $1 AND topic_id = $2',
  sqlite: 'UPDATE topics SET partitions = ?3 WHERE cluster = ?1 AND topic_id = ?2',
})

/** In the order of every commit. */
const lockPartitionsOfTopic = statement<[cluster: number, topicId: string]>('lock partitions of topic', {
  postgres: 'SELECT 1 FROM partitions WHERE cluster = $1 AND topic_id = $2 ORDER BY topic_id, partition FOR NO KEY UPDATE',
  // Transactions of SQLite are serial: there is nothing to lock.
  sqlite: 'SELECT 1 WHERE ?1 = ?1 AND ?2 = ?2',
})

const markDeleted = statement<[cluster: number, topicId: string]>('mark deleted', {
  postgres: 'UPDATE topics SET deleted_at_ms = now_ms() WHERE cluster = $1 AND topic_id = $2',
  sqlite: 'UPDATE topics SET deleted_at_ms = now_ms() WHERE cluster = ?1 AND topic_id = ?2',
})
