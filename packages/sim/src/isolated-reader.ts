// A consumer of one isolation level, which checks what an answer says of transactions: the last stable offset, the aborted transactions, and the records that they leave.
import { partitionKey } from '@local-kafka-service/agent/simulation'
import { type DecodedResponseOf, errorName, Fetch, ListOffsets } from '@local-kafka-service/protocol'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import { temporary } from './producer.ts'
import { decodeBatches, type ReadRecord } from './records.ts'

export type Isolation = 'read_uncommitted' | 'read_committed'

export interface IsolatedReaderOptions {
  readonly name: string
  readonly isolation: Isolation
  readonly maxWaitMs: number
}

export class IsolatedReader {
  readonly #parts: ClientParts
  readonly #options: IsolatedReaderOptions
  readonly #link: Reconnecting
  readonly #positions: number[]
  readonly #version: number
  /** What the present connection received. */
  readonly #seen = new Map<number, SeenWatermarks>()
  #connections = 0
  #stopped = false

  constructor(parts: ClientParts, options: IsolatedReaderOptions) {
    this.#parts = parts
    this.#options = options
    this.#link = new Reconnecting(parts, options.name)
    this.#version = parts.chance.whole([4, 18])
    this.#positions = Array.from({ length: parts.topic.partitions }, () => 0)
  }

  stop(): void {
    this.#stopped = true
    this.#link.close()
  }

  /** Follows until it is stopped. */
  run(): Promise<void> {
    return this.#until(() => this.#stopped)
  }

  /** Reads up to the end of the log as it is now, which a reader of committed records reaches only when no transaction is open. */
  async readAll(): Promise<void> {
    const { topic, checker } = this.#parts
    const ends = this.#positions.map((_, partition) => checker.nextOffset(topic.topicId, partition))
    await this.#until(() => this.#stopped || ends.every((end, partition) => (this.#positions[partition] ?? 0) >= end))
    this.#link.close()
  }

  async #until(done: () => boolean): Promise<void> {
    const { time, chance } = this.#parts
    while (!done()) {
      const connection = await this.#link.open(() => this.#stopped)
      if (connection === undefined) return
      if (this.#connections !== this.#link.opened) this.#seen.clear()
      this.#connections = this.#link.opened
      try {
        if (chance.happens(0.1)) await this.#askEnds(connection)
        // Now and then it reads a part again: answers begin anywhere in a transaction.
        const places = this.#positions.map((position, partition) => ({
          partition,
          offset: chance.happens(0.1) ? chance.whole([0, position]) : position,
        }))
        const { name, isolation, maxWaitMs } = this.#options
        const asked = { reader: name, version: this.#version, isolation, maxWaitMs, places, seen: this.#seen }
        const read = await fetchIsolated(this.#parts, connection, asked)
        for (const { partition, next } of read) this.#positions[partition] = Math.max(next, this.#positions[partition] ?? 0)
        if (read.length < places.length) await time.sleep(retryBackoffMs)
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        if (!this.#stopped) await time.sleep(retryBackoffMs)
      }
    }
  }

  /** The latest offset of the isolation level: at least what it was when the request was sent, and at most what it is when the response arrives. */
  async #askEnds(connection: ClientConnection): Promise<void> {
    const { checker, topic, chance } = this.#parts
    const { name, isolation } = this.#options
    const before = this.#positions.map((_, partition) => this.#endOf(partition))
    const answer = await connection.request(ListOffsets, chance.whole([2, 9]), {
      replicaId: -1,
      isolationLevel: levels[isolation],
      topics: [{ name: topic.name, partitions: this.#positions.map((_, partitionIndex) => ({ partitionIndex, timestamp: -1 })) }],
    })
    for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
      const error = errorName(errorCode) ?? String(errorCode)
      if (error !== 'NONE' && !temporary.has(error)) checker.violate('no defect', `${name}: ListOffsets of ${partitionIndex}: ${error}`)
      const least = before[partitionIndex] ?? 0
      const most = this.#endOf(partitionIndex)
      if (error === 'NONE' && (offset < least || offset > most))
        checker.violate(
          'I21 read_committed returns committed records only',
          `${name} received ${offset} as the ${isolation} end of ${partitionIndex}; it was ${least} when it asked, and is ${most}`,
        )
    }
  }

