// The operations on groups that HTTP routes and commands share: list, describe with lag, seek, delete, expel.
import {
  consumerProtocolType,
  decodeAssignment,
  decodeSubscription,
  errors,
  type Outcome,
  ProtocolError,
  partitionsOfGroup,
} from '@local-kafka-service/protocol'
import type { GroupListing, Groups } from '../coordinate/groups.ts'
import { must } from '../core/assert.ts'
import type { ClassicGroupState, CommitRequest, Described, DescribedMember } from '../core/group/classic-messages.ts'
import { partitionKey, type TopicId, type TopicPartition } from '../core/ids.ts'
import type { PartitionState, Topic } from '../metadata/metadata-store.ts'
import type { Damage } from '../read/damage.ts'
import type { Offsets } from '../read/offsets.ts'
import { type GroupPartition, type GroupPartitionsParts, groupPartitions, livingTopics } from './group-partitions.ts'
import { noPartition, range, rejected } from './record-places.ts'

export interface GroupOperationsParts extends GroupPartitionsParts {
  readonly groups: Pick<Groups, 'ask' | 'commitInSteps' | 'offsets' | 'delete' | 'list' | 'listAll' | 'vacate'>
  readonly offsets: Pick<Offsets, 'list'>
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: ClassicGroupState
  /** '' until a member has joined. */
  readonly protocolType: string
  /** The assignor of a consumer group; '' unless the group is stable. */
  readonly protocolName: string
  readonly generation: number
  /** '' when there is none. */
  readonly leader: string
  readonly members: readonly GroupMember[]
  /** All partitions of the topics in which the group has commits, and all assigned ones; by topic and partition. */
  readonly partitions: readonly GroupPartition[]
  /** The sum over all these partitions. */
  readonly lag: number
}

export interface GroupMember extends Pick<DescribedMember, 'memberId' | 'groupInstanceId' | 'clientId' | 'clientHost' | 'synced'> {
  /** Undefined when the protocol type is not `consumer`, or when the bytes are not valid for it. */
  readonly subscription: readonly string[] | undefined
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | undefined
}

/** `by` counts from the committed offset; a negative number goes back. `time` is the first record that is not older, or the end when there is none. */
export type SeekTo = 'start' | 'end' | { readonly time: number } | { readonly offset: number } | { readonly by: number }

export interface SeekGroup {
  readonly groupId: string
  readonly to: SeekTo
  /** Without a topic: all partitions of the topics in which the group has commits; with `by`, only the partitions that have one. */
  readonly topic?: string
  /** Partitions of the topic; undefined for all. */
  readonly partitions?: readonly number[]
  /** Answers the result but changes nothing. */
  readonly dryRun: boolean
  readonly mayRead: (topic: string) => boolean
  readonly signal: AbortSignal
}

export interface Sought {
  readonly topic: string
  readonly partition: number
  /** Undefined when there was no commit. */
  readonly from: number | undefined
  /** Between the start and the end of the log. */
  readonly to: number
  readonly end: number
}

type Sight = { readonly maySee: (topic: string) => boolean }

export class GroupOperations {
  readonly #parts: GroupOperationsParts

  constructor(parts: GroupOperationsParts) {
    this.#parts = parts
  }

  /** The groups that this agent coordinates, in order of id. */
  list(): Promise<readonly GroupListing[]> {
    return this.#parts.groups.list()
  }

  /** The groups of the whole cluster, in order of id. */
  listAll(): Promise<readonly GroupListing[]> {
    return this.#parts.groups.listAll()
  }

  /** Rejects with a KafkaError when another agent coordinates the group, or none can at the moment. */
  async describe(groupId: string, { maySee }: Sight): Promise<Outcome<GroupDescription>> {
    const { groups } = this.#parts
    const described = await groups.ask(groupId, { kind: 'describe' })
    if (described.state === 'Dead') return noGroup(groupId)
    const members = described.members.map((member) => memberOf(member, described))
    const partitions = await this.#partitions(groupId, members, maySee)
    const { state, protocolType, protocolName, generation, leader } = described
    const lag = partitions.reduce((sum, one) => sum + one.lag, 0)
    return { kind: 'ok', value: { groupId, state, protocolType, protocolName, generation, leader, members, partitions, lag } }
  }

