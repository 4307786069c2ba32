// A cluster of one broker with one topic, and a group of two members, as the command's readers use them. Every answer, write and
// commit waits until the schedule of a property test releases it.
import { buildBatch, crc32c, decodeRequest, encodeResponse, Fetch } from '@local-kafka-service/protocol'
import { Reader } from '@platformatic/kafka'
import type * as fc from 'fast-check'
import type { Terminal } from '../../client-command.ts'
import type { GroupMembership } from '../group-reader.ts'
import type { ReaderClient } from '../partition-reader.ts'

export const topic = 't'

/** Offsets by partition. */
type OffsetsByPartition = Map<number, number>

export class FakeGroup {
  /** The batches of each partition, as record counts. */
  readonly logs: number[][]
  readonly committed: OffsetsByPartition = new Map()
  /** Written by any member: `0@5`. */
  readonly written = new Set<string>()
  /** Written by the member under test, in order. */
  readonly printed: string[] = []
  readonly violations: string[] = []
  generation = 1
  mine: readonly number[]
  #readerIsGone = false
  readonly #schedule: fc.Scheduler
  readonly #listeners = new Map<string, (() => void)[]>()
  #appended = Promise.withResolvers<void>()

  constructor(schedule: fc.Scheduler, logs: readonly (readonly number[])[]) {
    this.#schedule = schedule
    this.logs = logs.map((batches) => [...batches])
    this.mine = logs.map((_, partition) => partition)
  }

  endOf(partition: number): number {
    return (this.logs[partition] ?? []).reduce((sum, count) => sum + count, 0)
  }

  append(partition: number, count: number): void {
    this.logs[partition]?.push(count)
    this.#appended.resolve()
    this.#appended = Promise.withResolvers()
  }

  /** The other member gets all partitions except `kept`, and reads `others` records of each. */
  rebalance(kept: readonly number[], others: number): readonly (() => void)[] {
    return [
      () => this.#emit('consumer:group:rebalance'),
      () => {
        this.generation += 1
        this.mine = kept
      },
      () => {
        for (let partition = 0; partition < this.logs.length; partition++)
          if (!this.mine.includes(partition)) this.#otherReads(partition, others)
      },
      () => this.#emit('consumer:group:join'),
    ]
  }

  readerLeaves(): void {
    this.#readerIsGone = true
  }

