// The records and bytes of topics and of their partitions, for people: from the offsets and segments in the database.
import type { TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { LogIndex, Topic } from '../metadata/metadata-store.ts'
import type { Turns } from '../time/turns.ts'
import { range } from './record-places.ts'

export interface TopicCounts {
  /** The offsets from the start to the end of all partitions. Compaction and markers of transactions leave offsets without a record. */
  readonly records: number
  /** The ends of all partitions: offsets that were ever appended. */
  readonly appended: number
  readonly bytes?: number
}

export interface PartitionCounts {
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly bytes: number
  /** The largest timestamp of a batch, in milliseconds since the epoch; null without records. */
  readonly newest: number | null
}

export interface CountParts {
  readonly log: Pick<LogIndex, 'partitions' | 'sizes'>
  readonly turns: Turns
}

/** One answer per topic. Reads page by page, so other work runs in between; a topic that was deleted meanwhile counts 0. */
export async function topicCounts(
  topics: readonly Topic[],
  { bytes }: { readonly bytes: boolean },
  { log, turns }: CountParts,
): Promise<readonly TopicCounts[]> {
  const recordsOf = new Map<string, number>()
  const appendedOf = new Map<string, number>()
  const bytesOf = new Map<string, number>()
  const slice = turns.slice()
  const all = topics.flatMap(partitionsOf)
  for (let at = 0; at < all.length; at += fixedLimits.namesPerRead) {
    const page = all.slice(at, at + fixedLimits.namesPerRead)
    const states = await log.partitions(page)
    const sizes = bytes ? await log.sizes(page) : []
    for (const [index, { topicId }] of page.entries()) {
      const state = states[index]
      if (state !== undefined) {
        recordsOf.set(topicId, (recordsOf.get(topicId) ?? 0) + state.highWatermark - state.logStartOffset)
        appendedOf.set(topicId, (appendedOf.get(topicId) ?? 0) + state.highWatermark)
      }
      const size = sizes[index]
      if (size !== undefined) bytesOf.set(topicId, (bytesOf.get(topicId) ?? 0) + size)
    }
    if (slice.spent(page.length)) await slice.next()
  }
  return topics.map(({ topicId }) => ({
    records: recordsOf.get(topicId) ?? 0,
    appended: appendedOf.get(topicId) ?? 0,
    ...(bytes && { bytes: bytesOf.get(topicId) ?? 0 }),
  }))
}

/** Some partitions of a topic, in their order. */
export interface PartitionPage {
  /** The first partition. */
  readonly from: number
  readonly maxPartitions: number
}

/** The partitions in their order, without those that were deleted meanwhile. */
export async function partitionCounts(
  topic: Topic,
  { from, maxPartitions }: PartitionPage,
  { log }: CountParts,
): Promise<readonly PartitionCounts[]> {
  const asked = partitionsOf(topic).slice(from, from + maxPartitions)
  if (asked.length === 0) return []
  const [states, sizes] = [await log.partitions(asked), await log.sizes(asked)]
  return states.flatMap((state, index) => {
    const bytes = sizes[index]
    if (state === undefined || bytes === undefined) return []
    const { partition, logStartOffset, highWatermark, lastStableOffset, maxTimestamp } = state
    const newest = maxTimestamp < 0 || highWatermark === logStartOffset ? null : maxTimestamp
    return [{ partition, logStartOffset, highWatermark, lastStableOffset, bytes, newest }]
  })
}

function partitionsOf({ topicId, partitions }: Topic): readonly TopicPartition[] {
  return range(0, partitions).map((partition) => ({ topicId, partition }))
}