  /** Fails with NON_EMPTY_GROUP while the group has members: they would go on from their own positions and overwrite the commits. */
  async seek(asked: SeekGroup): Promise<Outcome<readonly Sought[]>> {
    const { groups } = this.#parts
    const { groupId, dryRun, signal } = asked
    const { state } = await groups.ask(groupId, { kind: 'describe' })
    if (state === 'Dead' && asked.topic === undefined) return noGroup(groupId)
    if (state !== 'Dead' && state !== 'Empty') return nonEmpty(groupId)
    const scope = await this.#scope(asked)
    if (scope.kind === 'error') return scope
    const targets = await this.#targets(scope.value, asked)
    if (targets.kind === 'error' || dryRun || targets.value.length === 0) return targets
    const offsets = targets.value.map(({ topicId, partition, to }) => ({ topicId, partition, offset: to, leaderEpoch: -1, metadata: '' }))
    const { error } = await groups.commitInSteps(groupId, commitWithoutMembers, offsets, signal)
    switch (error) {
      case 'NONE':
        return targets
      // A member joined between the check and the commit.
      case 'UNKNOWN_MEMBER_ID':
        return nonEmpty(groupId)
      default:
        return rejected(error)
    }
  }

  /** Makes all members of all groups leave: for a copy of a cluster, which has no connected members. */
  vacate(): Promise<void> {
    return this.#parts.groups.vacate()
  }

  /** Deletes the group with its offsets; fails while it has members. */
  async delete(groupId: string): Promise<Outcome<undefined>> {
    const error = await this.#parts.groups.delete(groupId)
    switch (error) {
      case 'NONE':
        return { kind: 'ok', value: undefined }
      case 'GROUP_ID_NOT_FOUND':
        return noGroup(groupId)
      case 'NON_EMPTY_GROUP':
        return nonEmpty(groupId)
      default:
        return rejected(error)
    }
  }

  /** Removes one member, or all without an id, like Kafka's admin client. The others rebalance, and a client that still runs joins again as a new member. */
  async expel(groupId: string, memberId?: string): Promise<Outcome<readonly string[]>> {
    const { groups } = this.#parts
    const { state, members } = await groups.ask(groupId, { kind: 'describe' })
    if (state === 'Dead') return noGroup(groupId)
    const leaving = memberId === undefined ? members : members.filter((member) => member.memberId === memberId)
    if (memberId !== undefined && leaving.length === 0)
      return rejected('UNKNOWN_MEMBER_ID', `Group '${groupId}' has no member '${memberId}'.`)
    const left = await groups.ask(groupId, { kind: 'leave', members: leaving })
    // A member that has left by itself in the meantime has an error, and is not in the answer.
    return { kind: 'ok', value: left.members.flatMap((member) => (member.error === 'NONE' ? [member.memberId] : [])) }
  }

  async #partitions(
    groupId: string,
    members: readonly GroupMember[],
    maySee: (topic: string) => boolean,
  ): Promise<readonly GroupPartition[]> {
    const { groups } = this.#parts
    const committed = (await groups.offsets(groupId)).filter(({ topic }) => maySee(topic))
    const assigned = members.flatMap(({ memberId, assignment = [] }) =>
      assignment.flatMap(({ topic, partitions }) => (maySee(topic) ? partitions.map((partition) => ({ topic, partition, memberId })) : [])),
    )
    return await groupPartitions({ committed, assigned }, this.#parts)
  }

  /** The partitions to move, with their current commits. */
  async #scope({ groupId, to, topic, partitions, mayRead }: SeekGroup): Promise<Outcome<readonly CommittedPartition[]>> {
    const { groups, topics } = this.#parts
    const committed = await groups.offsets(groupId)
    if (topic === undefined) {
      if (partitions !== undefined) return rejected('INVALID_REQUEST', 'The request names partitions but no topic: name the topic too.')
      const hidden = committed.find((row) => !mayRead(row.topic))
      if (hidden !== undefined) return rejected('TOPIC_AUTHORIZATION_FAILED')
      const living = await livingTopics(
        committed.map((row) => row.topic),
        topics,
      )
      const offsets = new Map(committed.map((row) => [partitionKey(row.topicId, row.partition), row]))
      const ids = new Map(committed.map((row) => [row.topic, row.topicId]))
      // `by` needs a commit to count from.
      const all = typeof to === 'object' && 'by' in to ? () => 0 : (name: string) => living.get(name)?.partitions
      const rows = partitionsOfGroup(committed, [], all).flatMap(({ topic: name, partition }): CommittedPartition[] => {
        const topicId = ids.get(name)
        if (topicId === undefined) return []
        const known = offsets.get(partitionKey(topicId, partition))
        return [{ topic: name, topicId, partition, ...(known && { committed: { offset: known.offset, metadata: known.metadata } }) }]
      })
      return { kind: 'ok', value: rows }
    }
    if (!mayRead(topic)) return rejected('TOPIC_AUTHORIZATION_FAILED')
    const found = must((await topics.find([topic], { autoCreate: false }))[0], 'the one topic asked for')
    if (found.kind === 'error') return found
    const { topicId } = found.value
    const wanted = [...new Set(partitions ?? range(0, found.value.partitions))].toSorted((a, b) => a - b)
    const missing = wanted.find((partition) => !isIn(found.value, partition))
    if (missing !== undefined) return rejected('UNKNOWN_TOPIC_OR_PARTITION', noPartition(found.value, missing))
    const known = new Map(committed.filter((row) => row.topicId === topicId).map((row) => [row.partition, row]))
    return {
      kind: 'ok',
      value: wanted.map((partition) => {
        const row = known.get(partition)
        return { topic, topicId, partition, ...(row !== undefined && { committed: { offset: row.offset, metadata: row.metadata } }) }
      }),
    }
  }

  async #targets(rows: readonly CommittedPartition[], { to, signal }: SeekGroup): Promise<Outcome<readonly (Sought & TopicPartition)[]>> {
    if (rows.length === 0) return { kind: 'ok', value: [] }
    const { log, offsets } = this.#parts
    const states = await log.partitions(rows)
    const times =
      typeof to === 'object' && 'time' in to
        ? await offsets.list(
            rows.map(({ topicId, partition }) => ({ topicId, partition, at: { timestamp: to.time } })),
            signal,
          )
        : []
    const targets: (Sought & TopicPartition)[] = []
    for (const [at, row] of rows.entries()) {
      const { topic, topicId, partition, committed } = row
      const state = states[at]
      if (state === undefined) return rejected('UNKNOWN_TOPIC_OR_PARTITION', `Topic '${topic}' was deleted.`)
      const time = times[at]
      if (time?.kind === 'error') return rejected(time.error, unreadableTime(topic, partition, time.damage))
      const wanted = wantedOffset(to, state, { committed: committed?.offset, time: time?.offset })
      if (wanted === undefined)
        return rejected(
          'INVALID_REQUEST',
          `Partition ${partition} of topic '${topic}' has no committed offset to count from: use another target.`,
        )
      const { logStartOffset: start, highWatermark: end } = state
      targets.push({ topic, topicId, partition, from: committed?.offset, to: Math.min(Math.max(wanted, start), end), end })
    }
    return { kind: 'ok', value: targets }
  }
}

