// One member of a consumer group over the wire: it joins, shares out when it leads, commits while it owns, and tries again as Kafka's clients do.
import {
  decodeAssignment,
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
import { type Connection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import type { CommitAttempt, GroupChecker } from './group-checker.ts'
import { temporary } from './producer.ts'

export interface GroupMemberOptions {
  readonly name: string
  readonly groupId: string
  readonly group: GroupChecker
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

interface Membership {
  readonly generation: number
  readonly partitions: readonly number[]
}

const heartbeatMs = 1_000

export class GroupMember {
  readonly #parts: ClientParts
  readonly #options: GroupMemberOptions
  readonly #link: Reconnecting
  readonly #versions: { readonly join: number; readonly commit: number; readonly fetch: number }
  #memberId = ''
  #membership: Membership | undefined
  #assignments = 0
  #stallMs = 0
  #leaving = false
  #stopped = false

  constructor(parts: ClientParts, options: GroupMemberOptions) {
    this.#parts = parts
    this.#options = options
    // A JoinGroup and a SyncGroup are answered within the rebalance time-out and the time of a save.
    this.#link = new Reconnecting(parts, options.name, options.rebalanceTimeoutMs + 5_000)
    this.#versions = { join: parts.chance.whole([2, 9]), commit: parts.chance.whole([2, 9]), fetch: parts.chance.whole([1, 9]) }
  }

  get stopped(): boolean {
    return this.#stopped || this.#leaving
  }

  get memberId(): string {
    return this.#memberId
  }

  /** The generation that it is at work in. */
  get generation(): number | undefined {
    return this.#membership?.generation
  }

  /** It says that it leaves, and goes. */
  leave(): void {
    this.#leaving = true
  }

  /** It goes without a word. */
  die(): void {
    this.#parts.trace.write(this.#options.name, 'dies')
    this.#stopped = true
    this.#link.close()
  }

  /** It does nothing for so long, and then goes on as if nothing had been. */
  stall(ms: number): void {
    this.#stallMs = ms
  }

  /** Until it leaves or dies. */
  async run(): Promise<void> {
    const { time, chance, trace } = this.#parts
    while (!this.#stopped) {
      const connection = await this.#link.open(() => this.#stopped)
      if (connection === undefined) return
      try {
        if (this.#leaving) {
          await this.#leave(connection)
          return
        }
        if (this.#stallMs > 0) {
          const ms = this.#stallMs
          this.#stallMs = 0
          trace.write(this.#options.name, `stalls for ${Math.round(ms)} ms`)
          await time.sleep(ms)
        }
        if (this.#membership === undefined) await this.#join(connection)
        else {
          const { generation, partitions } = this.#membership
          // After a stall the commit may be the first that it says: it must be refused when others have gone on.
          if (partitions.length > 0 && chance.happens(0.6)) await this.#commit(connection, generation, partitions)
          if (chance.happens(0.4)) await this.#fetchOffsets(connection)
          if (this.#membership !== undefined) await this.#heartbeat(connection, generation)
          if (this.#membership !== undefined) await time.sleep(chance.between([heartbeatMs / 10, heartbeatMs]))
        }
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        if (this.#leaving) break
        if (!this.#stopped) await time.sleep(retryBackoffMs)
      }
    }
    this.#stopped = true
    this.#link.close()
  }

  async #join(connection: Connection): Promise<void> {
    const { group, groupId, sessionTimeoutMs, rebalanceTimeoutMs, name } = this.#options
    const { topic, trace } = this.#parts
    const newestBefore = group.newest
    const metadata = encodeSubscription({ topics: [topic.name], userData: null, ownedPartitions: [], generationId: -1, rackId: null }, 0)
    const answer = await connection.request(JoinGroup, this.#versions.join, {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
    })
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    if (error === 'MEMBER_ID_REQUIRED') {
      this.#memberId = answer.memberId
      return
    }
    if (error !== 'NONE') return this.#trouble('JoinGroup', error)
    const { generationId: generation, leader, memberId } = answer
    this.#memberId = memberId
    trace.write(name, `joined generation ${generation} as ${memberId === leader ? 'its leader' : 'a follower'}`)
    group.joined(name, { generation, leader, newestBefore })
    const ids = memberId === leader ? answer.members.map((each) => each.memberId) : []
    await this.#sync(connection, generation, ids)
  }

  async #sync(connection: Connection, generation: number, memberIds: readonly string[]): Promise<void> {
    const { group, groupId, name } = this.#options
    const { topic, trace } = this.#parts
    this.#assignments += 1
    const token = Buffer.from(`${name} ${this.#assignments}`)
    const assignments = memberIds.toSorted().map((memberId, index) => ({
      memberId,
      assignment: encodeAssignment(
        {
          assignedPartitions: [{ topic: topic.name, partitions: shareOf(index, memberIds.length, topic.partitions) }],
          userData: token,
        },
        0,
      ),
    }))
    const answer = await connection.request(SyncGroup, 5, {
      groupId,
      generationId: generation,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    })
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    if (error !== 'NONE') return this.#trouble('SyncGroup', error)
    const { assignedPartitions, userData } = decodeAssignment(answer.assignment)
    const partitions = assignedPartitions.flatMap((each) => each.partitions)
    const assignment = Buffer.from(userData ?? []).toString()
    trace.write(name, `owns ${partitions.join()} in generation ${generation} by ${assignment}`)
    group.assigned({ member: name, memberId: this.#memberId, generation, assignment, partitions })
    this.#membership = { generation, partitions }
  }

  async #heartbeat(connection: Connection, generation: number): Promise<void> {
    const { groupId } = this.#options
    const { errorCode } = await connection.request(Heartbeat, 4, { groupId, generationId: generation, memberId: this.#memberId })
    const error = errorName(errorCode) ?? String(errorCode)
    if (error !== 'NONE') await this.#trouble('Heartbeat', error)
  }

  async #commit(connection: Connection, generation: number, partitions: readonly number[]): Promise<void> {
    const { group, groupId, name } = this.#options
    const { topic, chance, trace } = this.#parts
    const newestBefore = group.newest
    const attempts = partitions.filter(() => chance.happens(0.7)).map((partition) => group.commits(partition, generation))
    if (attempts.length === 0) return
    const answer = await connection.request(OffsetCommit, this.#versions.commit, {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId: this.#memberId,
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
    for (const { partitionIndex, errorCode } of answer.topics[0]?.partitions ?? []) {
      const attempt = attempts.find(({ partition }) => partition === partitionIndex)
      const error = errorName(errorCode) ?? String(errorCode)
      trace.write(name, `commits ${attempt?.offset} of ${partitionIndex} in generation ${generation}: ${error}`)
      if (error !== 'NONE') errors.add(error)
      if (attempt !== undefined) this.#committed(attempt, error, newestBefore)
    }
    const [error] = errors
    if (error !== undefined) await this.#trouble('OffsetCommit', error)
  }

  #committed(attempt: CommitAttempt, error: string, newestBefore: number): void {
    const { group, name } = this.#options
    if (error === 'NONE') group.committed(name, attempt, newestBefore)
    else if (fenced.has(error)) group.refused(attempt)
  }

  async #fetchOffsets(connection: Connection): Promise<void> {
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
    const told = version < 8 ? answer : answer.groups[0]
    const error = errorName(told?.errorCode ?? 0) ?? String(told?.errorCode)
    if (error !== 'NONE') return this.#trouble('OffsetFetch', error)
    const partitions = told?.topics[0]?.partitions ?? []
    if (partitions.length !== least.length)
      this.#parts.checker.violate('no defect', `${name} asked for ${least.length} offsets and heard ${partitions.length}`)
    for (const { partitionIndex, committedOffset, errorCode } of partitions) {
      const ofPartition = errorName(errorCode) ?? String(errorCode)
      if (ofPartition !== 'NONE') return this.#trouble('OffsetFetch', ofPartition)
      group.fetched(name, { partition: partitionIndex, offset: committedOffset }, least[partitionIndex])
    }
  }

  async #leave(connection: Connection): Promise<void> {
    const { groupId, name } = this.#options
    this.#stopped = true
    this.#parts.trace.write(name, 'leaves')
    // An answer is of no use to who goes: an error means that the session ends it.
    await connection.request(LeaveGroup, 4, { groupId, memberId: '', members: [{ memberId: this.#memberId }] })
    this.#membership = undefined
    connection.close()
  }

  /** What a client does about an error: it waits, joins anew under its id, or as somebody new. */
  async #trouble(what: string, error: string): Promise<void> {
    const { checker, trace, time, chance } = this.#parts
    const { name } = this.#options
    trace.write(name, `${what}: ${error}`)
    if (error === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
    if (fenced.has(error)) {
      this.#membership = undefined
      return
    }
    if (!temporary.has(error) && error !== 'NOT_COORDINATOR') checker.violate('no defect', `${name} heard ${error} for ${what}`)
    await time.sleep(retryBackoffMs * chance.between([0.8, 1.2]))
  }
}

/** The coordinator has said no: nothing of it was done, and nothing will be. */
const fenced: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'])

/** As Kafka's range assignor shares out one topic. */
function shareOf(index: number, members: number, partitions: number): readonly number[] {
  const each = Math.floor(partitions / members)
  const more = partitions % members
  const first = each * index + Math.min(index, more)
  return Array.from({ length: each + (index < more ? 1 : 0) }, (_, at) => first + at)
}
