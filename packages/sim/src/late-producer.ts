// A transactional producer of the older protocol, one of whose requests is delayed over the end of its transaction: it has no part in the next one, which has the same epoch.
import { partitionKey } from '@local-kafka-service/agent/simulation'
import { AddPartitionsToTxn, EndTxn, errorName, InitProducerId, Produce, type RequestInputOf } from '@local-kafka-service/protocol'
import type { ClientConnection } from './client.ts'
import { type ClientParts, Reconnecting } from './cluster-client.ts'
import { lostOnly } from './producer.ts'
import { encodeBatch, type Value, valueOf } from './records.ts'
import type { Copying } from './transaction-checker.ts'

/** What delays the request in the agent. */
export interface RequestHold {
  /** The next request is delayed. */
  begin(): void
  /** Settles when the delayed request has been decided. */
  over(): Promise<void>
}

export interface LateRequest {
  readonly api: 'Produce' | 'EndTxn'
  readonly hold: RequestHold
  /** Whether its connection is closed while it is delayed, as that of a request that timed out. */
  readonly closes: boolean
}

export interface LateProducerOptions {
  readonly name: string
  readonly partition: number
}

/** Longer than a request needs from the client to its handler. */
const arrivalMs = 100

export class LateProducer {
  readonly #parts: ClientParts
  readonly #options: LateProducerOptions
  readonly #link: Reconnecting
  #identity = { producerId: -1, producerEpoch: -1 }
  #sequence = 0
  #number = 0
  #transactions = 0
  /** How many transactions it has committed. */
  #committed = 0

  constructor(parts: ClientParts, options: LateProducerOptions) {
    this.#parts = parts
    this.#options = options
    this.#link = new Reconnecting(parts, options.name)
  }

  /** A transaction with a late request, and the next one. The world must be without faults. */
  async run({ api, hold, closes }: LateRequest): Promise<void> {
    await this.#begin()
    const first = this.#copying(api === 'Produce' ? 2 : 1)
    await this.#add()
    await this.#produce(first.values.slice(0, 1))
    hold.begin()
    // Its own connection: the answers of this one are not in its way.
    const late = new Reconnecting(this.#parts, `${this.#options.name}-late`)
    const connection = await this.#opened(late)
    if (api === 'Produce') connection.request(Produce, 9, this.#batchOf(first.values.slice(1))).catch(lostOnly)
    else {
      first.asksCommit = true
      connection.request(EndTxn, 3, this.#ending('commit')).catch(lostOnly)
    }
    await this.#parts.time.sleep(arrivalMs)
    if (closes) {
      late.close()
      await this.#parts.time.sleep(arrivalMs)
    }
    await this.#end(first, api === 'Produce' ? 'abort' : 'commit')
    const next = this.#copying(1)
    await this.#add()
    // A batch waits for the late one: commits are in order.
    if (api === 'EndTxn') await this.#produce(next.values)
    await hold.over()
    if (api === 'Produce') await this.#produce(next.values)
    await this.#end(next, 'commit')
    late.close()
  }

  close(): void {
    this.#link.close()
  }

  async #begin(): Promise<void> {
    const transactionalId = this.#options.name
    const { producerId, producerEpoch } = await this.#asked('InitProducerId', (connection) =>
      connection.request(InitProducerId, 1, { transactionalId, transactionTimeoutMs: 60_000 }),
    )
    this.#identity = { producerId, producerEpoch }
    this.#sequence = 0
  }

  /** It copies nothing: its source is of its own. */
  #copying(valueCount: number): Copying {
    const { checker, topic } = this.#parts
    const { name, partition } = this.#options
    const values = Array.from({ length: valueCount }, () => valueOf(name, (this.#number += 1)))
    const copying: Copying = {
      name: `${name}/${(this.#transactions += 1)}`,
      transactionalId: name,
      source: `nothing, to ${partitionKey(topic.topicId, partition)}`,
      from: this.#committed,
      until: this.#committed + 1,
      values,
      asksCommit: false,
      outcome: 'open',
    }
    checker.transactions.begins(copying)
    return copying
  }

  async #add(): Promise<void> {
    const { producerId, producerEpoch } = this.#identity
    const { name, partition } = this.#options
    await this.#asked('AddPartitionsToTxn', async (connection) => {
      const { resultsByTopicV3AndBelow: results } = await connection.request(AddPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: name,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: this.#parts.topic.name, partitions: [partition] }],
      })
      return { errorCode: results[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1 }
    })
  }

  async #produce(values: readonly Value[]): Promise<void> {
    const { topic, checker } = this.#parts
    const { partition } = this.#options
    const { baseOffset } = await this.#asked('Produce', async (connection) => {
      const { responses } = await connection.request(Produce, 9, this.#batchOf(values))
      return responses[0]?.partitionResponses[0] ?? { errorCode: -1, baseOffset: -1 }
    })
    this.#sequence += values.length
    checker.acked(values, topic.topicId, partition, baseOffset)
  }

  /** Does not move the sequence: a late batch has the one of the next batch, as if it had been sent again. */
  #batchOf(values: readonly Value[]): RequestInputOf<typeof Produce> {
    const { topic, time } = this.#parts
    const { name, partition } = this.#options
    const { producerId: id, producerEpoch: epoch } = this.#identity
    const producer = { id, epoch, baseSequence: this.#sequence }
    const records = encodeBatch(values, { timestampMs: time.wallMs, producer, transactional: true })
    const topicData = [{ name: topic.name, topicId: topic.topicId, partitionData: [{ index: partition, records }] }]
    return { transactionalId: name, acks: -1, timeoutMs: 30_000, topicData }
  }

  async #end(copying: Copying, outcome: 'commit' | 'abort'): Promise<void> {
    copying.asksCommit = outcome === 'commit'
    await this.#asked('EndTxn', (connection) => connection.request(EndTxn, 3, this.#ending(outcome)))
    this.#parts.checker.transactions.acknowledged(copying, outcome)
    if (outcome === 'commit') this.#committed += 1
  }

  #ending(outcome: 'commit' | 'abort'): RequestInputOf<typeof EndTxn> {
    return { transactionalId: this.#options.name, ...this.#identity, committed: outcome === 'commit' }
  }

  async #asked<Answer extends { readonly errorCode: number }>(
    what: string,
    request: (connection: ClientConnection) => Promise<Answer>,
  ): Promise<Answer> {
    const answer = await request(await this.#opened(this.#link))
    const error = errorName(answer.errorCode) ?? String(answer.errorCode)
    if (error !== 'NONE') this.#parts.checker.violate('no defect', `${this.#options.name} received ${error} for ${what}`)
    return answer
  }

  async #opened(link: Reconnecting): Promise<ClientConnection> {
    const connection = await link.open(() => false)
    if (connection === undefined) throw new Error('a link without an end has a connection')
    return connection
  }
}
