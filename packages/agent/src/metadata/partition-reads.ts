// Reads about partitions for people and tools: their sizes, and the producers that they remember.
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import type { RememberedBatch } from '../core/log/producer-window.ts'
import type { ActiveProducer } from './metadata-store.ts'
import { type Body, read, unchanged } from './sql.ts'
import { statementPerRow } from './statement.ts'

/** Adds up all segments of each log, so its time grows with the length of the log. */
export function* partitionSizes(asked: readonly TopicPartition[]): Body<readonly (number | undefined)[]> {
  const [rows] = yield* read(readSizes(asked))
  const sizes = new Map(rows.map((row) => [partitionKey(row.topicId, row.partition), row.sizeBytes]))
  return unchanged(asked.map(({ topicId, partition }) => sizes.get(partitionKey(topicId, partition))))
}

export interface ProducersOf {
  readonly asked: readonly TopicPartition[]
  /** `producer.id.expiration.ms`, by the database's clock. */
  readonly expirationMs: number
}

export function* activeProducers({ asked, expirationMs }: ProducersOf): Body<readonly (readonly ActiveProducer[] | undefined)[]> {
  const [partitions, windows] = yield* read(readLivingPartitions(asked), readWindowsOfPartitions(asked))
  const living = new Set(partitions.map(({ topicId, partition }) => partitionKey(topicId, partition)))
  const remembered = windows.filter(({ silentMs, transactionFirstOffset }) => silentMs <= expirationMs || transactionFirstOffset !== null)
  const known = Map.groupBy(remembered, ({ topicId, partition }) => partitionKey(topicId, partition))
  return unchanged(
    asked.map(({ topicId, partition }) => {
      const key = partitionKey(topicId, partition)
      if (!living.has(key)) return undefined
      return (known.get(key) ?? []).map(activeProducer).toSorted((a, b) => a.producerId - b.producerId)
    }),
  )
}

function activeProducer({ producerId, epoch, batches, transactionFirstOffset, lastSeenMs }: StoredProducer): ActiveProducer {
  const last = (JSON.parse(batches) as readonly RememberedBatch[]).at(-1)
  return {
    producerId,
    epoch,
    // After a marker that raised the epoch there is no batch.
    lastSequence: last?.lastSequence ?? -1,
    lastTimestamp: last?.timestamp ?? lastSeenMs,
    transactionFirstOffset: transactionFirstOffset ?? undefined,
  }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

const livingPartitions = `partitions AS p JOIN topics AS t ON t.cluster = p.cluster AND t.topic_id = p.topic_id AND t.deleted_at_ms IS NULL`

export const readSizes = statementPerRow<TopicPartition, TopicPartition & { readonly sizeBytes: number }>(
  'read sizes of partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, COALESCE(SUM(s.size_bytes), 0)::bigint AS "sizeBytes"
    FROM ${livingPartitions} LEFT JOIN segments AS s ON s.cluster = p.cluster AND s.log = p.log AND s.last_offset >= p.log_start_offset
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition GROUP BY p.topic_id, p.partition`,
)

const readLivingPartitions = statementPerRow<TopicPartition, TopicPartition>(
  'read living partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition FROM ${livingPartitions}
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)

interface StoredProducer extends TopicPartition {
  readonly producerId: number
  readonly epoch: number
  readonly batches: string
  readonly transactionFirstOffset: number | null
  readonly lastSeenMs: number
  readonly silentMs: number
}

const readWindowsOfPartitions = statementPerRow<TopicPartition, StoredProducer>(
  'read windows of partitions',
  { topicId: 'text', partition: 'int' },
  `SELECT p.topic_id AS "topicId", p.partition, w.producer_id AS "producerId", w.epoch, w.batches,
    w.transaction_first_offset AS "transactionFirstOffset", w.last_seen_ms AS "lastSeenMs", now_ms() - w.last_seen_ms AS "silentMs"
    FROM ${livingPartitions} JOIN producers AS w ON w.cluster = p.cluster AND w.log = p.log
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition`,
)
