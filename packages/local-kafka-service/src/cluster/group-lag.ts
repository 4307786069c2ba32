// How far a group is behind: what it has committed against where its partitions end, per partition, topic and in all.
import type { Cluster } from './cluster.ts'
import { clusterState } from './cluster-metadata.ts'
import { committedOffsets, type GroupMember } from './groups.ts'
import { byTopicAndPartition, earliest, keyOf, latest, offsetsAt, type PartitionRef } from './offsets.ts'

export interface PartitionLag extends PartitionRef {
  /** Undefined: nothing is committed. */
  readonly committed: number | undefined
  /** Undefined: the topic is gone, or nobody leads the partition. */
  readonly start: number | undefined
  readonly end: number | undefined
  /** Undefined where one of the two is. */
  readonly lag: number | undefined
  readonly member: GroupMember | undefined
}

export interface TopicLag {
  readonly topic: string
  readonly partitions: number
  readonly lag: number
  /** Partitions whose lag nobody knows. */
  readonly unknown: number
}

/** What the group has committed, and what its members have. */
export async function lagOf(cluster: Cluster, groupId: string, members: readonly GroupMember[]): Promise<readonly PartitionLag[]> {
  const committed = await committedOffsets(cluster, groupId)
  const owners = new Map(members.flatMap((member) => (member.assignment ?? []).map((ref) => [keyOf(ref), { ref, member }] as const)))
  const refs = new Map<string, PartitionRef>()
  for (const ref of [...committed, ...[...owners.values()].map(({ ref: owned }) => owned)]) refs.set(keyOf(ref), ref)
  const listed = [...refs.values()].toSorted(byTopicAndPartition)
  const { starts, ends } = await boundsOf(cluster, listed)
  const offsets = new Map(committed.map((one) => [keyOf(one), one]))
  return listed.map(({ topic, partition }) => {
    const key = keyOf({ topic, partition })
    const at = offsets.get(key)?.offset
    const end = ends.get(key)
    const start = starts.get(key)
    return { topic, partition, committed: at, start, end, lag: lagBetween(at, start, end), member: owners.get(key)?.member }
  })
}

/** Where nothing is committed it depends on the member where it begins, but for an empty partition. */
function lagBetween(committed: number | undefined, start: number | undefined, end: number | undefined): number | undefined {
  if (end === undefined) return undefined
  if (committed === undefined) return start === end ? 0 : undefined
  return Math.max(0, end - committed)
}

export interface Bounds {
  readonly starts: ReadonlyMap<string, number>
  readonly ends: ReadonlyMap<string, number>
}

export async function boundsOf(cluster: Cluster, partitions: readonly PartitionRef[]): Promise<Bounds> {
  if (partitions.length === 0) return { starts: new Map(), ends: new Map() }
  const state = await clusterState(cluster, [...new Set(partitions.map(({ topic }) => topic))])
  const [starts, ends] = await Promise.all([offsetsAt(cluster, state, partitions, earliest), offsetsAt(cluster, state, partitions, latest)])
  return { starts, ends }
}

/** By topic. */
export function byTopic(partitions: readonly PartitionLag[]): readonly TopicLag[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, of]) => ({
    topic,
    partitions: of.length,
    lag: totalLag(of),
    unknown: of.filter(({ lag }) => lag === undefined).length,
  }))
}

export function totalLag(partitions: readonly Pick<PartitionLag, 'lag'>[]): number {
  return partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0)
}
