// The first and last offsets of partitions, and offsets by time: sends ListOffsets to each partition's leader.
import type { ClusterClient } from './cluster-client.ts'
import type { ClusterState } from './cluster-metadata.ts'

export interface PartitionRef {
  readonly topic: string
  readonly partition: number
}

/** Timestamps with a special meaning. */
export const latest = -1
export const earliest = -2

/** Offsets by `keyOf`, without partitions that have no leader or whose leader answers an error. -1: no record is that new. */
export async function offsetsAt(
  cluster: ClusterClient,
  { brokers, topics }: Pick<ClusterState, 'brokers' | 'topics'>,
  partitions: readonly PartitionRef[],
  timestamp: number,
): Promise<ReadonlyMap<string, number>> {
  const states = new Map(
    topics.flatMap(({ name, partitions: all }) => all.map((state) => [keyOf({ topic: name, partition: state.partition }), state])),
  )
  const byLeader = new Map<number, PartitionRef[]>()
  for (const ref of partitions) {
    const leader = states.get(keyOf(ref))?.leader ?? -1
    if (leader >= 0) byLeader.set(leader, [...(byLeader.get(leader) ?? []), ref])
  }
  const found = new Map<string, number>()
  await Promise.all(
    [...byLeader].map(async ([leader, refs]) => {
      const broker = brokers.find(({ id }) => id === leader)
      if (broker === undefined) return
      const connection = await cluster.connectionTo(broker)
      const { async: listOffsets } = cluster.version('ListOffsets', cluster.library.listOffsetsV9.api)
      const asked = [...Map.groupBy(refs, ({ topic }) => topic)].map(([name, of]) => ({
        name,
        partitions: of.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) })),
      }))
      const answer = await cluster.withRetries(() => cluster.partial(listOffsets(connection, -1, 0, asked)))
      for (const { name, partitions: of } of answer.topics) {
        for (const { partitionIndex, errorCode, offset } of of)
          if (errorCode === 0) found.set(keyOf({ topic: name, partition: partitionIndex }), Number(offset))
      }
    }),
  )
  return found
}

export function keyOf({ topic, partition }: PartitionRef): string {
  return `${topic}[${partition}]`
}

export function byTopicAndPartition(a: PartitionRef, b: PartitionRef): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}
