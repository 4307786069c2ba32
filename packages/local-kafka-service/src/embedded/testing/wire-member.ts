// A consumer in the bare protocol: it joins, syncs, fetches and commits on request, and uses no timer, so it also runs with faked timers.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Api,
  type DecodedResponseOf,
  decodeResponse,
  encodeAssignment,
  encodeRequest,
  encodeSubscription,
  Fetch,
  FrameSplitter,
  JoinGroup,
  Metadata,
  OffsetCommit,
  type RequestInputOf,
  SyncGroup,
} from '@local-kafka-service/protocol'

export class WireMember implements Disposable {
  readonly #socket: Socket
  readonly #clientId: string
  readonly #groupId: string
  readonly #answers: ((frame: Uint8Array) => void)[] = []
  #correlationId = 0
  #memberId = ''
  #generation = -1

  private constructor(socket: Socket, clientId: string, groupId: string) {
    this.#socket = socket
    this.#clientId = clientId
    this.#groupId = groupId
    const frames = new FrameSplitter({ maxBytes: 2 ** 20 })
    socket.on('data', (chunk: Uint8Array) => {
      frames.push(chunk)
      for (let frame = frames.take(); frame !== undefined; frame = frames.take()) this.#answers.shift()?.(frame)
    })
  }

  static async open({
    port,
    clientId,
    groupId,
  }: {
    readonly port: number
    readonly clientId: string
    readonly groupId: string
  }): Promise<WireMember> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new WireMember(socket, clientId, groupId)
  }

  async ask<A extends Api>(api: A, version: number, request: RequestInputOf<A>): Promise<DecodedResponseOf<A>> {
    this.#correlationId += 1
    const answer = new Promise<Uint8Array>((resolve) => this.#answers.push(resolve))
    this.#socket.write(
      Buffer.concat(encodeRequest(api, { version, correlationId: this.#correlationId, clientId: this.#clientId }, request)),
    )
    return decodeResponse(api, version, await answer).response
  }

  /** Joins alone and assigns itself all the named partitions. */
  async join(topic: string, partitions: readonly number[]): Promise<void> {
    const ask = (): Promise<DecodedResponseOf<typeof JoinGroup>> =>
      this.ask(JoinGroup, 9, {
        groupId: this.#groupId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 30_000,
        memberId: this.#memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocols: [
          {
            name: 'range',
            metadata: encodeSubscription({ topics: [topic], userData: null, ownedPartitions: [], generationId: -1, rackId: null }, 0),
          },
        ],
        reason: null,
      })
    // The first answer only assigns an id.
    this.#memberId = (await ask()).memberId
    this.#generation = (await ask()).generationId
    await this.ask(SyncGroup, 5, {
      groupId: this.#groupId,
      generationId: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [
        { memberId: this.#memberId, assignment: encodeAssignment({ assignedPartitions: [{ topic, partitions }], userData: null }, 0) },
      ],
    })
  }

  async commit(topic: string, offsets: Readonly<Record<number, number>>): Promise<void> {
    const { topics } = await this.ask(OffsetCommit, 8, {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: null,
      topics: [
        {
          name: topic,
          partitions: Object.entries(offsets).map(([partition, offset]) => ({
            partitionIndex: Number(partition),
            committedOffset: offset,
            committedLeaderEpoch: -1,
            committedMetadata: null,
          })),
        },
      ],
    })
    const rejected = topics.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== 0)
    if (rejected !== undefined) throw new Error(`the commit was answered ${rejected.errorCode}`)
  }

  /** One fetch with no wait time. */
  async fetch(topic: string): Promise<void> {
    await this.ask(Metadata, 9, { topics: [{ name: topic }], allowAutoTopicCreation: false })
    await this.ask(Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
      forgottenTopicsData: [],
      rackId: '',
    })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
