// A consumer that follows all partitions of the topic, now and then queries the end of the log, and passes every response to the checker.
import { errorName, Fetch, ListOffsets } from '@local-kafka-service/protocol'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import { absent, temporary } from './producer.ts'

export interface ConsumerOptions {
  readonly name: string
  /** Where it begins. */
  readonly from: 'earliest' | 'somewhere'
  /** The time that one fetch may wait for records. */
  readonly maxWaitMs: number
  /** Fetch 13 and later name a topic by its id, even if its name belongs to another topic by now. */
  readonly byTopicId?: true
}

export class Consumer {
  readonly #parts: ClientParts
  readonly #options: ConsumerOptions
  readonly #link: Reconnecting
  readonly #positions: number[]
  /** Of the present connection. */
  readonly #highWatermarks: number[]
  readonly #version: number
  readonly #session: FetchSession | undefined
  /** Partitions whose position was removed: it asks where they begin. */
  readonly #lost = new Set<number>()
  #connections = 0
  #stopped = false

  constructor(parts: ClientParts, options: ConsumerOptions) {
    this.#parts = parts
    this.#options = options
    this.#link = new Reconnecting(parts, options.name)
    this.#version = parts.chance.whole(options.byTopicId === true ? [13, 18] : [4, 18])
    const { topicId, partitions } = parts.topic
    this.#positions = Array.from({ length: partitions }, (_, partition) =>
      options.from === 'earliest' ? 0 : parts.chance.whole([0, parts.checker.nextOffset(topicId, partition)]),
    )
    this.#session = parts.chance.happens(0.5) ? { id: 0, epoch: 0, named: [] } : undefined
    this.#highWatermarks = Array.from({ length: partitions }, () => -1)
  }

  stop(): void {
    this.#stopped = true
    this.#link.close()
  }

  /** Follows until it is stopped. */
  run(): Promise<void> {
    return this.#until(() => this.#stopped)
  }

  /** Reads up to the end of the log as it is now. */
  async readAll(): Promise<void> {
    const { topicId, partitions } = this.#parts.topic
    const ends = Array.from({ length: partitions }, (_, partition) => this.#parts.checker.nextOffset(topicId, partition))
    await this.#until(() => this.#stopped || ends.every((end, partition) => (this.#positions[partition] ?? 0) >= end))
    this.#link.close()
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      const connection = await this.#link.open(() => this.#stopped)
      if (connection === undefined) return
      if (this.#connections !== this.#link.opened) {
        this.#connections = this.#link.opened
        this.#highWatermarks.fill(-1)
      }
      try {
        const byName = this.#options.byTopicId !== true
        if (byName && this.#parts.chance.happens(0.1)) await this.#askEnds(connection)
        if (byName && this.#parts.chance.happens(0.1)) await this.#askSince(connection)
        if (this.#lost.size > 0) await this.#askStarts(connection)
        await this.#fetch(connection)
        // Every agent serves every partition.
        if (this.#parts.addresses.length > 1 && this.#parts.chance.happens(0.05)) this.#link.tryAnother()
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        // The server may have received the request, so Kafka's own client starts a new session in place of the former one. Continuing the former one would be an error.
        if (this.#session !== undefined && this.#parts.chance.happens(0.7)) this.#session.epoch = 0
        if (!this.#stopped) await this.#parts.time.sleep(retryBackoffMs)
      }
    }
  }

  async #fetch(connection: ClientConnection): Promise<void> {
    const { chance, checker, topic, time } = this.#parts
    const session = this.#version >= 7 ? this.#session : undefined
    const whole = this.#positions.map((fetchOffset, partition) => ({
      partition,
      fetchOffset,
      partitionMaxBytes: chance.happens(0.3) ? chance.whole([1, 400]) : 1024 * 1024,
    }))
    // Within a session a request names only the partitions that have changed (KIP-227).
    const asked =
      session === undefined || session.epoch <= 0 ? whole : whole.filter((ask) => session.named[ask.partition] !== ask.fetchOffset)
    if (session !== undefined) for (const { partition, fetchOffset } of asked) session.named[partition] = fetchOffset
    const reportedStarts = this.#positions.map((_, partition) => checker.reportedStart(topic.topicId, partition))
    const answer = await connection.request(Fetch, this.#version, {
      maxWaitMs: this.#options.maxWaitMs,
      minBytes: 1,
      maxBytes: chance.happens(0.2) ? chance.whole([1, 1_000]) : 50 * 1024 * 1024,
      ...(session !== undefined && { sessionId: session.id, sessionEpoch: session.epoch }),
      topics: asked.length === 0 ? [] : [{ topic: topic.name, topicId: topic.topicId, partitions: asked }],
      forgottenTopicsData: [],
    })
    if (session !== undefined) this.#advance(session, answer)
    if (answer.errorCode !== 0) {
      const error = errorName(answer.errorCode) ?? String(answer.errorCode)
      if (!temporary.has(error) && !sessionOver.has(error)) checker.violate('no defect', `${this.#options.name} received ${error}`)
      return time.sleep(retryBackoffMs)
    }
    let failed = false
    for (const partition of answer.responses[0]?.partitions ?? [])
      failed = !this.#accept(partition, reportedStarts[partition.partitionIndex] ?? 0) || failed
    if (failed) await time.sleep(retryBackoffMs)
  }

  /** Like Kafka's own client: an error ends the session, and the next request asks for another. */
  #advance(session: FetchSession, answer: { readonly errorCode: number; readonly sessionId: number }): void {
    const { trace } = this.#parts
    if (answer.errorCode !== 0) {
      trace.write(this.#options.name, `session ${session.id} is over: ${errorName(answer.errorCode)}`)
      session.epoch = 0
      if (errorName(answer.errorCode) === 'FETCH_SESSION_ID_NOT_FOUND') session.id = 0
      return
    }
    if (session.epoch === 0) trace.write(this.#options.name, `begins session ${answer.sessionId}`)
    // The server may have no room for a session. Then each request names everything.
    session.id = answer.sessionId
    session.epoch = answer.sessionId === 0 ? 0 : session.epoch + 1
  }

  #accept({ partitionIndex, errorCode, highWatermark, records }: ReceivedPartition, reportedStart: number): boolean {
    const { checker, topic, trace } = this.#parts
    const { name } = this.#options
    const offset = this.#positions[partitionIndex] ?? 0
    if (errorCode !== 0) {
      const error = errorName(errorCode) ?? String(errorCode)
      trace.write(name, `${partitionIndex} from ${offset}: ${error}`)
      if (absent.has(error) && checker.isDeleted(topic.topicId)) {
        this.#stopped = true
        return false
      }
      // Like a consumer with auto.offset.reset=earliest.
      if (error === 'OFFSET_OUT_OF_RANGE' && offset < checker.startOffset(topic.topicId, partitionIndex)) {
        this.#lost.add(partitionIndex)
        return false
      }
      // The offset was never above the end.
      if (!temporary.has(error))
        checker.violate(
          'I15 only absent things are reported as absent',
          `${name} received ${error} for offset ${offset} of ${partitionIndex}`,
        )
      return false
    }
    const formerHighWatermark = this.#highWatermarks[partitionIndex] ?? -1
    const next = checker.fetched(
      name,
      { topicId: topic.topicId, partition: partitionIndex, offset, reportedStart },
      { highWatermark, formerHighWatermark, records },
    )
    if (next > offset) trace.write(name, `${partitionIndex} from ${offset} to ${next}, high watermark ${highWatermark}`)
    this.#highWatermarks[partitionIndex] = Math.max(highWatermark, formerHighWatermark)
    this.#positions[partitionIndex] = next
    return true
  }

  /** The latest offset is at least the committed end when the request was sent, and at most the committed end when the response arrives. */
  async #askEnds(connection: ClientConnection): Promise<void> {
    const { checker, topic } = this.#parts
    const before = this.#positions.map((_, partition) => checker.nextOffset(topic.topicId, partition))
    for (const { partitionIndex, offset } of await this.#listOffsets(connection, latest)) {
      const least = before[partitionIndex] ?? 0
      const most = checker.nextOffset(topic.topicId, partitionIndex)
      if (offset < least || offset > most)
        checker.violate(
          'I15 only absent things are reported as absent',
          `${this.#options.name} received ${offset} as the end of ${partitionIndex}; it ended at ${least} when it asked, and ends at ${most}`,
        )
    }
  }

  /** The earliest offset is at least the start that a client had received, and at most the start in the database when the response arrives. */
  async #askStarts(connection: ClientConnection): Promise<void> {
    const { checker, topic, trace } = this.#parts
    const { name } = this.#options
    const before = this.#positions.map((_, partition) => checker.reportedStart(topic.topicId, partition))
    for (const { partitionIndex, offset } of await this.#listOffsets(connection, earliest)) {
      const least = before[partitionIndex] ?? 0
      const most = checker.startOffset(topic.topicId, partitionIndex)
      if (offset < least || offset > most)
        checker.violate(
          'I15 only absent things are reported as absent',
          `${name} received ${offset} as the start of ${partitionIndex}; a client had received ${least}, and it begins at ${most}`,
        )
      if (!this.#lost.delete(partitionIndex)) continue
      trace.write(name, `${partitionIndex} goes on at ${offset}`)
      this.#positions[partitionIndex] = Math.max(offset, this.#positions[partitionIndex] ?? 0)
    }
  }

  /** The first record since a time never changes once there is one, until it is removed. */
  async #askSince(connection: ClientConnection): Promise<void> {
    const { checker, chance, topic, time } = this.#parts
    const sinceMs = time.wallMs - chance.whole([0, Math.ceil(time.nowMs)])
    const before = this.#positions.map((_, partition) => checker.offsetSince(topic.topicId, partition, sinceMs))
    const starts = this.#positions.map((_, partition) => checker.startOffset(topic.topicId, partition))
    for (const { partitionIndex, offset } of await this.#listOffsets(connection, sinceMs)) {
      // What was removed meanwhile may or may not be in the response.
      if (checker.startOffset(topic.topicId, partitionIndex) !== starts[partitionIndex]) continue
      const first = before[partitionIndex] ?? checker.offsetSince(topic.topicId, partitionIndex, sinceMs)
      const due = first === undefined ? undefined : this.#firstLeft(first, { partition: partitionIndex, answered: offset, sinceMs })
      if (offset !== due && !(offset === -1 && before[partitionIndex] === undefined))
        checker.violate(
          'I15 only absent things are reported as absent',
          `${this.#options.name} received ${offset} as the first offset of ${partitionIndex} since ${sinceMs}, where ${due} is due`,
        )
    }
  }

  /** The answer, if log compaction may have removed all records of that time before it; otherwise the first one that must be there. */
  #firstLeft(first: number, asked: { readonly partition: number; readonly answered: number; readonly sinceMs: number }): number {
    const { checker, topic } = this.#parts
    const { partition, answered, sinceMs } = asked
    const until = answered < 0 ? checker.nextOffset(topic.topicId, partition) : answered
    return checker.firstLeftSince({ topicId: topic.topicId, partition }, { sinceMs, from: first, until }) ?? answered
  }

  /** The partitions that were answered without an error. */
  async #listOffsets(
    connection: ClientConnection,
    timestamp: number,
  ): Promise<readonly { readonly partitionIndex: number; readonly offset: number }[]> {
    const { checker, topic } = this.#parts
    const partitions = this.#positions.map((_, partitionIndex) => ({ partitionIndex, timestamp }))
    const answer = await connection.request(ListOffsets, 4, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic.name, partitions }],
    })
    return (answer.topics[0]?.partitions ?? []).filter(({ partitionIndex, errorCode }) => {
      const error = errorName(errorCode) ?? String(errorCode)
      if (error !== 'NONE' && !temporary.has(error))
        checker.violate('I15 only absent things are reported as absent', `ListOffsets of ${partitionIndex}: ${error}`)
      return error === 'NONE'
    })
  }
}

/** The timestamp that means the end of the log in ListOffsets. */
const latest = -1
/** The timestamp that means the start of the log. */
const earliest = -2

/** The client's state of a fetch session (KIP-227). */
interface FetchSession {
  id: number
  /** 0: the next request names everything. */
  epoch: number
  /** The last offset that a request named, by partition. */
  readonly named: number[]
}

const sessionOver: ReadonlySet<string> = new Set(['FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH'])

interface ReceivedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly records: Uint8Array | null
}
