// The start of a log: moved forward under the partition's lock, and never back.
import { partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import { readAliveTopics } from './commit.ts'
import type { DeletedRecords, DeleteRecordsAsk } from './metadata-store.ts'
import { inLockOrder, lockPartitions } from './partition-rows.ts'
import { type Body, read } from './sql.ts'
import { statementPerRow } from './statement.ts'

/** The rows of segments before the new start are left for upkeep, so the time of this transaction does not depend on the length of the log. */
export function* deleteRecords(asks: readonly DeleteRecordsAsk[]): Body<readonly DeletedRecords[]> {
  const topicIds = [...new Set(asks.map(({ topicId }) => topicId))]
  const [locked, alive] = yield* read(lockPartitions(inLockOrder(asks)), readAliveTopics(topicIds.map((topicId) => ({ topicId }))))
  const living: ReadonlySet<TopicId> = new Set(alive.map(({ topicId }) => topicId))
  const held = new Map(locked.filter(({ topicId }) => living.has(topicId)).map((row) => [partitionKey(row.topicId, row.partition), row]))
  const starts = new Map<string, LogStartRow>()
  const results = asks.map(({ topicId, partition, beforeOffset }): DeletedRecords => {
    const key = partitionKey(topicId, partition)
    const row = held.get(key)
    if (row === undefined) return { kind: 'unknown partition' }
    const wanted = beforeOffset === 'high watermark' ? row.nextOffset : beforeOffset
    if (wanted < 0 || wanted > row.nextOffset) return { kind: 'out of range' }
    const logStartOffset = Math.max(wanted, starts.get(key)?.logStartOffset ?? row.logStartOffset)
    if (logStartOffset > row.logStartOffset) starts.set(key, { topicId, partition, logStartOffset })
    return { kind: 'deleted', logStartOffset }
  })
  return { writes: [setLogStart([...starts.values()])], value: results }
}

// ---- statements ---------------------------------------------------------------------------------------------------------------------

interface LogStartRow extends TopicPartition {
  readonly logStartOffset: number
}

const setLogStart = statementPerRow<LogStartRow>(
  'set log start',
  { topicId: 'text', partition: 'int', logStartOffset: 'bigint' },
  `UPDATE partitions SET log_start_offset = $logStartOffset
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition AND log_start_offset < $logStartOffset`,
)
