// How far a group is behind: the one rule for a server, its HTTP, and tools that ask any Kafka.

/** A partition that a group has committed in, or that one of its members has. */
export interface PartitionOfGroup {
  readonly topic: string
  readonly partition: number
}

/**
 * The partitions that count for a group: all of each topic of which it has committed any, and those that its members have. A partition without a commit
 * counts too, because what is in it is unread. `countOf` is how many partitions a topic has; undefined for one that is gone.
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

/** Offsets that the group has not read: from what is committed, or from the start where nothing is, or where the log begins later by now. 0 only where nothing is unread. */
export function partitionLag(at: { readonly committed: number | undefined; readonly start: number; readonly end: number }): number {
  return Math.max(0, at.end - Math.max(at.start, at.committed ?? at.start))
}
