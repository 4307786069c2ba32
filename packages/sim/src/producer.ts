// A producer that never retries: it pipelines and sends every record once, so that a wrong order or a repetition by the server shows.
import { errorName, Fetch, Produce } from '@local-kafka-service/protocol'
import type { Chance, Range } from './chance.ts'
import type { ClientConnection } from './client.ts'
import { ConnectionLost } from './client.ts'
import { type ClientParts, Reconnecting } from './cluster-client.ts'
import { encodeBatch, type Value, valueOf } from './records.ts'

export interface ProducerLoad {
  /** The total number of requests. */
  readonly requests: number
  /** The time between two requests. */
  readonly paceMs: Range
  /** Records in one batch. */
  readonly records: Range
  /** Partitions in one request. */
  readonly spread: Range
}

export interface PlainProducerOptions extends ProducerLoad {
  readonly name: string
  readonly acks: -1 | 0 | 1
  readonly inFlight: number
  /** The probability that a fetch follows a produce on the same connection: responses keep the order of the requests. */
  readonly alsoFetches: number
  /** The difference of its timestamps from the time. */
  readonly skewMs?: Range
  /** Produce 13 and Fetch 13 name a topic by its id, even if its name belongs to another topic by now. */
  readonly byTopicId?: true
}

interface SentBatch {
  readonly partition: number
  readonly values: readonly Value[]
}

export class PlainProducer {
  readonly #parts: ClientParts
  readonly #options: PlainProducerOptions
  readonly #link: Reconnecting
  readonly #version: number
  #number = 0
  #inFlight = 0
  #topicGone = false
  #answered: (() => void) | undefined

  constructor(parts: ClientParts, options: PlainProducerOptions) {
    this.#parts = parts
    this.#options = options
    this.#link = new Reconnecting(parts, options.name)
    this.#version = options.byTopicId === true ? 13 : parts.chance.whole([3, 13])
  }

