// The operations on records that HTTP routes and commands share: produce one, append, read a partition, query a topic, follow its end.
import { errors } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId, TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import type { LogIndex, Topic, Watermarks } from '../metadata/metadata-store.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import { type AnswerClaim, NoAnswerMemory } from '../read/answer-memory.ts'
import { type CommittedParts, fetchCommitted } from '../read/committed-records.ts'
import type { Offsets } from '../read/offsets.ts'
import type { Clock } from '../time/clock.ts'
import type { Owners } from '../view/owners.ts'
import type { AppendParts } from '../write/append.ts'
import type { LogRecord } from './log-record.ts'
import { type NewestAnswer, type NewestRecords, newestRecords } from './newest-records.ts'
import { type Appended, type AppendRecords, appendRecords } from './record-append.ts'
import { decodePage, type Unreadable } from './record-pages.ts'
import { type From, RecordPlaces, type RecordRejection } from './record-places.ts'
import { type QueryAnswer, type QueryRecords, queryRecords } from './record-query.ts'
import { type RecordTail, type TailRecords, tailRecords } from './record-tail.ts'
import { type PartitionCounts, type PartitionPage, partitionCounts, type TopicCounts, topicCounts } from './topic-counts.ts'
import type { TopicOperations } from './topics.ts'

export interface RecordOperationsParts extends AppendParts, Omit<CommittedParts, 'tails'> {
  readonly topics: Pick<TopicOperations, 'find' | 'findById'>
  readonly log: Pick<LogIndex, 'partitions' | 'sizes'>
  readonly stores: Pick<StoreWatch, 'failure' | 'onFailure'>
  readonly offsets: Pick<Offsets, 'list'>
  readonly ioClock: Clock
  readonly owners: Pick<Owners, 'ofPartition' | 'slotOf' | 'moving'>
}

export interface ProduceOne {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array
  /** Unique in the cluster: a record is stored only once under its key, whichever agent receives it. */
  readonly idempotencyKey?: string
  readonly signal: AbortSignal
  /** See AppendRecords. */
  readonly producer?: object
}

export type Produced = Appended

export interface ReadRecords {
  readonly topic: string
  readonly partition: number
  readonly from: From
  readonly limit: number
  /** The limit for keys, values and headers. The answer has at least one record, however large it is. */
  readonly maxBytes: number
  /** For an answer in JSON: the answer is measured as JSON, and holds that much of this memory until it is sent. The read rejects with NoAnswerMemory when there is none left. */
  readonly memory?: AnswerClaim
  /** The longest wait for the first record. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

export type ReadAnswer =
  | {
      readonly kind: 'records'
      readonly records: readonly LogRecord[]
      readonly unreadable: readonly Unreadable[] /** The offset of the next read. */
      readonly next: number
      readonly watermarks: Watermarks
    }
  | RecordRejection

/** Every operation may also reject with a MetadataError. */
export class RecordOperations {
  readonly #parts: RecordOperationsParts
  readonly #places: RecordPlaces

  constructor(parts: RecordOperationsParts) {
    this.#parts = parts
    this.#places = new RecordPlaces(parts)
  }

  /** Stores one record, uncompressed, with the time of this agent's clock. Answers after the commit; never creates a topic. */
  async produceOne(asked: ProduceOne): Promise<Produced> {
    const { topic, partition, key, value, idempotencyKey, signal, producer } = asked
    const [first] = await this.append({
      topic,
      records: [{ partition, key, value, headers: [] }],
      ...(idempotencyKey !== undefined && { idempotency: { key: idempotencyKey, hashOf: (topicId) => hashOf(topicId, asked) } }),
      signal,
      ...(producer !== undefined && { producer }),
    })
    const answer = must(first, 'the answer of the one record')
    if (answer.kind === 'error' && answer.code === errors.REQUEST_TIMED_OUT.code && idempotencyKey !== undefined)
      return { ...answer, message: `${answer.message} A retry with the same Idempotency-Key stores it only once.` }
    return answer
  }

