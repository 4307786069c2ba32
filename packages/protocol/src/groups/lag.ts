// The lag of a group: the one rule for the server, its HTTP API, and tools that query any Kafka.

/** A partition for which a group has committed an offset, or that is assigned to one of its members. */
export interface PartitionOfGroup {
  readonly topic: string
  readonly partition: number
}

/**
 * The partitions that count for a group: all partitions of each topic for which it has committed an offset, and those that its members have. A partition without a commit
 * counts too, because its records are unread. `countOf` returns the number of partitions of a topic; undefined for a deleted topic.
 */
export function partitionsOfGroup(
  committed: Iterable<PartitionOfGroup>,
  assigned: Iterable<PartitionOfGroup>,
  countOf: (topic: string) => number | undefined,
): readonly PartitionOfGroup[] {
  const wanted = new Map<string, Set<number>>()
  const of = (topic: string): Set<number> => {
    const known = wanted.get(topic) ?? new Set<number>()
    wanted.set(topic, known)
    return known
  }
  for (const { topic, partition } of [...committed, ...assigned]) of(topic).add(partition)
  for (const topic of new Set(Array.from(committed, (one) => one.topic)))
    for (let partition = 0; partition < (countOf(topic) ?? 0); partition++) of(topic).add(partition)
  return [...wanted]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, partitions]) => [...partitions].toSorted((a, b) => a - b).map((partition) => ({ topic, partition })))
}

/** The number of offsets that the group has not read. It counts from the committed offset, or from the log's start if nothing is committed or the log now starts later. 0 only if nothing is unread. */
export function partitionLag(at: { readonly committed: number | undefined; readonly start: number; readonly end: number }): number {
  return Math.max(0, at.end - Math.max(at.start, at.committed ?? at.start))
}
