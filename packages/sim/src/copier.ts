// A transactional producer that copies records of one partition to others exactly once, with the offset in the same transaction: by the protocol of KIP-890, or by the older one. Long because it is one thing: every request of one producer.
import { partitionKey } from '@local-kafka-service/agent/simulation'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  errorName,
  InitProducerId,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
} from '@local-kafka-service/protocol'
import type { Range } from './chance.ts'
import { type ClientConnection, ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting, retryBackoffMs } from './cluster-client.ts'
import { fetchIsolated } from './isolated-reader.ts'
import { lostOnly } from './producer.ts'
import { encodeBatch, type ReadRecord, valueOf } from './records.ts'
import type { Copying } from './transaction-checker.ts'
import { fencedErrors, retriedErrors, TransactionFailed } from './transaction-errors.ts'

export interface CopierOptions {
  /** Of this instance. */
  readonly name: string
  readonly transactionalId: string
  readonly groupId: string
  readonly source: number
  readonly targets: readonly number[]
  /** The value of `transaction.version` that it knows: from 2 on a transaction gets its partitions by itself, and each has its own epoch. */
  readonly transactionVersion: 1 | 2
  readonly timeoutMs: number
  readonly paceMs: Range
  /** The probability that it aborts a transaction. */
  readonly aborts: number
  /** The probability that it does nothing for long in a transaction. */
  readonly stalls: number
}

interface CopierEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

