// The lag of a group: its committed offsets against the end of its partitions, per partition, per topic and in total.
import { partitionLag, partitionsOfGroup } from '@local-kafka-service/protocol'
import type { ClusterClient } from './cluster-client.ts'
import { type ClusterState, clusterState } from './cluster-metadata.ts'
import { committedOffsets, type GroupMemberState } from './groups.ts'
import { earliest, keyOf, latest, offsetsAt, type PartitionRef } from './offsets.ts'

export interface PartitionLag extends PartitionRef {
  /** Undefined: there is no committed offset. */
  readonly committed: number | undefined
  /** Undefined: the topic is gone, or the partition has no leader. */
  readonly start: number | undefined
  readonly end: number | undefined
  /** For a partition without a committed offset, all its records. Undefined if the bounds are. */
  readonly lag: number | undefined
  readonly member: GroupMemberState | undefined
}

export interface TopicLag {
  readonly topic: string
  readonly partitions: number
  readonly lag: number
  /** Partitions whose lag is unknown. */
  readonly unknown: number
}

/** For all partitions of each topic with a committed offset of the group, and those assigned to its members. */
export async function lagOf(
  cluster: ClusterClient,
  groupId: string,
  members: readonly GroupMemberState[],
): Promise<readonly PartitionLag[]> {
  const committed = await committedOffsets(cluster, groupId)
  const owners = new Map(members.flatMap((member) => (member.assignment ?? []).map((ref) => [keyOf(ref), { ref, member }] as const)))
  const assigned = Array.from(owners.values(), ({ ref }) => ref)
  const state = await stateOf(cluster, [...committed, ...assigned])
  const listed = partitionsOfGroup(committed, assigned, (topic) => countIn(state, topic))
  const { starts, ends } = await boundsIn(cluster, state, listed)
  const offsets = new Map(committed.map((one) => [keyOf(one), one]))
  return listed.map(({ topic, partition }) => {
    const key = keyOf({ topic, partition })
    const at = offsets.get(key)?.offset
    const end = ends.get(key)
    const start = starts.get(key)
    return { topic, partition, committed: at, start, end, lag: lagBetween(at, start, end), member: owners.get(key)?.member }
  })
}

function lagBetween(committed: number | undefined, start: number | undefined, end: number | undefined): number | undefined {
  return start === undefined || end === undefined ? undefined : partitionLag({ committed, start, end })
}

export interface Bounds {
  readonly starts: ReadonlyMap<string, number>
  readonly ends: ReadonlyMap<string, number>
}

export async function boundsOf(cluster: ClusterClient, partitions: readonly PartitionRef[]): Promise<Bounds> {
  return boundsIn(cluster, await stateOf(cluster, partitions), partitions)
}

async function boundsIn(
  cluster: ClusterClient,
  state: Pick<ClusterState, 'brokers' | 'topics'>,
  partitions: readonly PartitionRef[],
): Promise<Bounds> {
  const [starts, ends] = await Promise.all([offsetsAt(cluster, state, partitions, earliest), offsetsAt(cluster, state, partitions, latest)])
  return { starts, ends }
}

/** Without a topic no request is sent: Kafka would answer with all topics. */
async function stateOf(cluster: ClusterClient, refs: readonly PartitionRef[]): Promise<Pick<ClusterState, 'brokers' | 'topics'>> {
  const names = [...new Set(refs.map(({ topic }) => topic))]
  return names.length === 0 ? { brokers: [], topics: [] } : await clusterState(cluster, names)
}

export function countIn({ topics }: Pick<ClusterState, 'topics'>, topic: string): number | undefined {
  return topics.find(({ name }) => name === topic)?.partitions.length
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
