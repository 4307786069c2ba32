// One consumer of a measured group: it joins, assigns partitions as the leader, sends heartbeats and commits, each with one request.
import {
  encodeAssignment,
  encodeRequest,
  encodeSubscription,
  errorName,
  Heartbeat,
  JoinGroup,
  OffsetCommit,
  SyncGroup,
} from '@local-kafka-service/protocol'
import { topic } from './frames.ts'
import { WireClient } from './wire-client.ts'

const metadata = encodeSubscription({ topics: [topic], userData: null, ownedPartitions: [], generationId: -1, rackId: null }, 3)
const commitVersion = 8

export class GroupClient {
  readonly connection: WireClient
  readonly groupId: string
  readonly #partitions: number
  #memberId = ''
  #generation = -1
  #synced = false
  #leads = false

  constructor(connection: WireClient, groupId: string, partitions: number) {
    this.connection = connection
    this.groupId = groupId
    this.#partitions = partitions
  }

  static async open(port: number, groupId: string, partitions: number): Promise<GroupClient> {
    return new GroupClient(await WireClient.open(port), groupId, partitions)
  }

  get memberId(): string {
    return this.#memberId
  }

  get generation(): number {
    return this.#generation
  }

  /** It has its assignment in the generation, and there was no rebalance since. */
  get synced(): boolean {
    return this.#synced
  }

  get leads(): boolean {
    return this.#leads
  }

  /** Sends a JoinGroup, and a SyncGroup if that succeeds. */
  async join(): Promise<void> {
    const answer = await this.connection.ask(JoinGroup, 9, {
      groupId: this.groupId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 300_000,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata }],
    })
    if (errorName(answer.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.#memberId = answer.memberId
      return await this.join()
    }
    this.#expect('JoinGroup', answer.errorCode)
    this.#generation = answer.generationId
    this.#leads = answer.leader === this.#memberId
    const each = Math.ceil(this.#partitions / Math.max(1, answer.members.length))
    const assignments = answer.members.map(({ memberId }, index) => {
      const first = Math.min(index * each, this.#partitions)
      const partitions = Array.from({ length: Math.min(each, this.#partitions - first) }, (_, at) => first + at)
      return { memberId, assignment: encodeAssignment({ assignedPartitions: [{ topic, partitions }], userData: null }, 3) }
    })
    const { errorCode } = await this.connection.ask(SyncGroup, 5, {
      groupId: this.groupId,
      generationId: this.#generation,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    })
    this.#synced = !this.#calledIn('SyncGroup', errorCode)
  }

  async heartbeat(): Promise<void> {
    const { groupId } = this
    const { errorCode } = await this.connection.ask(Heartbeat, 4, { groupId, generationId: this.#generation, memberId: this.#memberId })
    if (this.#calledIn('Heartbeat', errorCode)) this.#synced = false
  }

  /** Commits every partition. */
  async commit(offset: number): Promise<void> {
    const answer = await this.connection.ask(OffsetCommit, commitVersion, commitOf(this, this.#partitions, offset))
    for (const { errorCode } of answer.topics[0]?.partitions ?? []) this.#expect('OffsetCommit', errorCode)
  }

  close(): void {
    this.connection.close()
  }

  #calledIn(what: string, code: number): boolean {
    if (errorName(code) === 'REBALANCE_IN_PROGRESS') return true
    this.#expect(what, code)
    return false
  }

  #expect(what: string, code: number): void {
    if (code !== 0) throw new Error(`${what} of ${this.groupId} was answered with ${errorName(code) ?? code}`)
  }
}

/** The request that is sent repeatedly, and the check of its response. */
export function commitFrame(
  member: GroupClient,
  partitions: number,
): { readonly bytes: Uint8Array; readonly check: (answer: Buffer) => void } {
  const request = commitOf(member, partitions, 1)
  const bytes = Buffer.concat(encodeRequest(OffsetCommit, { version: commitVersion, correlationId: 1, clientId: 'bench' }, request))
  const check = (answer: Buffer): void => {
    // Correlation id, tags, throttle time, one topic, its name, its partitions' count, the first one's index; then its error code.
    const code = answer.readInt16BE(4 + 1 + 4 + 1 + 1 + topic.length + 1 + 4)
    if (code !== 0) throw new Error(`OffsetCommit was answered with ${errorName(code) ?? code}`)
  }
  return { bytes, check }
}

function commitOf({ groupId, memberId, generation }: GroupClient, partitions: number, committedOffset: number): OffsetCommitInput {
  return {
    groupId,
    memberId,
    generationIdOrMemberEpoch: generation,
    topics: [
      {
        name: topic,
        partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, committedOffset, committedMetadata: '' })),
      },
    ],
  }
}

type OffsetCommitInput = Parameters<typeof encodeRequest<typeof OffsetCommit>>[2]