  readonly client: ReaderClient = ((group: FakeGroup) => {
    const partitions = (): { leader: number }[] => group.logs.map(() => ({ leader: 1 }))
    const metadata = () => ({
      brokers: new Map([[1, { host: 'fake', port: 1 }]]),
      topics: new Map([[topic, { partitionsCount: group.logs.length, partitions: partitions() }]]),
    })
    const fake = {
      listApis: async () => [{ apiKey: Fetch.key, name: 'Fetch', minVersion: 4, maxVersion: 12 }],
      connections: { get: async () => ({ send: group.#send.bind(group) }) },
      metadata: async () => metadata(),
      get currentMetadata() {
        return metadata()
      },
      clearMetadata() {},
      listOffsets: async ({ timestamp }: { readonly timestamp: bigint }) =>
        new Map([[topic, group.logs.map((_, partition) => (timestamp === -1n ? BigInt(group.endOf(partition)) : 0n))]]),
    }
    // The cast: the readers use only these members of the library's client.
    return fake as unknown as ReaderClient
  })(this)

  readonly member: GroupMembership = ((group: FakeGroup) => {
    const fake = {
      topics: { trackAll() {} },
      joinGroup: async () => {},
      groupId: 'g',
      get generationId() {
        return group.generation
      },
      get assignments() {
        return [{ topic, partitions: [...group.mine] }]
      },
      on: (event: string, listener: () => void) => group.#listeners.set(event, [...(group.#listeners.get(event) ?? []), listener]),
      listCommittedOffsets: async () => new Map([[topic, group.logs.map((_, partition) => BigInt(group.committed.get(partition) ?? -1))]]),
      commit: (request: { readonly offsets: readonly { readonly partition: number; readonly offset: bigint }[] }) =>
        group.#commit(request.offsets),
    }
    // The cast: as above.
    return fake as unknown as GroupMembership
  })(this)

  readonly data: Terminal['data'] = ((group: FakeGroup) => {
    const fake = {
      write(bytes: Buffer, done: (error?: Error) => void) {
        if (group.#readerIsGone) return
        void group.#schedule.schedule(Promise.resolve(), 'written').then(() => {
          if (group.#readerIsGone) return done(new Error('EPIPE'))
          for (const line of bytes.toString().split('\n')) {
            const [, partition, offset] = /\[(\d+)\]@(\d+)$/.exec(line) ?? []
            if (partition === undefined) continue
            group.written.add(`${partition}@${offset}`)
            group.printed.push(`${partition}@${offset}`)
          }
          done()
        })
      },
    }
    // The cast: as above.
    return fake as unknown as Terminal['data']
  })(this)

  #emit(event: string): void {
    for (const listener of this.#listeners.get(event) ?? []) listener()
  }

  async #commit(offsets: readonly { readonly partition: number; readonly offset: bigint }[]): Promise<void> {
    // A coordinator rejects a member of an old generation; the client library sends the newest one.
    const { generation } = this
    await this.#schedule.schedule(Promise.resolve(), 'commit')
    if (generation !== this.generation) throw new Error('ILLEGAL_GENERATION')
    for (const { partition, offset } of offsets) {
      if (!this.mine.includes(partition)) this.violations.push(`${partition}@${offset} is another member's`)
      this.#setCommitted(partition, Number(offset))
    }
  }

  #setCommitted(partition: number, offset: number): void {
    for (let at = 0; at < offset; at++)
      if (!this.written.has(`${partition}@${at}`)) this.violations.push(`${partition}@${at} is committed, not written`)
    this.committed.set(partition, offset)
  }

  #otherReads(partition: number, count: number): void {
    const from = this.committed.get(partition) ?? 0
    const until = Math.min(from + count, this.endOf(partition))
    for (let at = from; at < until; at++) this.written.add(`${partition}@${at}`)
    if (until > from) this.#setCommitted(partition, until)
  }

  #send(
    _key: number,
    version: number,
    payload: () => { readonly buffer: Buffer },
    parser: (correlationId: number, key: number, version: number, reader: Reader) => Buffer,
    _flexibleRequest: boolean,
    flexible: boolean,
    callback: (error: Error | null, answer: Buffer) => void,
  ): void {
    const request = decodeRequest(Fetch, version, payload().buffer, 0)
    const asked = request.topics.flatMap(({ partitions }) => partitions)
    const answer = async (): Promise<Buffer> => {
      await this.#schedule.schedule(Promise.resolve(), 'fetch')
      // A long poll that does not end by itself: the signal of the test ends it.
      while (asked.every(({ partition, fetchOffset }) => fetchOffset >= this.endOf(partition))) await this.#appended.promise
      const partitions = asked.map(({ partition, fetchOffset }) => ({
        partitionIndex: partition,
        errorCode: 0,
        highWatermark: this.endOf(partition),
        abortedTransactions: null,
        records: this.#batchesFrom(partition, fetchOffset),
      }))
      const frame = Buffer.concat(encodeResponse(Fetch, version, 1, { throttleTimeMs: 0, responses: [{ topic, partitions }] }))
      return frame.subarray(flexible ? 9 : 8)
    }
    void answer().then((body) => callback(null, parser(1, Fetch.key, version, Reader.from(body))))
  }

  /** Whole batches, at most three: a reader gets the batch that contains its offset from the start. */
  #batchesFrom(partition: number, offset: number): Uint8Array {
    const batches: Uint8Array[] = []
    let base = 0
    for (const count of this.logs[partition] ?? []) {
      if (base + count > offset && batches.length < 3) batches.push(aBatch(base, count))
      base += count
    }
    return Buffer.concat(batches)
  }
}

function aBatch(baseOffset: number, count: number): Uint8Array {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta, timestamp: 0, key: null, value: null, headers: [] }))
  return buildBatch({ baseTimestamp: 0, baseOffset, records }, crc32c)
}
