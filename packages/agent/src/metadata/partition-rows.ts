// Partition rows under their locks, and the ends of their logs: shared by the commit and the recovery.
import { type LogId, partitionKey, type TopicPartition } from '../core/ids.ts'
import { statementPerRow } from './statement.ts'

export interface LockedPartition extends TopicPartition {
  readonly log: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
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
    p.max_timestamp AS "maxTimestamp" FROM partitions AS p
    WHERE p.cluster = $cluster AND p.topic_id = $topicId AND p.partition = $partition
    ORDER BY p.topic_id, p.partition FOR NO KEY UPDATE OF p`,
)

export const setLogEnd = statementPerRow<LogEndRow>(
  'set log end',
  { topicId: 'text', partition: 'int', nextOffset: 'bigint', maxTimestamp: 'bigint' },
  `UPDATE partitions SET next_offset = $nextOffset, max_timestamp = $maxTimestamp
    WHERE cluster = $cluster AND topic_id = $topicId AND partition = $partition`,
)

/** What one log remembers of one producer; `batches` is JSON. */
export interface WindowRow {
  readonly log: LogId
  readonly producerId: number
  readonly epoch: number
  readonly batches: string
}
