// What HTTP routes and commands do with records, said once: produce one, read a partition, query a topic, follow its end.
import { buildBatch, type Codecs } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import type { TopicId } from '../core/ids.ts'
import { validateBatch } from '../core/log/validate.ts'
import { limits } from '../limits.ts'
import type { Watermarks } from '../metadata/metadata-store.ts'
import type { Offsets } from '../read/offsets.ts'
import type { Reader } from '../read/reader.ts'
import { type Settings, topicConfig } from '../settings.ts'
import type { Clock } from '../time/clock.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import type { ProduceAnswer, Writer } from '../write/writer.ts'
import { decodePage, type LogRecord, type Unreadable } from './record-pages.ts'
import { type From, noPartition, RecordPlaces, type Refusal, refused } from './record-places.ts'
import { type QueryAnswer, type QueryRecords, queryRecords } from './record-query.ts'
import { type Tail, type TailRecords, tailRecords } from './record-tail.ts'
import type { TopicVerbs } from './topics.ts'

export interface RecordVerbsParts {
  readonly topics: Pick<TopicVerbs, 'find' | 'findById'>
  readonly writer: Pick<Writer, 'room' | 'admit'>
  readonly reader: Pick<Reader, 'fetch'>
  readonly offsets: Pick<Offsets, 'list'>
  readonly tails: Pick<Tails, 'loaded' | 'stamp'>
  readonly owners: Pick<Owners, 'ofPartition'>
  readonly settings: Settings
  readonly clock: Clock
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

export type Produced =
  | {
      readonly kind: 'appended'
      readonly partition: number
      readonly offset: number
      readonly timestamp: number /** It was stored by an earlier request. */
      readonly replayed: boolean
    }
  /** The idempotency key stands for another record. */
  | { readonly kind: 'key reused' }
  | Refusal

export interface ReadRecords {
  readonly topic: string
  readonly partition: number
  readonly from: From
  readonly limit: number
  /** Of keys, values and headers; one record comes however large it is. */
  readonly maxBytes: number
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

/** All verbs may also reject with a MetadataError. */
export class RecordVerbs {
  readonly #parts: RecordVerbsParts
  readonly #places: RecordPlaces

  constructor(parts: RecordVerbsParts) {
    this.#parts = parts
    this.#places = new RecordPlaces(parts)
  }

  /** Stores one record in the partition named, uncompressed, stamped with this agent's clock. Answers after the commit; never makes a topic. */
  async produceOne(asked: ProduceOne): Promise<Produced> {
    const { tails, writer, owners, settings, clock, crc32c } = this.#parts
    const { partition } = asked
    const found = await this.#places.find(asked.topic, partition)
    if (found.kind !== 'found') return found
    const { topic } = found
    const { topicId } = topic

    const timestamp = clock.now()
    const batch = buildBatch(
      { baseTimestamp: timestamp, records: [{ offsetDelta: 0, timestamp, key: asked.key, value: asked.value, headers: [] }] },
      crc32c,
    )
    const timestampType =
      topicConfig(topic.configs, settings, 'message.timestamp.type').value === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime'
    const maxBytes = Number(topicConfig(topic.configs, settings, 'max.message.bytes').value)
    // The timestamp is this agent's own clock: no bound on timestamps can refuse it.
    const unbounded = Number.POSITIVE_INFINITY
    const valid = validateBatch(
      batch,
      { maxBytes, timestampType, beforeMaxMs: unbounded, afterMaxMs: unbounded, nowMs: timestamp, produceVersion },
      crc32c,
    )
    if (valid.kind === 'error') return valid

    const [loaded] = await tails.loaded([{ topicId, partition }])
    if (loaded === undefined) return refused('UNKNOWN_TOPIC_OR_PARTITION', noPartition(topic, partition))
    if (!(await writer.room(batch.length, asked.signal)))
      return refused('NOT_ENOUGH_REPLICAS', 'The agent holds as many records that are not stored yet as it may.')

    // From here to the admission nothing may be awaited.
    const { mine, leader, epoch } = owners.ofPartition(topicId, partition)
    if (!mine) return { kind: 'elsewhere', partition, leader }
    const stamp = timestampType === 'LogAppendTime' ? tails.stamp(topicId, partition, timestamp) : undefined
    const { idempotencyKey: key } = asked
    const { answers } = writer.admit([
      {
        topicId,
        partition,
        epoch,
        batch,
        ...(stamp !== undefined && { stamp }),
        ...(key !== undefined && { idempotency: { key, bodyHash: hashOf(topicId, asked), timestamp: stamp ?? timestamp } }),
      },
    ])
    const answer = await this.#inTime(answers)
    if (answer === undefined)
      return refused(
        'REQUEST_TIMED_OUT',
        'It is not known yet whether the record is stored. Repeated with the same Idempotency-Key it is stored once.',
      )
    return produced(answer, { partition, timestamp, leader: owners.ofPartition(topicId, partition).leader })
  }

  /** Records of one partition from an offset on. */
  async read(asked: ReadRecords): Promise<ReadAnswer> {
    const { reader, clock, codecs } = this.#parts
    const { partition, signal } = asked
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
      })
      if (answer?.kind !== 'data') return this.#places.refusal(topic, partition, answer)
      const page = decodePage(
        answer.chunks,
        { partition, from: next, until: Number.POSITIVE_INFINITY, ...bounds, matches: () => true },
        codecs,
      )
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

  /** Undefined: no definite answer in time. The record may still be stored. */
  async #inTime(answers: Promise<readonly ProduceAnswer[]>): Promise<ProduceAnswer | undefined> {
    const late = Promise.withResolvers<undefined>()
    const timer = this.#parts.clock.after(limits.produceOneMs, () => late.resolve(undefined))
    const first = await Promise.race([answers, late.promise])
    timer.cancel()
    return first?.[0]
  }
}

/** As the newest client would send it. */
const produceVersion = 13

function produced(
  answer: ProduceAnswer,
  sent: { readonly partition: number; readonly timestamp: number; readonly leader: number | undefined },
): Produced {
  const { partition, timestamp, leader } = sent
  if (answer.kind === 'refused') {
    if (answer.error === 'IDEMPOTENCY_KEY_REUSED') return { kind: 'key reused' }
    if (answer.error === 'NOT_LEADER_OR_FOLLOWER') return { kind: 'elsewhere', partition, leader }
    return refused(answer.error, answer.message ?? undefined)
  }
  const { replayed } = answer
  if (replayed !== undefined)
    return { kind: 'appended', partition: replayed.partition, offset: answer.baseOffset, timestamp: replayed.timestamp, replayed: true }
  return {
    kind: 'appended',
    partition,
    offset: answer.baseOffset,
    timestamp: answer.timestamp === -1 ? timestamp : answer.timestamp,
    replayed: false,
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
