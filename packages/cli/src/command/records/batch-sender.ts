// Sends one batch per partition to its leader, and retries until each is acknowledged, rejected or abandoned. With acks=all each record is written
// once: a batch that is sent again has the same producer id and sequence.
import { nativeCrc32c, nodeCodecs } from '@local-kafka-service/agent/codecs'
import { buildBatch, type CodecName, type DecodedResponseOf, InitProducerId, Produce, ProtocolError } from '@local-kafka-service/protocol'
import { ProtocolError as ApiError, type Base, type Connection, NetworkError, protocolErrorsCodesById } from '@platformatic/kafka'
import { asServer } from '../../cluster/server-address.ts'
import { isConnectFailure } from './connect-failure.ts'
import { ask, BrokerExchange, tellOnly } from './exchange.ts'
import { innermostMessage } from './innermost-message.ts'
import { type PartitionAnswer, ProduceOutcome } from './produce-outcome.ts'
import type { PlacedRecord } from './record-chunk.ts'
import { isRetriable, pauseUnlessClosed } from './retriable.ts'

/** Part of the client library: it finds the leaders and holds the connections. */
export type SenderClient = Pick<Base, 'listApis' | 'connections' | 'metadata' | 'clearMetadata' | 'currentMetadata' | 'close' | 'closed'>

export interface SenderOptions {
  /** Configured without retries. */
  readonly client: SenderClient
  readonly topic: string
  /** all: idempotent, so a retry does not write a batch twice. */
  readonly acks: 'all' | '1' | '0'
  readonly compression: CodecName
  /** Prints a line for people (without line feed) while a lost cluster is awaited. */
  readonly report: (line: string) => void
}

export class BatchSender {
  readonly #options: SenderOptions
  readonly #exchange: BrokerExchange
  #producer: { readonly id: number; readonly epoch: number } | undefined
  /** The next sequence of each partition. */
  readonly #sequences = new Map<number, number>()
  /** Ids of the brokers that took a connection. */
  readonly #reached = new Set<number>()
  /** The address of a broker that has never accepted a connection, from the last attempt. */
  #unreached: string | undefined

  constructor(options: SenderOptions) {
    this.#options = options
    this.#exchange = new BrokerExchange(options.client)
  }