export class Copier {
  readonly #parts: ClientParts
  readonly #options: CopierOptions
  /** To the coordinator of the transactional id, to that of the group, to the leader of each partition, and for reads. With one agent they are one connection. */
  readonly #links = new Map<string, Reconnecting>()
  readonly #requestTimeoutMs: number
  readonly #versions: {
    readonly init: number
    readonly add: number
    readonly produce: number
    readonly offsets: number
    readonly end: number
  }
  readonly #sequences = new Map<number, number>()
  /** Partitions that may or may not have a batch of this epoch that was not acknowledged. */
  readonly #avoided = new Set<number>()
  /** The transaction before this one, in the protocol of KIP-890. */
  #former: { readonly identity: CopierEpoch } | undefined
  #identity: CopierEpoch | undefined
  #number = 0
  #transactions = 0
  #over = false
  #isLast = false

  constructor(parts: ClientParts, options: CopierOptions) {
    this.#parts = parts
    this.#options = options
    const { chance } = parts
    this.#requestTimeoutMs = chance.between([500, 10_000])
    this.#versions =
      options.transactionVersion === 2
        ? { init: chance.whole([4, 5]), add: 0, produce: chance.whole([12, 13]), offsets: 5, end: 5 }
        : {
            init: chance.whole([0, 5]),
            add: chance.whole([0, 3]),
            produce: chance.whole([3, 11]),
            offsets: chance.whole([0, 4]),
            end: chance.whole([0, 4]),
          }
  }

  /** Like kill -9: what it sent may still arrive. */
  die(): void {
    this.#over = true
    this.#closeAll()
  }

  #closeAll(): void {
    for (const link of this.#links.values()) link.close()
  }

  #linkFor(what: string): Reconnecting {
    const key = this.#parts.addresses.length === 1 ? '' : what
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const link = new Reconnecting(this.#parts, this.#options.name, this.#requestTimeoutMs)
    this.#links.set(key, link)
    return link
  }

  /** It copies what the source has now, and stops. */
  finish(): void {
    this.#isLast = true
  }

  /** Until it is fenced, dies, or has finished. Resolves with whether it has finished. */
  async run(): Promise<boolean> {
    const { time, chance, trace } = this.#parts
    const { name, paceMs } = this.#options
    while (!this.#over) {
      await time.sleep(chance.between(paceMs))
      try {
        if (this.#identity === undefined) await this.#begin()
        else if (!(await this.#copy(this.#identity))) return true
      } catch (error) {
        if (!(error instanceof TransactionFailed)) throw error
        trace.write(name, error.message)
        await this.#recover()
      }
    }
    return false
  }

  /** One transaction. False: there is nothing left to copy, and it is to stop. */
  async #copy(identity: CopierEpoch): Promise<boolean> {
    const { chance, checker, topic, time, trace } = this.#parts
    const { source, targets, name, transactionalId, aborts, stalls, timeoutMs } = this.#options
    const isLast = this.#isLast
    const from = await this.#committedOffset()
    if (from === undefined) return true
    let read = await this.#read(from)
    // Aborted records and markers, as many as an answer may have.
    for (let at = from; read !== undefined && read.records.length === 0 && read.next > at; read = await this.#read(at)) at = read.next
    if (read === undefined) return true
    if (read.records.length === 0) return !(isLast && read.next >= checker.nextOffset(topic.topicId, source))
    const records = read.records.slice(0, chance.whole([1, 12]))
    const until = records.length < read.records.length ? (records.at(-1)?.offset ?? from) + 1 : read.next
    const batches = this.#split(records.length)
    const lateValues = chance.happens(0.5) ? [valueOf(name, (this.#number += 1))] : []
    const willAbort = !isLast && chance.happens(aborts)
    const copying: Copying = {
      name: `${name}/${(this.#transactions += 1)}`,
      transactionalId,
      source: partitionKey(topic.topicId, source),
      from,
      until,
      values: [...batches.flatMap(({ values }) => values), ...(willAbort ? lateValues : [])],
      asksCommit: false,
      outcome: 'open',
    }
    checker.transactions.begins(copying)
    trace.write(name, `begins ${copying.name}: ${from} to ${until} of ${source}, ${copying.values.length} records`)
    await this.#add(identity, batches)
    const commitsFirst = chance.happens(0.3)
    if (commitsFirst) await this.#commitOffset(identity, until)
    for (const [at, batch] of batches.entries()) {
      if (at > 0 && !this.#isLast && chance.happens(stalls)) await time.sleep(timeoutMs * chance.between([0.5, 3]))
      if (this.#over) return true
      await this.#produce(identity, batch)
      if (chance.happens(0.05)) await this.#endAgain()
    }
    if (!commitsFirst) await this.#commitOffset(identity, until)
    if (!this.#isLast && chance.happens(stalls)) await time.sleep(timeoutMs * chance.between([0.5, 3]))
    if (this.#over) return true
    const [first] = batches
    if (willAbort && lateValues.length > 0 && first !== undefined) await this.#sendLate(identity, lateValues, first.partition)
    await this.#end(identity, copying, willAbort ? 'abort' : 'commit')
    if (targets.every((target) => this.#avoided.has(target))) throw new TransactionFailed('needs another epoch')
    return true
  }

  /** A new value for each record, in batches of one partition each. */
  #split(count: number): readonly BatchToSend[] {
    const { chance } = this.#parts
    const { name, targets } = this.#options
    const batches: BatchToSend[] = []
    for (let left = count; left > 0; ) {
      const size = Math.min(left, chance.whole([1, 3]))
      left -= size
      const values = Array.from({ length: size }, () => valueOf(name, (this.#number += 1)))
      batches.push({ partition: chance.pick(targets.filter((target) => !this.#avoided.has(target))), values })
    }
    return batches
  }

  async #begin(): Promise<void> {
    this.#identity = await this.#init({ producerId: -1, producerEpoch: -1 })
  }

  async #init(expected: CopierEpoch): Promise<CopierEpoch> {
    const { transactionalId, timeoutMs, name } = this.#options
    const answer = await this.#asked('InitProducerId', (connection) =>
      connection.request(InitProducerId, this.#versions.init, { transactionalId, transactionTimeoutMs: timeoutMs, ...expected }),
    )
    const { producerId, producerEpoch } = answer
    this.#parts.trace.write(name, `is producer ${producerId} in epoch ${producerEpoch}`)
    this.#sequences.clear()
    this.#avoided.clear()
    return { producerId, producerEpoch }
  }

  /** After a transaction that cannot go on: a producer of a new protocol tries to go on with its epoch, others end, and their supervisor starts another instance. */
  async #recover(): Promise<void> {
    const { chance } = this.#parts
    const identity = this.#identity
    this.#over ||= identity === undefined || this.#versions.init < 3 || chance.happens(0.3)
    if (this.#over || identity === undefined) return this.#closeAll()
    try {
      this.#identity = await this.#init(identity)
    } catch (error) {
      if (!(error instanceof TransactionFailed)) throw error
      this.die()
    }
  }

  async #committedOffset(): Promise<number | undefined> {
    const { checker, topic, chance } = this.#parts
    const { groupId, source, name } = this.#options
    const key = partitionKey(topic.topicId, source)
    const version = chance.whole([7, 10])
    const topics = [{ name: topic.name, topicId: topic.topicId, partitionIndexes: [source] }]
    let before = 0
    const answer = await this.#asked(
      'OffsetFetch',
      async (connection) => {
        before = checker.transactions.copiedUpTo(key)
        const asked = version < 8 ? { groupId, topics, groups: [] } : { groupId: '', topics: [], groups: [{ groupId, topics }] }
        const whole = await connection.request(OffsetFetch, version, { ...asked, requireStable: true })
        const of = version < 8 ? whole : whole.groups[0]
        const partition = of?.topics[0]?.partitions[0]
        return { errorCode: of?.errorCode || (partition?.errorCode ?? 0), offset: partition?.committedOffset ?? -1 }
      },
      'group',
    )
    if (answer.errorCode !== 0) return undefined
    checker.transactions.offsetFetched(name, key, { offset: answer.offset, before })
    return Math.max(answer.offset, 0)
  }

  async #read(offset: number): Promise<{ readonly next: number; readonly records: readonly ReadRecord[] } | undefined> {
    const { name, source } = this.#options
    const places = [{ partition: source, offset }]
    const asked = { reader: name, version: 13, isolation: 'read_committed', maxWaitMs: 100, places, seen: new Map() } as const
    const answer = await this.#asked(
      'Fetch',
      async (connection) => {
        const [read] = await fetchIsolated(this.#parts, connection, asked)
        return { errorCode: 0, read }
      },
      'reads',
    )
    return answer.read
  }

  /** In the older protocol a producer adds partitions and groups before it sends anything to them. */
  async #add({ producerId, producerEpoch }: CopierEpoch, batches: readonly BatchToSend[]): Promise<void> {
    const { topic } = this.#parts
    const { transactionVersion, transactionalId, groupId } = this.#options
    if (transactionVersion === 2) return
    const partitions = [...new Set(batches.map(({ partition }) => partition))]
    await this.#asked('AddPartitionsToTxn', async (connection) => {
      const { resultsByTopicV3AndBelow: results } = await connection.request(AddPartitionsToTxn, this.#versions.add, {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: topic.name, partitions }],
      })
      const codes = results.flatMap(({ resultsByPartition }) => resultsByPartition.map((one) => one.partitionErrorCode))
      return { errorCode: codes.find((code) => code !== 0) ?? 0 }
    })
    await this.#asked('AddOffsetsToTxn', (connection) =>
      connection.request(AddOffsetsToTxn, this.#versions.add, { transactionalId, producerId, producerEpoch, groupId }),
    )
  }

  async #produce({ producerId, producerEpoch }: CopierEpoch, { partition, values }: BatchToSend): Promise<void> {
    const { topic, checker, time, trace } = this.#parts
    const { name, transactionalId } = this.#options
    const baseSequence = this.#sequences.get(partition) ?? 0
    const records = encodeBatch(values, {
      timestampMs: time.wallMs,
      producer: { id: producerId, epoch: producerEpoch, baseSequence },
      transactional: true,
    })
    const { baseOffset } = await this.#asked(
      'Produce',
      async (connection) => {
        const { responses } = await connection.request(Produce, this.#versions.produce, {
          transactionalId,
          acks: -1,
          timeoutMs: 30_000,
          topicData: [{ name: topic.name, topicId: topic.topicId, partitionData: [{ index: partition, records }] }],
        })
        return responses[0]?.partitionResponses[0] ?? { errorCode: -1, baseOffset: -1 }
      },
      `partition ${partition}`,
    )
    this.#sequences.set(partition, baseSequence + values.length)
    trace.write(name, `${values.join()} in ${partition}: offset ${baseOffset}`)
    checker.acked(values, topic.topicId, partition, baseOffset)
  }

  async #commitOffset({ producerId, producerEpoch }: CopierEpoch, offset: number): Promise<void> {
    const { topic } = this.#parts
    const { transactionalId, groupId, source } = this.#options
    const partitions = [{ partitionIndex: source, committedOffset: offset, committedMetadata: null }]
    await this.#asked(
      'TxnOffsetCommit',
      async (connection) => {
        const { topics } = await connection.request(TxnOffsetCommit, this.#versions.offsets, {
          transactionalId,
          groupId,
          producerId,
          producerEpoch,
          memberId: '',
          topics: [{ name: topic.name, partitions }],
        })
        return { errorCode: topics[0]?.partitions[0]?.errorCode ?? -1 }
      },
      'group',
    )
  }

  async #end(identity: CopierEpoch, copying: Copying, outcome: 'commit' | 'abort'): Promise<void> {
    const { checker, trace, chance } = this.#parts
    const { transactionalId, name, transactionVersion } = this.#options
    copying.asksCommit = outcome === 'commit'
    const body = { transactionalId, ...identity, committed: outcome === 'commit' }
    const answer = await this.#asked('EndTxn', async (connection) => {
      const first = connection.request(EndTxn, this.#versions.end, body)
      if (!chance.happens(0.1)) return await first
      // A repeated request gets the same answer.
      const [one, other] = await Promise.all([first, connection.request(EndTxn, this.#versions.end, body)])
      return one.errorCode === 0 ? other : one
    })
    trace.write(name, `${copying.name} of ${transactionalId}: ${outcome}`)
    checker.transactions.acknowledged(copying, outcome)
    if (transactionVersion === 1) return
    this.#former = { identity }
    this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    this.#sequences.clear()
    this.#avoided.clear()
  }

  /** A request of this transaction that arrives when it may be over: it never becomes part of the next one. */
  async #sendLate({ producerId, producerEpoch }: CopierEpoch, values: readonly string[], partition: number): Promise<void> {
    const { topic, time, trace } = this.#parts
    const { name, transactionalId } = this.#options
    const baseSequence = this.#sequences.get(partition) ?? 0
    const producer = { id: producerId, epoch: producerEpoch, baseSequence }
    const records = encodeBatch(values, { timestampMs: time.wallMs, producer, transactional: true })
    // The answer does not count: until it has another epoch, the producer sends nothing else to this partition.
    this.#avoided.add(partition)
    const late = new Reconnecting(this.#parts, `${name}-late`)
    const connection = await late.open(() => this.#over)
    trace.write(name, `sends ${values.join()} to ${partition}, and does not wait`)
    connection
      ?.request(Produce, this.#versions.produce, {
        transactionalId,
        acks: -1,
        timeoutMs: 30_000,
        topicData: [{ name: topic.name, topicId: topic.topicId, partitionData: [{ index: partition, records }] }],
      })
      .catch(lostOnly)
      .finally(() => late.close())
  }

  /** The EndTxn of the transaction before, once more: KIP-890 keeps it away from this one. */
  async #endAgain(): Promise<void> {
    const { chance, trace } = this.#parts
    const { transactionalId, name } = this.#options
    if (this.#former === undefined) return
    const { identity } = this.#former
    const connection = await this.#linkFor('coordinator').open(() => this.#over)
    trace.write(name, `sends an EndTxn in epoch ${identity.producerEpoch} again`)
    await connection?.request(EndTxn, 5, { transactionalId, ...identity, committed: chance.happens(0.5) }).catch(lostOnly)
  }

  /** Until there is a definite answer. Throws TransactionFailed if the transaction cannot go on. */
  async #asked<Answer extends { readonly errorCode: number }>(
    what: string,
    request: (connection: ClientConnection) => Promise<Answer>,
    to: 'coordinator' | 'group' | 'reads' | `partition ${number}` = 'coordinator',
  ): Promise<Answer> {
    const { checker, time, chance } = this.#parts
    const link = this.#linkFor(to)
    for (;;) {
      const connection = await link.open(() => this.#over)
      if (connection === undefined) throw new TransactionFailed(`is over before the answer to ${what}`)
      let error = 'no answer'
      try {
        const answer = await request(connection)
        error = errorName(answer.errorCode) ?? String(answer.errorCode)
        if (error === 'NONE') return answer
      } catch (thrown) {
        if (!(thrown instanceof ConnectionLost)) throw thrown
      }
      if (this.#over) throw new TransactionFailed(`is over before the answer to ${what}`)
      if (error !== 'no answer' && !retriedErrors.has(error)) {
        const { producerId = -1, producerEpoch = -1 } = this.#identity ?? {}
        if (!fencedErrors.has(error) || checker.transactions.epochOf(producerId) === producerEpoch)
          checker.violate('no defect', `${this.#options.name} received ${error} for ${what} in epoch ${producerEpoch} of ${producerId}`)
        throw new TransactionFailed(`${what}: ${error}`)
      }
      if (error === 'NOT_COORDINATOR' || error === 'NOT_LEADER_OR_FOLLOWER') link.tryAnother()
      await time.sleep(retryBackoffMs * chance.between([0.8, 1.2]))
    }
  }
}

interface BatchToSend {
  readonly partition: number
  readonly values: readonly string[]
}
