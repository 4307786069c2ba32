// Groups of a cluster: lists them, describes their members and reads their committed offsets. Covers every type of group that the cluster reports.
import { consumerProtocolType, decodeAssignment, ProtocolError } from '@local-kafka-service/protocol'
import type { describeGroupsV5 } from '@platformatic/kafka'
import { noGroup, rejection } from './client-errors.ts'
import type { ClusterClient } from './cluster-client.ts'
import { clusterState } from './cluster-metadata.ts'
import { type CoordinatorBroker, coordinatorOf } from './coordinator.ts'
import { byTopicAndPartition, type PartitionRef } from './offsets.ts'

export interface ListedGroup {
  readonly id: string
  /** Kafka's state: Stable, Empty, PreparingRebalance …; Unknown if the cluster is older than Kafka 2.6. */
  readonly state: string
  /** classic, consumer, share or streams; classic if the cluster does not say. */
  readonly type: string
  readonly protocolType: string
}

export interface GroupMemberState {
  readonly memberId: string
  readonly instanceId: string | undefined
  readonly clientId: string
  readonly host: string
  /** Undefined: the protocol is not that of consumers, so the assignment cannot be decoded. */
  readonly assignment: readonly PartitionRef[] | undefined
}

export interface GroupOverview {
  readonly id: string
  readonly state: string
  readonly type: string
  readonly assignor: string
  readonly coordinator: CoordinatorBroker
  readonly members: readonly GroupMemberState[]
}

export interface CommittedPosition extends PartitionRef {
  readonly offset: number
  readonly metadata: string
}

/** The ids of the groups whose members consume topics, sorted: share and streams groups are described otherwise. */
export async function consumingGroups(cluster: ClusterClient): Promise<readonly string[]> {
  return (await listGroups(cluster)).filter(({ type }) => type === 'classic' || type === 'consumer').map(({ id }) => id)
}

/** Sorted by id. Asks every broker for the groups that it coordinates. */
export async function listGroups(cluster: ClusterClient): Promise<readonly ListedGroup[]> {
  const { brokers } = await clusterState(cluster, [])
  const { async: list } = cluster.version('ListGroups', cluster.library.listGroupsV5.api)
  const listed = await Promise.all(
    brokers.map(async (broker) => {
      const connection = await cluster.connectionTo(broker)
      return (await cluster.withRetries(() => list(connection, [], []))).groups
    }),
  )
  return listed
    .flat()
    .map(({ groupId, groupState, groupType, protocolType }) => ({
      id: groupId,
      state: groupState === undefined || groupState === '' ? 'Unknown' : groupState,
      type: groupType === undefined || groupType === '' ? 'classic' : groupType.toLowerCase(),
      protocolType,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Throws a UserError if the group does not exist. */
export async function describeGroup(cluster: ClusterClient, id: string): Promise<GroupOverview> {
  const coordinator = await coordinatorOf(cluster, 'GROUP', id)
  const connection = await cluster.connectionTo(coordinator)
  const { async: describe } = cluster.version('DescribeGroups', cluster.library.describeGroupsV5.api)
  const answer = await cluster.withRetries(() => cluster.partial(describe(connection, [id], false)))
  const [group] = answer.groups
  if (group !== undefined && group.errorCode === 0 && group.groupState !== 'Dead') return { ...classic(group), coordinator }
  // A group of the newer protocol (KIP-848) is described by another API, and is Dead in this one.
  const newer = cluster.serves('ConsumerGroupDescribe') ? await describeNewer(cluster, id, coordinator) : undefined
  if (newer !== undefined) return newer
  const code = group?.errorCode ?? 0
  const { id: error, message } = cluster.errorOf(code)
  throw code === 0 || error === 'GROUP_ID_NOT_FOUND' ? noGroup(id) : rejection(error, `group '${id}': ${message}`)
}

/** By topic and partition: every offset that the coordinator has. */
export async function committedOffsets(cluster: ClusterClient, id: string): Promise<readonly CommittedPosition[]> {
  const groups = await cluster.withRetries(() => cluster.admin.listConsumerGroupOffsets({ groups: [id] }))
  return groups
    .flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset, metadata }) => ({
          topic: name,
          partition: partitionIndex,
          offset: Number(committedOffset),
          metadata: metadata ?? '',
        })),
      ),
    )
    .filter(({ offset }) => offset >= 0)
    .toSorted(byTopicAndPartition)
}

