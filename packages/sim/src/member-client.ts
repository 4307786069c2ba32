// One member of a consumer group over the wire: it joins, assigns partitions as the leader, commits while it owns partitions, and retries like Kafka's clients.
import {
  type DecodedResponseOf,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  errorName,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '@local-kafka-service/protocol'
import { cooperativeSticky, range, type Shares } from './assignors.ts'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import type { CommitAttempt, GroupChecker } from './group-checker.ts'
import { temporary } from './producer.ts'

export interface MemberClientOptions {
  readonly name: string
  readonly groupId: string
  readonly group: GroupChecker
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** A static member (KIP-345): a member that starts with the same id replaces it. */
  readonly groupInstanceId?: string | undefined
  /** Cooperative members keep their partitions during a rebalance (KIP-429); eager members revoke all. */
  readonly cooperative: boolean
}

interface HeldAssignment {
  readonly generation: number
  readonly partitions: readonly number[]
}

const heartbeatMs = 1_000

export class MemberClient {
  readonly #parts: ClientParts
  readonly #options: MemberClientOptions
  readonly #link: Reconnecting
  readonly #versions: { readonly join: number; readonly commit: number; readonly fetch: number }
  #memberId = ''
  /** Undefined: it must join before it does anything else. */
  #membership: HeldAssignment | undefined
  /** The partitions of a cooperative member, and the generation that assigned them; an eager member does not use this. */
  #held: { readonly generation: number; readonly partitions: readonly number[] } = nothingHeld
  #rejoins = false
  #successor: MemberClient | undefined
  #assignments = 0
  #stallMs = 0
  #leaving = false
  #stopped = false

  constructor(parts: ClientParts, options: MemberClientOptions) {
    this.#parts = parts
    this.#options = options
    // The server answers a JoinGroup and a SyncGroup within the rebalance time-out plus the time of a save.
    this.#link = new Reconnecting(parts, options.name, options.rebalanceTimeoutMs + 5_000)
    // Instance ids exist from JoinGroup 5 and OffsetCommit 7 on.
    const known = options.groupInstanceId !== undefined
    this.#versions = {
      join: parts.chance.whole([known ? 5 : 2, 9]),
      commit: parts.chance.whole([known ? 7 : 2, 9]),
      fetch: parts.chance.whole([1, 9]),
    }
  }

  get stopped(): boolean {
    return this.#stopped || this.#leaving
  }

  get memberId(): string {
    return this.#memberId
  }

  get groupInstanceId(): string | undefined {
    return this.#options.groupInstanceId
  }

  /** The generation in which it works. */
  get generation(): number | undefined {
    return this.#rejoins ? undefined : this.#membership?.generation
  }

  /** Another member was started with this instance id: while that one lives, this one leaves when it is fenced instead of joining again. */
  succeed(successor: MemberClient): void {
    this.#successor = successor
  }

  /** A member that is alive was started in its place. */
  get hasSuccessor(): boolean {
    const successor = this.#successor
    return successor !== undefined && (!successor.stopped || successor.hasSuccessor)
  }

  /** It sends a LeaveGroup and stops. */
  leave(): void {
    this.#leaving = true
  }

  /** It stops without a LeaveGroup. */
  die(): void {
    this.#parts.trace.write(this.#options.name, 'dies')
    this.#stopped = true
    this.#link.close()
  }

  /** It does nothing for so long, and then continues. */
  stall(ms: number): void {
    this.#stallMs = ms
  }

  /** It joins again without a rebalance, as KafkaConsumer.enforceRebalance() does. */
  enforceRebalance(): void {
    this.#rejoins = this.#membership !== undefined
  }

  /** Runs until the member leaves or dies. */
  async run(): Promise<void> {
    const { time } = this.#parts
    while (!this.#stopped) {
      const connection = await this.#link.open(() => this.#stopped)
      if (connection === undefined) return
      try {
        if (this.#leaving) {
          await this.#leave(connection)
          return
        }
        await this.#maybeStall()
        if (this.#membership === undefined) await this.#join(connection)
        else await this.#work(connection, this.#membership)
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        if (this.#leaving) break
        if (!this.#stopped) await time.sleep(retryBackoffMs)
      }
    }
    this.#stopped = true
    this.#link.close()
  }

  async #maybeStall(): Promise<void> {
    const ms = this.#stallMs
    if (ms === 0) return
    this.#stallMs = 0
    this.#parts.trace.write(this.#options.name, `stalls for ${Math.round(ms)} ms`)
    await this.#parts.time.sleep(ms)
  }

  async #work(connection: ClientConnection, { generation, partitions }: HeldAssignment): Promise<void> {
    const { time, chance } = this.#parts
    // After a stall its first request may be a commit, which must be rejected if the group has moved on.
    if (partitions.length > 0 && chance.happens(0.6)) {
      // Like commitAsync: the second commit does not wait for the first.
      const together = chance.happens(0.4) ? [1, 2] : [1]
      await Promise.all(together.map(() => this.#commit(connection, generation, partitions)))
    }
    if (chance.happens(0.4)) await this.#fetchOffsets(connection)
    if (this.#membership === undefined) return
    if (this.#rejoins) return this.#join(connection)
    await this.#heartbeat(connection, generation)
    if (this.#membership !== undefined && !this.#rejoins) await time.sleep(chance.between([heartbeatMs / 10, heartbeatMs]))
  }

  async #join(connection: ClientConnection): Promise<void> {
    const { group, groupId, sessionTimeoutMs, rebalanceTimeoutMs, name, groupInstanceId = null } = this.#options
    const { topic, trace } = this.#parts
    const newestBefore = group.newest
    const attempt = group.joins(this.#memberId, groupInstanceId)
    const held = this.#held
    const metadata = encodeSubscription(
      {
        topics: [topic.name],
        userData: null,
        ownedPartitions: [{ topic: topic.name, partitions: held.partitions }],
        generationId: held.generation,
        rackId: null,
      },
      3,
    )
    const answer = await connection.request(JoinGroup, this.#versions.join, {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: this.#memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocols: [{ name: this.#protocol, metadata }],
    })
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    if (error === 'MEMBER_ID_REQUIRED') {
      this.#memberId = answer.memberId
      return
    }
    if (error !== 'NONE') return this.#handleError('JoinGroup', error)
    const { generationId: generation, leader, memberId } = answer
    this.#memberId = memberId
    this.#membership = undefined
    const leads = memberId === leader && !answer.skipAssignment
    trace.write(name, `joined generation ${generation} as ${leads ? 'its leader' : 'a follower'}, holding ${held.partitions.join()}`)
    group.joined(name, attempt, { memberId, generation, leader, newestBefore, held })
    const shares = leads ? this.#share(answer.members) : new Map<string, readonly number[]>()
    await this.#maybeStall()
    await this.#sync(connection, generation, shares)
  }

  get #protocol(): string {
    return this.#options.cooperative ? 'cooperative-sticky' : 'range'
  }

  /** The leader assigns the partitions. */
  #share(members: DecodedResponseOf<typeof JoinGroup>['members']): Shares {
    const { partitions } = this.#parts.topic
    const claims = members.map(({ memberId, metadata }) => {
      const { ownedPartitions, generationId } = decodeSubscription(metadata)
      return { memberId, owned: ownedPartitions.flatMap((each) => each.partitions), generation: generationId }
    })
    return this.#options.cooperative ? cooperativeSticky(claims, partitions) : range(claims, partitions)
  }

  async #sync(connection: ClientConnection, generation: number, shares: Shares): Promise<void> {
    const { group, groupId, name, groupInstanceId = null } = this.#options
    const { topic, trace } = this.#parts
    this.#assignments += 1
    const token = Buffer.from(`${name} ${this.#assignments}`)
    const memberId = this.#memberId
    const accepted = group.speaks(memberId)
    const answer = await connection.request(SyncGroup, 5, {
      groupId,
      generationId: generation,
      memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: this.#protocol,
      assignments: [...shares].map(([id, partitions]) => ({
        memberId: id,
        assignment: encodeAssignment({ assignedPartitions: [{ topic: topic.name, partitions }], userData: token }, 0),
      })),
    })
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    if (error !== 'NONE') return this.#handleError('SyncGroup', error)
    accepted('SyncGroup')
    const { partitions, assignment } = assignmentIn(answer.assignment)
    trace.write(name, `owns ${partitions.join()} in generation ${generation} by ${assignment}`)
    group.assigned({ member: name, memberId, generation, assignment, partitions })
    const lost = this.#held.partitions.filter((partition) => !partitions.includes(partition))
    this.#membership = { generation, partitions }
    if (!this.#options.cooperative) return
    // It revokes the partitions now; another member may get them in the next generation.
    this.#held = { generation, partitions }
    this.#rejoins = lost.length > 0
  }

  async #heartbeat(connection: ClientConnection, generation: number): Promise<void> {
    const { group, groupId, groupInstanceId = null } = this.#options
    const memberId = this.#memberId
    const accepted = group.speaks(memberId)
    const { errorCode } = await connection.request(Heartbeat, 4, { groupId, generationId: generation, memberId, groupInstanceId })
    const error = errorName(errorCode) ?? String(errorCode)
    if (error === 'NONE') accepted('Heartbeat')
    else await this.#handleError('Heartbeat', error)
  }

  async #commit(connection: ClientConnection, generation: number, partitions: readonly number[]): Promise<void> {
    const { group, groupId, name, groupInstanceId = null } = this.#options
    const { topic, chance, trace } = this.#parts
    const newestBefore = group.newest
    const line = `${name} over ${this.#link.opened}`
    // If a request names a partition twice, the last offset counts.
    const named = partitions.filter(() => chance.happens(0.7)).flatMap((one) => (chance.happens(0.2) ? [one, one] : [one]))
    const attempts = named.map((partition) => group.commits(partition, { generation, line }))
    if (attempts.length === 0) return
    const memberId = this.#memberId
    const accepted = group.speaks(memberId)
    const answer = await connection.request(OffsetCommit, this.#versions.commit, {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId,
      topics: [
        {
          name: topic.name,
          topicId: topic.topicId,
          partitions: attempts.map(({ partition, offset }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedMetadata: null,
          })),
        },
      ],
    })
    const errors = new Set<string>()
    for (const [index, { partitionIndex, errorCode }] of answer.topics[0]?.partitions.entries() ?? []) {
      const attempt = attempts[index]
      const error = errorName(errorCode) ?? String(errorCode)
      trace.write(name, `commits ${attempt?.offset} of ${partitionIndex} in generation ${generation}: ${error}`)
      if (error !== 'NONE') errors.add(error)
      if (attempt !== undefined) this.#committed(attempt, error, newestBefore)
    }
    const [error] = errors
    if (error === undefined) accepted('OffsetCommit')
    else await this.#handleError('OffsetCommit', error, memberId)
  }

  #committed(attempt: CommitAttempt, error: string, newestBefore: number): void {
    const { group, name } = this.#options
    if (error === 'NONE') group.committed(name, attempt, newestBefore)
    else if (rejoinErrors.has(error)) group.rejected(attempt)
  }

  async #fetchOffsets(connection: ClientConnection): Promise<void> {
    const { group, groupId, name } = this.#options
    const { topic } = this.#parts
    const version = this.#versions.fetch
    const least = group.acknowledgedNow()
    const topics = [{ name: topic.name, topicId: topic.topicId, partitionIndexes: least.map((_, partition) => partition) }]
    const answer = await connection.request(
      OffsetFetch,
      version,
      version < 8 ? { groupId, topics, groups: [] } : { groupId: '', topics: [], groups: [{ groupId, topics }] },
    )
    const fetched = version < 8 ? answer : answer.groups[0]
    const error = errorName(fetched?.errorCode ?? 0) ?? String(fetched?.errorCode)
    if (error !== 'NONE') return this.#handleError('OffsetFetch', error)
    const partitions = fetched?.topics[0]?.partitions ?? []
    if (partitions.length !== least.length)
      this.#parts.checker.violate('no defect', `${name} asked for ${least.length} offsets and received ${partitions.length}`)
    for (const { partitionIndex, committedOffset, errorCode } of partitions) {
      const ofPartition = errorName(errorCode) ?? String(errorCode)
      if (ofPartition !== 'NONE') return this.#handleError('OffsetFetch', ofPartition)
      group.fetched(name, { partition: partitionIndex, offset: committedOffset }, least[partitionIndex])
    }
  }

  /** A static member stops without a LeaveGroup, or an administrator removes it by its instance id. */
  async #leave(connection: ClientConnection): Promise<void> {
    const { groupId, name, groupInstanceId } = this.#options
    const { trace, chance } = this.#parts
    this.#stopped = true
    trace.write(name, 'leaves')
    const members = groupInstanceId === undefined ? [{ memberId: this.#memberId }] : [{ memberId: '', groupInstanceId }]
    // The leaving member does not need the response: after an error its session expires.
    if (groupInstanceId === undefined || chance.happens(0.5)) await connection.request(LeaveGroup, 4, { groupId, memberId: '', members })
    this.#membership = undefined
    connection.close()
  }

  /** The client's reaction to an error: it waits, joins again with its id, or joins as a new member. */
  async #handleError(what: string, error: string, memberId = this.#memberId): Promise<void> {
    const { checker, trace, time, chance } = this.#parts
    const { name, group, cooperative } = this.#options
    trace.write(name, `${what}: ${error}`)
    if (error === 'FENCED_INSTANCE_ID') {
      group.fenced(name, memberId)
      // Its supervisor restarts it, unless the supervisor has started another member.
      if (this.hasSuccessor) this.#stopped = true
    }
    if (rejoinErrors.has(error)) {
      if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.#memberId = ''
      // During a rebalance a cooperative member keeps its partitions; without its generation it has none.
      this.#rejoins = cooperative && error === 'REBALANCE_IN_PROGRESS' && this.#membership !== undefined
      if (this.#rejoins) return
      this.#membership = undefined
      if (error !== 'REBALANCE_IN_PROGRESS') this.#held = nothingHeld
      return
    }
    if (!temporary.has(error) && error !== 'NOT_COORDINATOR') checker.violate('no defect', `${name} received ${error} for ${what}`)
    await time.sleep(retryBackoffMs * chance.between([0.8, 1.2]))
  }
}

/** The coordinator has rejected it: no part of it was done, and none will be. */
const rejoinErrors: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

const nothingHeld = { generation: -1, partitions: [] }

/** Zero bytes: the leader assigned nothing to it. */
function assignmentIn(bytes: Uint8Array): { readonly partitions: readonly number[]; readonly assignment: string } {
  if (bytes.length === 0) return { partitions: [], assignment: 'nobody' }
  const { assignedPartitions, userData } = decodeAssignment(bytes)
  return { partitions: assignedPartitions.flatMap((each) => each.partitions), assignment: Buffer.from(userData ?? []).toString() }
}