  /** Calls must not overlap. The records of a partition are one batch. Batches left in the outcome could not be sent, or their fate is unknown. */
  async send(records: readonly PlacedRecord[]): Promise<ProduceOutcome> {
    const outcome = new ProduceOutcome([...Map.groupBy(records, ({ partition }) => partition)])
    let failingSinceMs: number | undefined
    let reported = false
    while (!outcome.isSettled) {
      const failure = await this.#attempt(outcome)
      if (failure === undefined) continue
      outcome.failed(failure)
      const now = performance.now()
      failingSinceMs ??= now
      const failingMs = now - failingSinceMs
      if (this.#unreached !== undefined && failingMs >= unreachedMs) {
        outcome.unreached = this.#unreached
        break
      }
      if (this.#options.client.closed || !isRetriable(failure) || failingMs >= deliveryMs) break
      if (!reported && failingMs >= worthALineMs) {
        reported = true
        this.#options.report(`${innermostMessage(failure)}; trying again`)
      }
      this.#options.client.clearMetadata()
      await pauseUnlessClosed(retryMs, this.#options.client)
    }
    return outcome
  }

  /** The known number of partitions of the topic, which may grow. */
  get partitionCount(): number | undefined {
    return this.#options.client.currentMetadata?.topics.get(this.#options.topic)?.partitionsCount
  }

  /** Also ends a request that is in progress or being retried, which then fails. */
  async close(): Promise<void> {
    await this.#options.client.close()
  }

  /** Sends to each leader once. Returns the last failure that leaves a batch to retry, or undefined. */
  async #attempt(outcome: ProduceOutcome): Promise<Error | undefined> {
    let leaders: ReadonlyMap<Connection, readonly number[]>
    try {
      leaders = await this.#leadersOf(outcome.left)
      const [first] = leaders.keys()
      if (this.#options.acks === 'all' && first !== undefined) await this.#renewProducer(first)
    } catch (error) {
      // No batch has been sent yet.
      if (!(error instanceof Error)) throw error
      return error
    }
    const failures = await Promise.all(
      [...leaders].map(async ([connection, partitions]) => await this.#produce(connection, partitions, outcome)),
    )
    return failures.findLast((failure) => failure !== undefined)
  }

  async #leadersOf(partitions: readonly number[]): Promise<ReadonlyMap<Connection, readonly number[]>> {
    const { client, topic } = this.#options
    const metadata = await client.metadata({ topics: [topic], autocreateTopics: true, retries: 0 })
    const byBroker = Map.groupBy(partitions, (partition) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1)
    const connected = await Promise.all(
      [...byBroker].map(async ([id, of]): Promise<readonly [Connection, readonly number[]]> => {
        const broker = metadata.brokers.get(id)
        if (broker === undefined) throw new NetworkError(`${topic}[${of.join(',')}] has no leader.`)
        return [await this.#connectionTo(broker, id), of]
      }),
    )
    return new Map(connected)
  }

  async #connectionTo(broker: { readonly host: string; readonly port: number }, id: number): Promise<Connection> {
    this.#unreached = undefined
    try {
      const connection = await this.#exchange.connectionTo(broker)
      this.#reached.add(id)
      return connection
    } catch (error) {
      if (!this.#reached.has(id) && isConnectFailure(error)) this.#unreached = asServer(broker)
      throw error
    }
  }

  /** The sequences of a producer have 31 bits. Between two sends no batch is in doubt, so another producer can begin at 0. */
  async #renewProducer(connection: Connection): Promise<void> {
    const isUsedUp = [...this.#sequences.values()].some((sequence) => sequence > mostSequence)
    if (this.#producer !== undefined && !isUsedUp) return
    const version = await this.#exchange.versionOf(InitProducerId, newestInitProducerId)
    const answer = await ask(connection, InitProducerId, version, { transactionalId: null, transactionTimeoutMs: 60_000 })
    if (answer.errorCode !== 0) throw apiError(answer.errorCode)
    this.#producer = { id: answer.producerId, epoch: answer.producerEpoch }
    this.#sequences.clear()
  }

  /** Records the leader's answer in the outcome. */
  async #produce(connection: Connection, partitions: readonly number[], outcome: ProduceOutcome): Promise<Error | undefined> {
    const { topic, acks } = this.#options
    let failure: Error | undefined
    try {
      const version = await this.#exchange.versionOf(Produce, newestProduce)
      const request = {
        transactionalId: null,
        acks: acksOf[acks],
        timeoutMs: leaderTimeoutMs,
        topicData: [{ name: topic, partitionData: partitions.map((index) => ({ index, records: this.#batchOf(index, outcome) })) }],
      }
      if (acks === '0') {
        await tellOnly(connection, Produce, version, request)
        for (const partition of partitions) this.#acknowledged(partition, undefined, outcome)
        return undefined
      }
      const answer = await ask(connection, Produce, version, request)
      for (const answered of answersOf(answer)) failure = this.#answered(answered, outcome) ?? failure
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // The request may have arrived.
      for (const partition of partitions) outcome.doubt(partition)
      if (error instanceof ProtocolError) for (const partition of partitions) outcome.giveUp(partition)
      return error
    }
    return failure
  }

  #batchOf(partition: number, outcome: ProduceOutcome): Uint8Array {
    const records = outcome.recordsOf(partition)
    const { compression, acks } = this.#options
    const baseTimestamp = records[0]?.timestampMs ?? -1
    return buildBatch(
      {
        baseTimestamp,
        records: records.map(({ timestampMs, key, value, headers }, offsetDelta) => ({
          offsetDelta,
          timestamp: timestampMs,
          key,
          value,
          headers,
        })),
        ...(acks === 'all' &&
          this.#producer !== undefined && { producer: { ...this.#producer, baseSequence: this.#sequences.get(partition) ?? 0 } }),
        ...(compression !== 'none' && { compression: { codec: compression, codecs: nodeCodecs } }),
      },
      nativeCrc32c,
    )
  }

  /** The failure if the batch is to be sent again, otherwise undefined. */
  #answered(answered: PartitionAnswer, outcome: ProduceOutcome): Error | undefined {
    const { index, errorCode, baseOffset } = answered
    if (errorCode === 0 || errorCode === duplicateSequence) {
      this.#acknowledged(index, baseOffset < 0 ? undefined : BigInt(baseOffset), outcome)
      return undefined
    }
    if (doubtfulCodes.has(errorCode)) outcome.doubt(index)
    const error = apiError(errorCode)
    if (isRetriable(error)) return error
    // A log without this producer's state, as after a reset: a new producer id begins at 0. Not with a batch in doubt, which could be written twice.
    if (stateLostCodes.has(errorCode) && !outcome.hasDoubts && !outcome.wasRenewed && this.#options.acks === 'all') {
      outcome.wasRenewed = true
      this.#producer = undefined
      return new NetworkError(error.message)
    }
    outcome.reject(answered)
    return undefined
  }

  #acknowledged(partition: number, offset: bigint | undefined, outcome: ProduceOutcome): void {
    outcome.acknowledge(partition, offset)
    this.#sequences.set(partition, (this.#sequences.get(partition) ?? 0) + outcome.recordsOf(partition).length)
  }
}

function answersOf({ responses }: DecodedResponseOf<typeof Produce>): readonly PartitionAnswer[] {
  return responses.flatMap(({ partitionResponses }) => partitionResponses)
}

function apiError(code: number): Error {
  const id = (protocolErrorsCodesById as Readonly<Record<number, string | undefined>>)[code]
  return new ApiError(id ?? 'UNKNOWN_SERVER_ERROR')
}

const retryMs = 250
/** Kafka's default of delivery.timeout.ms. */
const deliveryMs = 120_000
/** Long enough for a broker to start. */
const unreachedMs = 10_000
const worthALineMs = 1_000
/** The time for replicas to answer the leader. */
const leaderTimeoutMs = 30_000
const mostSequence = 2 ** 30
/** Version 13 uses topic ids instead of names. */
const newestProduce = 12
const newestInitProducerId = 5
const acksOf = { all: -1, '1': 1, '0': 0 } as const
const duplicateSequence = 46
/** OUT_OF_ORDER_SEQUENCE_NUMBER and UNKNOWN_PRODUCER_ID. */
const stateLostCodes: ReadonlySet<number> = new Set([45, 59])
/** Errors after which the batch may have been written: it was written and a later step failed, or the wait for it timed out. */
const doubtfulCodes: ReadonlySet<number> = new Set([7, 13, 20])