  /** Stores records of one topic, in one flush. */
  append(asked: AppendRecords): Promise<readonly Appended[]> {
    return appendRecords(asked, { ...this.#parts, places: this.#places })
  }

  /** Reads records of one partition from an offset on. */
  async read(asked: ReadRecords): Promise<ReadAnswer> {
    const { clock, unpacker, turns } = this.#parts
    const { partition, signal, memory } = asked
    const found = await this.#places.find(asked.topic, partition)
    if (found.kind !== 'found') return found
    const { topic } = found
    const starts = await this.#places.starts(topic, [partition], asked.from, signal)
    if (starts.kind !== 'offsets') return starts
    const maxBytes = Math.min(asked.maxBytes, fixedLimits.recordBytesPerAnswer)
    const bounds = { maxRecords: Math.min(asked.limit, fixedLimits.recordsPerAnswer), maxBytes }
    // Bytes of the log: batches have headers, so a small answer needs some more.
    const fetchBytes = Math.max(maxBytes, fixedLimits.readAheadBytes)
    const deadline = clock.monotonic() + asked.waitMs
    for (let next = must(starts.offsets[0], 'the start of the partition'); ; ) {
      const maxWaitMs = Math.max(0, deadline - clock.monotonic())
      const [fetched] = await fetchCommitted(
        [{ topicId: topic.topicId, partition, offset: next, maxBytes: fetchBytes }],
        { maxWaitMs, minBytes: 1, maxBytes: fetchBytes, signal, ...(memory && { claim: memory }) },
        this.#parts,
      )
      const answer = must(fetched, 'the one partition that was fetched')
      if (answer.kind === 'error') return this.#places.rejection(topic, partition, answer)
      // Each of several concurrent reads takes its own turn of the event loop.
      if (answer.chunks.length > 0) await turns.next()
      const page = await decodePage(
        answer.chunks,
        {
          partition,
          from: next,
          until: Number.POSITIVE_INFINITY,
          ...bounds,
          ...(memory && { measure: 'json', maxBytes: Math.min(maxBytes, memory.grow(maxBytes)) }),
          matches: () => true,
          aborted: answer.aborted,
        },
        { unpacker, turns, signal },
      )
      const starved = page.records.length === 0 && memory?.rejected === true
      if (starved || memory?.settle(page.bytes) === false) throw new NoAnswerMemory()
      next = page.next
      const found = page.records.length > 0 || page.unreadable.length > 0
      // A page of control batches and aborted ones only has no records: the read goes on after them.
      const exhausted = answer.chunks.length === 0 && clock.monotonic() >= deadline
      if (found || exhausted || signal.aborted) {
        const { logStartOffset, highWatermark, lastStableOffset } = answer
        return {
          kind: 'records',
          records: page.records,
          unreadable: page.unreadable,
          next,
          watermarks: { logStartOffset, highWatermark, lastStableOffset },
        }
      }
    }
  }

  /** The ends of partitions, from the database. Undefined for one that does not exist. */
  ends(asked: readonly TopicPartition[]): Promise<readonly (Watermarks | undefined)[]> {
    return this.#parts.log.partitions(asked)
  }

  /** The records and bytes of each topic, in the order of the request. */
  counts(topics: readonly Topic[], options: { readonly bytes: boolean }): Promise<readonly TopicCounts[]> {
    return topicCounts(topics, options, this.#parts)
  }

  /** The first partitions of a topic, with their offsets and bytes. */
  partitions(topic: Topic, page: PartitionPage): Promise<readonly PartitionCounts[]> {
    return partitionCounts(topic, page, this.#parts)
  }

  /** Reads the records of all partitions up to their current ends, and answers how far it got. */
  query(asked: QueryRecords): Promise<QueryAnswer> {
    return queryRecords(asked, { ...this.#parts, places: this.#places })
  }

  /** Reads the newest records of all partitions, and answers how far back it got. */
  newest(asked: NewestRecords): Promise<NewestAnswer> {
    return newestRecords(asked, { ...this.#parts, places: this.#places })
  }

  /** Follows the end of one partition or of all. */
  tail(asked: TailRecords): Promise<RecordTail> {
    return tailRecords(asked, { ...this.#parts, places: this.#places })
  }
}

/** The same for a repeated request only. It has the topic's id instead of its name, because a topic that was created again does not have the record. */
function hashOf(topicId: TopicId, { partition, key, value }: ProduceOne): string {
  const hash = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(`${topicId}/${partition}/${key === null ? 'null' : key.length}/`)
  if (key !== null) hash.update(key)
  return hash.update(value).digest('hex')
}
