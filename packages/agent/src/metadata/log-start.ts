// DeleteRecords: the start of a log is moved forward under the partition's lock, by the agent that owns the partition.
import { type IncarnationId, partitionKey } from '../core/ids.ts'
import type { Cluster } from './cluster.ts'
import { readAliveTopics } from './commit.ts'
import type { DeletedRecords, DeleteRecordsAsk } from './metadata-store.ts'
import { inLockOrder, type LogStartRow, lockPartitions, lockSlots, ownership, setLogStart, slotsOf } from './partition-rows.ts'
import { type Body, read } from './sql.ts'

export interface DeleteRecordsInput {
  readonly owner: IncarnationId
  readonly asks: readonly DeleteRecordsAsk[]
}

/** The rows of segments before the new start are left for upkeep, so the time of this transaction does not depend on the length of the log. */
export function* deleteRecords({ owner, asks }: DeleteRecordsInput, cluster: Cluster): Body<readonly DeletedRecords[]> {
  const topicIds = [...new Set(asks.map(({ topicId }) => topicId))].map((topicId) => ({ topicId }))
  const [locked, alive, slots] = yield* read(
    lockPartitions(inLockOrder(asks)),
    readAliveTopics(topicIds),
    lockSlots(slotsOf(asks, cluster)),
  )
  const living = new Set(alive.map(({ topicId }) => topicId))
  const held = new Map(locked.filter(({ topicId }) => living.has(topicId)).map((row) => [partitionKey(row.topicId, row.partition), row]))
  const isOwned = ownership(owner, slots, cluster)
  const starts = new Map<string, LogStartRow>()
  const results = asks.map(({ topicId, partition, beforeOffset }): DeletedRecords => {
    const key = partitionKey(topicId, partition)
    const row = held.get(key)
    if (row === undefined) return { kind: 'unknown partition' }
    if (!isOwned(row)) return { kind: 'not owner' }
    if (beforeOffset < 0 || beforeOffset > row.nextOffset) return { kind: 'out of range' }
    const logStartOffset = Math.max(beforeOffset, starts.get(key)?.logStartOffset ?? row.logStartOffset)
    if (logStartOffset > row.logStartOffset) starts.set(key, { topicId, partition, logStartOffset })
    return { kind: 'deleted', logStartOffset }
  })
  return { writes: [setLogStart([...starts.values()])], value: results }
}