/** Commits without a member id: the coordinator rejects it while the group has members. */
export async function commitOffsets(
  cluster: ClusterClient,
  id: string,
  offsets: readonly (PartitionRef & { readonly offset: number })[],
): Promise<void> {
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, of]) => ({
    name,
    partitionOffsets: of.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
  }))
  await cluster.withRetries(() => cluster.admin.alterConsumerGroupOffsets({ groupId: id, topics }))
}

/** The partitions whose offsets were not deleted, with Kafka's error code; those of an error of the whole group are an error of each. */
export async function deleteOffsets(
  cluster: ClusterClient,
  id: string,
  partitions: readonly PartitionRef[],
): Promise<readonly (PartitionRef & { readonly errorCode: number })[]> {
  const connection = await cluster.connectionTo(await coordinatorOf(cluster, 'GROUP', id))
  const { async: remove } = cluster.version('OffsetDelete', cluster.library.offsetDeleteV0.api)
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, of]) => ({
    name,
    partitions: of.map(({ partition }) => ({ partitionIndex: partition })),
  }))
  const answer = await cluster.withRetries(() => cluster.partial(remove(connection, id, topics)))
  if (answer.errorCode !== 0) return partitions.map(({ topic, partition }) => ({ topic, partition, errorCode: answer.errorCode }))
  return answer.topics.flatMap(({ name, partitions: of }) =>
    of.flatMap(({ partitionIndex, errorCode }) => (errorCode === 0 ? [] : [{ topic: name, partition: partitionIndex, errorCode }])),
  )
}

function classic(group: describeGroupsV5.DescribeGroupsResponseGroup): Omit<GroupOverview, 'coordinator'> {
  const { groupId, groupState, protocolType, protocolData, members } = group
  return {
    id: groupId,
    state: groupState,
    type: 'classic',
    assignor: protocolData,
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      instanceId: groupInstanceId ?? undefined,
      clientId,
      host: clientHost.replace(/^\//, ''),
      assignment: protocolType === consumerProtocolType ? assignmentIn(memberAssignment) : undefined,
    })),
  }
}

/** Undefined for bytes that are not a consumer's assignment: clients may put anything there. */
function assignmentIn(bytes: Uint8Array): readonly PartitionRef[] | undefined {
  if (bytes.length === 0) return []
  try {
    const { assignedPartitions } = decodeAssignment(bytes)
    return assignedPartitions
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
      .toSorted(byTopicAndPartition)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** Undefined: the group is of none of the newer types either. */
async function describeNewer(
  cluster: ClusterClient,
  id: string,
  coordinator: GroupOverview['coordinator'],
): Promise<GroupOverview | undefined> {
  const connection = await cluster.connectionTo(coordinator)
  const { async: describe } = cluster.version('ConsumerGroupDescribe', cluster.library.consumerGroupDescribeV0.api)
  const answer = await cluster.withRetries(() => cluster.partial(describe(connection, [id], false)))
  const [group] = answer.groups
  if (group === undefined || group.errorCode !== 0) return undefined
  return {
    id,
    state: group.groupState,
    type: 'consumer',
    assignor: group.assignorName,
    coordinator,
    members: group.members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
      memberId,
      instanceId: instanceId ?? undefined,
      clientId,
      host: clientHost.replace(/^\//, ''),
      assignment: assignment.topicPartitions
        .flatMap(({ topicName, partitions }) => partitions.map((partition) => ({ topic: topicName, partition })))
        .toSorted(byTopicAndPartition),
    })),
  }
}