  /** Resolves when every request is sent, and is answered or lost. */
  async run(): Promise<void> {
    const { time, chance } = this.#parts
    const { requests, paceMs, inFlight } = this.#options
    for (let request = 0; request < requests && !this.#topicGone; request += 1) {
      await time.sleep(chance.between(paceMs))
      while (this.#inFlight >= inFlight) await this.#nextAnswer()
      const connection = await this.#link.open(() => false)
      if (connection === undefined) continue
      this.#send(connection, request)
      if (chance.happens(this.#options.alsoFetches)) this.#fetch(connection)
    }
    while (this.#inFlight > 0) await this.#nextAnswer()
    this.#link.close()
  }

  #fetch(connection: ClientConnection): void {
    const { chance, checker, topic } = this.#parts
    const partition = chance.whole([0, topic.partitions - 1])
    const offset = chance.whole([0, checker.nextOffset(topic.topicId, partition)])
    const body = {
      maxWaitMs: chance.whole([0, 50]),
      minBytes: 1,
      topics: [
        {
          topic: topic.name,
          topicId: topic.topicId,
          partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: chance.whole([1, 2_000]) }],
        },
      ],
      forgottenTopicsData: [],
    }
    connection
      .request(Fetch, this.#options.byTopicId === true ? 13 : 12, body)
      .then(({ responses }) => {
        const answer = responses[0]?.partitions[0]
        const error = errorName(answer?.errorCode ?? 0) ?? String(answer?.errorCode)
        // The offset was committed, or next, when it was asked for.
        const gone =
          (absent.has(error) && checker.isDeleted(topic.topicId)) ||
          (error === 'OFFSET_OUT_OF_RANGE' && offset < checker.startOffset(topic.topicId, partition))
        if (error !== 'NONE' && !temporary.has(error) && !gone)
          checker.violate(
            'I15 only absent things are reported as absent',
            `${this.#options.name} received ${error} for ${offset} of ${partition}`,
          )
        if (answer === undefined || error !== 'NONE') return
        const { highWatermark, records } = answer
        checker.fetched(
          this.#options.name,
          { topicId: topic.topicId, partition, offset },
          { highWatermark, formerHighWatermark: -1, records },
        )
      }, lostOnly)
      .catch((error: unknown) => checker.violate('no defect', `${this.#options.name}: ${String(error)}`))
  }

  #skewMs(chance: Chance): number {
    const { skewMs } = this.#options
    return skewMs === undefined ? 0 : chance.whole(skewMs)
  }

  #send(connection: ClientConnection, request: number): void {
    const { chance, checker, topic, time } = this.#parts
    const { name, acks, spread, records } = this.#options
    // The order is guaranteed per connection: records of an earlier connection may still arrive later.
    const line = `${name}.${this.#link.opened}`
    const partitions = someOf(topic.partitions, Math.min(topic.partitions, chance.whole(spread)), (of) => chance.pick(of))
    const batches = partitions.map((partition): SentBatch => {
      const values = Array.from({ length: chance.whole(records) }, () => valueOf(line, (this.#number += 1)))
      checker.sent(values, { connection: line, request })
      return { partition, values }
    })
    const body = {
      acks,
      timeoutMs: 30_000,
      topicData: [
        {
          name: topic.name,
          topicId: topic.topicId,
          partitionData: batches.map(({ partition, values }) => ({
            index: partition,
            records: encodeBatch(values, { timestampMs: time.wallMs + this.#skewMs(chance) }),
          })),
        },
      ],
    }
    if (acks === 0) {
      connection.send(Produce, this.#version, body)
      return
    }
    this.#inFlight += 1
    connection
      .request(Produce, this.#version, body)
      .then(({ responses }) => this.#onAnswer(line, batches, responses[0]?.partitionResponses ?? []), lostOnly)
      .finally(() => {
        this.#inFlight -= 1
        this.#answered?.()
      })
      .catch((error: unknown) => checker.violate('no defect', `${line}: ${String(error)}`))
  }

  #onAnswer(
    line: string,
    batches: readonly SentBatch[],
    answers: readonly { readonly index: number; readonly errorCode: number; readonly baseOffset: number }[],
  ): void {
    const { checker, topic, trace } = this.#parts
    for (const { partition, values } of batches) {
      const answer = answers.find(({ index }) => index === partition)
      if (answer === undefined) {
        checker.violate('no defect', `${line} got no response for partition ${partition}`)
        continue
      }
      const error = errorName(answer.errorCode) ?? String(answer.errorCode)
      trace.write(line, `${values.join()} in ${partition}: ${error === 'NONE' ? `offset ${answer.baseOffset}` : error}`)
      if (error === 'NONE') checker.acked(values, topic.topicId, partition, answer.baseOffset)
      else if (absent.has(error) && checker.isDeleted(topic.topicId)) {
        this.#topicGone = true
        checker.rejected(values, error)
      } else if (!temporary.has(error)) checker.violate('no defect', `${line} received ${error} for ${values.join()}`)
      else if (error === 'NOT_LEADER_OR_FOLLOWER') {
        checker.rejected(values, error)
        this.#link.tryAnother()
      }
      // The only error that does not say whether the record was stored.
      else if (error !== 'REQUEST_TIMED_OUT') checker.rejected(values, error)
    }
  }

  #nextAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve
    })
  }
}

/** The errors that a server under faults may return for a produce; each is retriable for Kafka's clients. */
export const temporary: ReadonlySet<string> = new Set([
  'NOT_ENOUGH_REPLICAS',
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'KAFKA_STORAGE_ERROR',
  'CORRUPT_MESSAGE', // bytes that were corrupted in transit: another read may return them intact
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
])

/** The errors for a topic that was deleted. */
export const absent: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION'])

export function someOf(count: number, wanted: number, pick: (of: readonly number[]) => number): readonly number[] {
  const left = Array.from({ length: count }, (_, index) => index)
  const taken: number[] = []
  while (taken.length < wanted) {
    const one = pick(left)
    taken.push(one)
    left.splice(left.indexOf(one), 1)
  }
  return taken
}

/** The outcome of requests on a lost connection is unknown, and they are not sent again. */
export function lostOnly(error: unknown): void {
  if (!(error instanceof ConnectionLost)) throw error
}
