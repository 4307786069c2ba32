// What HTTP routes and commands do with records, said once: produce one, read a partition, query a topic, follow its end.
import { type Codecs, errors } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import type { TopicId } from '../core/ids.ts'
import { limits } from '../limits.ts'
import type { Watermarks } from '../metadata/metadata-store.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import { type AnswerClaim, NoAnswerMemory } from '../read/answer-memory.ts'
import type { Offsets } from '../read/offsets.ts'
import type { Reader } from '../read/reader.ts'
import type { Settings } from '../settings.ts'
import type { Clock } from '../time/clock.ts'
import type { Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import type { Writer } from '../write/writer.ts'
import { type Appended, type AppendRecords, appendRecords } from './record-append.ts'
import { decodePage, type LogRecord, type Unreadable } from './record-pages.ts'
import { type From, RecordPlaces, type Refusal } from './record-places.ts'
import { type QueryAnswer, type QueryRecords, queryRecords } from './record-query.ts'
import { type Tail, type TailRecords, tailRecords } from './record-tail.ts'
import type { TopicOperations } from './topics.ts'

export interface RecordVerbsParts {
  readonly topics: Pick<TopicOperations, 'find' | 'findById'>
  readonly writer: Pick<Writer, 'room' | 'admit'>
  readonly stores: Pick<StoreWatch, 'trouble' | 'onFailure'>
  readonly reader: Pick<Reader, 'fetch'>
  readonly offsets: Pick<Offsets, 'list'>
  readonly tails: Pick<Tails, 'loaded' | 'stamp'>
  readonly owners: Pick<Owners, 'ofPartition'>
  readonly settings: Settings
  readonly clock: Clock
  readonly ioClock: Clock
  readonly turns: Pick<Turns, 'next'>
  readonly codecs: Codecs
  readonly crc32c: Checksum
}

export interface ProduceOne {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array
  /** Unique in the cluster: the same key with the same record is stored once, whichever agent hears it. */
  readonly idempotencyKey?: string
  readonly signal: AbortSignal
}

export type Produced = Appended

export interface ReadRecords {
  readonly topic: string
  readonly partition: number
  readonly from: From
  readonly limit: number
  /** Of keys, values and headers; one record comes however large it is. */
  readonly maxBytes: number
  /** For an answer in JSON: it is measured so, and holds its size of this memory until it is sent. Rejects with NoAnswerMemory when there is none. */
  readonly memory?: AnswerClaim
  /** How long to wait for the first record. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

export type ReadAnswer =
  | {
      readonly kind: 'records'
      readonly records: readonly LogRecord[]
      readonly unreadable: readonly Unreadable[] /** What to ask for after them. */
      readonly next: number
      readonly watermarks: Watermarks
    }
  | Refusal

/** All operations may also reject with a MetadataError. */
export class RecordOperations {
  readonly #parts: RecordVerbsParts
  readonly #places: RecordPlaces

  constructor(parts: RecordVerbsParts) {
    this.#parts = parts
    this.#places = new RecordPlaces(parts)
  }

  /** Stores one record in the partition named, uncompressed, stamped with this agent's clock. Answers after the commit; never makes a topic. */
  async produceOne(asked: ProduceOne): Promise<Produced> {
    const { topic, partition, key, value, idempotencyKey, signal } = asked
    const [answer] = await this.append({
      topic,
      records: [{ partition, key, value, headers: [] }],
      ...(idempotencyKey !== undefined && { idempotency: { key: idempotencyKey, hashOf: (topicId) => hashOf(topicId, asked) } }),
      signal,
    })
    if (answer === undefined) throw new RangeError('a record was appended and not answered')
    if (answer.kind === 'error' && answer.code === errors.REQUEST_TIMED_OUT.code && idempotencyKey !== undefined)
      return { ...answer, message: `${answer.message} Repeated with the same Idempotency-Key it is stored once.` }
    return answer
  }

  /** Stores records of one topic, in one flush. */
  append(asked: AppendRecords): Promise<readonly Appended[]> {
    return appendRecords(asked, { ...this.#parts, places: this.#places })
  }

  /** Records of one partition from an offset on. */
  async read(asked: ReadRecords): Promise<ReadAnswer> {
    const { reader, clock, codecs, turns } = this.#parts
    const { partition, signal, memory } = asked
    const found = await this.#places.find(asked.topic, partition)
    if (found.kind !== 'found') return found
    const { topic } = found
    const starts = await this.#places.starts(topic, [partition], asked.from, signal)
    if (starts.kind !== 'offsets') return starts
    const maxBytes = Math.min(asked.maxBytes, limits.recordBytesPerAnswer)
    const bounds = { maxRecords: Math.min(asked.limit, limits.recordsPerAnswer), maxBytes }
    // Of the log: batches bring headers along, so a small answer needs some more.
    const fetchBytes = Math.max(maxBytes, limits.readAheadBytes)
    const deadline = clock.monotonic() + asked.waitMs
    for (let next = starts.offsets[0] ?? 0; ; ) {
      const maxWaitMs = Math.max(0, deadline - clock.monotonic())
      const [answer] = await reader.fetch([{ topicId: topic.topicId, partition, offset: next, maxBytes: fetchBytes }], {
        maxWaitMs,
        minBytes: 1,
        maxBytes: fetchBytes,
        readCommitted: true,
        signal,
        ...(memory && { claim: memory }),
      })
      if (answer?.kind !== 'data') return this.#places.refusal(topic, partition, answer)
      // Unpacking is synchronous: reads that come at once take one turn of the event loop each.
      if (answer.chunks.length > 0) await turns.next()
      const page = decodePage(
        answer.chunks,
        {
          partition,
          from: next,
          until: Number.POSITIVE_INFINITY,
          ...bounds,
          ...(memory && { measure: 'json', maxBytes: Math.min(maxBytes, memory.grow(maxBytes)) }),
          matches: () => true,
        },
        codecs,
      )
      const starved = page.records.length === 0 && memory?.refused === true
      if (starved || memory?.settle(page.bytes) === false) throw new NoAnswerMemory()
      next = page.next
      const found = page.records.length > 0 || page.unreadable.length > 0
      // Control batches alone are no records: it goes on behind them.
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

  /** Records of all partitions up to where they end now; says how far it came. */
  query(asked: QueryRecords): Promise<QueryAnswer> {
    return queryRecords(asked, { ...this.#parts, places: this.#places })
  }

  /** Follows the end of a partition, or of all. */
  tail(asked: TailRecords): Promise<Tail> {
    return tailRecords(asked, { ...this.#parts, places: this.#places })
  }
}

/** Tells whether a repeated key stands for the same request. The topic's id, not its name: a topic made anew never held the record. */
function hashOf(topicId: TopicId, { partition, key, value }: ProduceOne): string {
  const hash = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(`${topicId}/${partition}/${key === null ? 'null' : key.length}/`)
  if (key !== null) hash.update(key)
  return hash.update(value).digest('hex')
}