interface CommittedPartition extends TopicPartition {
  readonly topic: string
  readonly topicId: TopicId
  readonly committed?: GroupPartition['committed']
}

/** The commit of Kafka's own tool for a group without members. */
const commitWithoutMembers: CommitRequest = {
  kind: 'commit',
  version: 9,
  transactional: false,
  memberId: '',
  groupInstanceId: null,
  generation: -1,
}

function wantedOffset(
  to: SeekTo,
  { logStartOffset, highWatermark }: Pick<PartitionState, 'logStartOffset' | 'highWatermark'>,
  at: { readonly committed: number | undefined; readonly time: number | undefined },
): number | undefined {
  if (to === 'start') return logStartOffset
  if (to === 'end') return highWatermark
  if ('offset' in to) return to.offset
  if ('by' in to) return at.committed === undefined ? undefined : at.committed + to.by
  // -1: there is no record at or after that time.
  return at.time === undefined || at.time === -1 ? highWatermark : at.time
}

function memberOf(member: DescribedMember, { protocolType, state }: Pick<Described, 'protocolType' | 'state'>): GroupMember {
  const { memberId, groupInstanceId, clientId, clientHost, synced, metadata, assignment } = member
  const consumer = protocolType === consumerProtocolType
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    synced,
    // The subscription is final in a stable group only.
    subscription: consumer && state === 'Stable' ? decoded(metadata, (bytes) => decodeSubscription(bytes).topics) : undefined,
    assignment: consumer ? decoded(assignment, (bytes) => decodeAssignment(bytes).assignedPartitions) : undefined,
  }
}

/** No bytes decode to an empty list. Bytes that are not valid for a consumer give undefined: clients may store what they like. */
function decoded<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => readonly T[]): readonly T[] | undefined {
  if (bytes.length === 0) return []
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function isIn({ partitions }: Topic, partition: number): boolean {
  return Number.isInteger(partition) && partition >= 0 && partition < partitions
}

function noGroup(groupId: string): Outcome<never> {
  return { kind: 'error', code: errors.GROUP_ID_NOT_FOUND.code, message: `There is no group '${groupId}'.` }
}

function nonEmpty(groupId: string): Outcome<never> {
  return { kind: 'error', code: errors.NON_EMPTY_GROUP.code, message: `Group '${groupId}' has active members.` }
}

function unreadableTime(topic: string, partition: number, damage: Damage | undefined): string {
  const subject = `Partition ${partition} of topic '${topic}'`
  return damage === undefined
    ? `${subject} cannot be read on this agent at the moment: try again.`
    : `${subject} is damaged at offsets ${damage.offset} to ${damage.lastOffset}: ${damage.message}.`
}
