// The partitions that a group reads, with their offsets and lag: read page by page and in slices, because a group may have committed offsets in very many.
import { partitionLag, partitionsOfGroup } from '@local-kafka-service/protocol'
import type { TopicId } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedOffset, LogIndex, Topic } from '../metadata/metadata-store.ts'
import type { Turns } from '../time/turns.ts'
import type { TopicOperations } from './topics.ts'

export interface GroupPartition {
  readonly topic: string
  readonly partition: number
  /** Undefined when there is no commit, or when it was deleted with its topic. */
  readonly committed: { readonly offset: number; readonly metadata: string } | undefined
  readonly start: number
  readonly end: number
  /** The number of unread records; without a commit, all records of the partition. */
  readonly lag: number
  /** The member to which the partition is assigned. */
  readonly memberId: string | undefined
}

export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly memberId: string
}

export interface GroupPartitionsParts {
  readonly topics: Pick<TopicOperations, 'find'>
  readonly log: Pick<LogIndex, 'partitions'>
  readonly turns: Turns
}

interface RowsOfTopic {
  readonly committed: CommittedOffset[]
  readonly assigned: AssignedPartition[]
}

interface ListedPartition extends Pick<GroupPartition, 'topic' | 'partition' | 'committed' | 'memberId'> {
  readonly topicId: TopicId
}

/** All partitions of the topics with commits, and all assigned ones, by topic and partition; without those that were deleted meanwhile. Rejects as the database does. */
export async function groupPartitions(
  { committed, assigned }: { readonly committed: readonly CommittedOffset[]; readonly assigned: readonly AssignedPartition[] },
  { topics, log, turns }: GroupPartitionsParts,
): Promise<readonly GroupPartition[]> {
  const byTopic = new Map<string, RowsOfTopic>()
  const rowsOf = (topic: string): RowsOfTopic => {
    const rows = byTopic.get(topic) ?? { committed: [], assigned: [] }
    byTopic.set(topic, rows)
    return rows
  }
  const slice = turns.slice()
  for (const one of committed) {
    rowsOf(one.topic).committed.push(one)
    if (slice.spent(1)) await slice.next()
  }
  for (const one of assigned) {
    rowsOf(one.topic).assigned.push(one)
    if (slice.spent(1)) await slice.next()
  }
  const living = await livingTopics(byTopic.keys(), topics)
  const found: GroupPartition[] = []
  let page: ListedPartition[] = []
  const readPage = async (): Promise<void> => {
    if (page.length === 0) return
    const states = await log.partitions(page)
    for (const [at, { topic, partition, committed: known, memberId }] of page.entries()) {
      const state = states[at]
      // The topic was deleted in the meantime.
      if (state === undefined) continue
      const { logStartOffset: start, highWatermark: end } = state
      found.push({ topic, partition, committed: known, start, end, lag: partitionLag({ committed: known?.offset, start, end }), memberId })
    }
    page = []
  }
  for (const [topic, rows] of [...byTopic].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    for (const listed of listedOf(topic, rows, living.get(topic))) {
      page.push(listed)
      if (page.length === fixedLimits.namesPerRead) await readPage()
      if (slice.spent(1)) await slice.next()
    }
  await readPage()
  return found
}

/** The topics of these names that exist, by name. */
export async function livingTopics(names: Iterable<string>, topics: GroupPartitionsParts['topics']): Promise<ReadonlyMap<string, Topic>> {
  const found = await topics.find([...new Set(names)], { autoCreate: false })
  return new Map(found.flatMap((outcome) => (outcome.kind === 'ok' ? [[outcome.value.name, outcome.value] as const] : [])))
}

function listedOf(topic: string, { committed, assigned }: RowsOfTopic, living: Topic | undefined): readonly ListedPartition[] {
  // The commits are newer than the catalog, which may have an earlier topic of the same name.
  const topicId = committed.at(-1)?.topicId ?? living?.topicId
  if (topicId === undefined) return []
  const offsets = new Map(committed.filter((one) => one.topicId === topicId).map((one) => [one.partition, one]))
  const members = new Map(assigned.map(({ partition, memberId }) => [partition, memberId]))
  return partitionsOfGroup(committed, assigned, () => living?.partitions).map(({ partition }) => {
    const known = offsets.get(partition)
    const at = known && { offset: known.offset, metadata: known.metadata }
    return { topic, topicId, partition, committed: at, memberId: members.get(partition) }
  })
}