  #endOf(partition: number): number {
    const { checker, topic } = this.#parts
    const end = checker.nextOffset(topic.topicId, partition)
    if (this.#options.isolation === 'read_uncommitted') return end
    return checker.transactions.stableOffset(partitionKey(topic.topicId, partition)) ?? end
  }
}

export interface SeenWatermarks {
  readonly highWatermark: number
  readonly lastStableOffset: number
}

export interface IsolatedFetch {
  readonly reader: string
  readonly version: number
  readonly isolation: Isolation
  readonly maxWaitMs: number
  readonly places: readonly { readonly partition: number; readonly offset: number }[]
  /** What the connection received before, by partition. */
  readonly seen: Map<number, SeenWatermarks>
}

/** The partitions that were answered without an error: the offset to continue from, and the records that a consumer passes on. Rejects with ConnectionLost. */
export async function fetchIsolated(
  parts: ClientParts,
  connection: ClientConnection,
  asked: IsolatedFetch,
): Promise<readonly { readonly partition: number; readonly next: number; readonly records: readonly ReadRecord[] }[]> {
  const { topic, chance } = parts
  const partitions = asked.places.map(({ partition, offset }) => ({
    partition,
    fetchOffset: offset,
    partitionMaxBytes: chance.happens(0.3) ? chance.whole([1, 400]) : 1024 * 1024,
  }))
  const answer = await connection.request(Fetch, asked.version, {
    maxWaitMs: asked.maxWaitMs,
    minBytes: 1,
    maxBytes: chance.happens(0.2) ? chance.whole([1, 1_000]) : 50 * 1024 * 1024,
    isolationLevel: levels[asked.isolation],
    topics: [{ topic: topic.name, topicId: topic.topicId, partitions }],
    forgottenTopicsData: [],
  })
  return (answer.responses[0]?.partitions ?? []).flatMap((of) => accepted(parts, asked, of) ?? [])
}

type PartitionOfAnswer = DecodedResponseOf<typeof Fetch>['responses'][number]['partitions'][number]

function accepted(
  { topic, checker }: ClientParts,
  { reader, isolation, places, seen }: IsolatedFetch,
  { partitionIndex: partition, errorCode, records, highWatermark, lastStableOffset, abortedTransactions }: PartitionOfAnswer,
): { readonly partition: number; readonly next: number; readonly records: readonly ReadRecord[] } | undefined {
  const error = errorName(errorCode) ?? String(errorCode)
  if (error !== 'NONE') {
    if (!temporary.has(error)) checker.violate('no defect', `${reader} received ${error} for ${partition}`)
    return undefined
  }
  const rule = 'I21 read_committed returns committed records only'
  const { topicId } = topic
  const key = partitionKey(topicId, partition)
  const from = places.find((place) => place.partition === partition)?.offset ?? 0
  const former = seen.get(partition) ?? { highWatermark: -1, lastStableOffset: -1 }
  seen.set(partition, { highWatermark, lastStableOffset })
  const next = checker.fetched(
    reader,
    { topicId, partition, offset: from },
    { highWatermark, formerHighWatermark: former.highWatermark, records },
  )
  if (lastStableOffset < former.lastStableOffset)
    checker.violate(
      'I3 watermarks never go back',
      `${reader}: ${key} is stable up to ${lastStableOffset}, after ${former.lastStableOffset}`,
    )
  const stable = checker.transactions.stableOffset(key) ?? checker.nextOffset(topicId, partition)
  if (lastStableOffset > stable) checker.violate(rule, `${reader}: ${key} is stable up to ${lastStableOffset}, and it is ${stable}`)
  const batches = records === null ? [] : decodeBatches(records)
  if (isolation === 'read_uncommitted') {
    if (abortedTransactions !== null) checker.violate(rule, `${reader} reads uncommitted records and got a list of aborted transactions`)
    return { partition, next, records: batches.flatMap((batch) => batch.records) }
  }
  if (next > lastStableOffset && next > from)
    checker.violate(rule, `${reader} got records up to ${next} of ${key}, which is stable up to ${lastStableOffset}`)
  if (abortedTransactions === null) checker.violate(rule, `${reader} reads committed records and got no list of aborted transactions`)
  const visible = checker.transactions.committedIn(reader, { key, from }, { batches, aborted: abortedTransactions ?? [] })
  return { partition, next, records: visible }
}

const levels: Readonly<Record<Isolation, number>> = { read_uncommitted: 0, read_committed: 1 }
