// Finds offsets of any agent's partitions: earliest, latest, by timestamp. Always a primary read, because a wrong answer here makes consumers lose data.
import {
  attributeBits,
  type BatchHeader,
  batchLayout,
  batchSizeAt,
  codecNames,
  type KafkaErrorName,
  ProtocolError,
  readBatchHeader,
  readUnpackedRecords,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import { fixedLimits } from '../limits.ts'
import { NoUnpackMemory, type Unpacker } from '../memory/unpacker.ts'
import type { FindByTime, FoundByTime, LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import { DamagedOffsetsError } from './batches.ts'
import type { Damage } from './damage.ts'
import type { SegmentReader } from './segment-reader.ts'

export interface OffsetAsk extends TopicPartition {
  readonly at: 'earliest' | 'latest' | 'latest stable' | 'max timestamp' | { readonly timestamp: number }
  /** For a consumer of committed records: an offset that is found by its time, at the last stable offset or after it, is none. */
  readonly isCommitted?: boolean
}

export type OffsetAnswer =
  /** -1 and -1: no record is that new. */
  | { readonly kind: 'offset'; readonly offset: number; readonly timestamp: number; readonly leaderEpoch: number }
  /** `damage`: the answer may be among these offsets. */
  | { readonly kind: 'error'; readonly error: KafkaErrorName; readonly damage?: Damage }

export interface OffsetsParts {
  readonly log: Pick<LogIndex, 'partitions' | 'findByTime'>
  readonly segments: Pick<SegmentReader, 'examine' | 'failure'>
  readonly owners: Owners
  readonly turns: Turns
  readonly unpacker: Pick<Unpacker, 'inTurn' | 'use'>
}

const none = { offset: -1, timestamp: -1 }

export class Offsets {
  readonly #parts: OffsetsParts

  constructor(parts: OffsetsParts) {
    this.#parts = parts
  }

  /** Answers in the order of the request. Rejects with a MetadataError when the database is away. */
  async list(asks: readonly OffsetAsk[], signal: AbortSignal): Promise<readonly OffsetAnswer[]> {
    const answers = new Map<OffsetAsk, OffsetAnswer>()
    const { turns } = this.#parts
    for await (const some of inSlices(asks.filter(isEnd), turns)) await this.#atTheEnds(some, answers)
    // Each of these may read a segment and unpack all of its batches.
    const byTime = asks.filter((ask) => !isEnd(ask))
    for await (const some of inSlices(byTime, turns, fixedLimits.timesPerTurn)) await this.#byTime(some, answers, signal)
    return asks.map((ask) => must(answers.get(ask), 'the answer of a partition'))
  }

  async #atTheEnds(asks: readonly OffsetAsk[], answers: Map<OffsetAsk, OffsetAnswer>): Promise<void> {
    if (asks.length === 0) return
    const states = await this.#parts.log.partitions(asks)
    for (const [index, ask] of asks.entries()) {
      const state = states[index]
      if (state === undefined) {
        answers.set(ask, { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' })
        continue
      }
      const offset =
        ask.at === 'earliest' ? state.logStartOffset : ask.at === 'latest stable' ? state.lastStableOffset : state.highWatermark
      answers.set(ask, { kind: 'offset', offset, timestamp: -1, leaderEpoch: state.epoch })
    }
  }

  async #byTime(asks: readonly OffsetAsk[], answers: Map<OffsetAsk, OffsetAnswer>, signal: AbortSignal): Promise<void> {
    if (asks.length === 0) return
    const found = await this.#parts.log.findByTime(asks.map(timeOf))
    for (const [index, ask] of asks.entries()) {
      const place = must(found[index], 'the place of an offset')
      if (place.kind === 'unknown partition') {
        answers.set(ask, { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' })
        continue
      }
      const leaderEpoch = this.#parts.owners.ofPartition(ask.topicId, ask.partition).epoch
      let answer = await this.#at(ask, place, leaderEpoch, signal)
      // The record of this time was before the start of the log, in the same segment as the start.
      if (isNone(answer) && place.segment !== undefined && place.segment.baseOffset < place.logStartOffset)
        answer = await this.#after(place.segment, ask, leaderEpoch, signal)
      answers.set(ask, isUnstable(answer, ask, place) ? { kind: 'offset', ...none, leaderEpoch } : answer)
    }
  }

  async #at(ask: OffsetAsk, place: PlaceOfTime, leaderEpoch: number, signal: AbortSignal): Promise<OffsetAnswer> {
    if (place.segment === undefined) return { kind: 'offset', ...none, leaderEpoch }
    return await this.#inSegment(ask, place.segment, place, leaderEpoch, signal)
  }

  async #after({ lastOffset }: Segment, ask: OffsetAsk, leaderEpoch: number, signal: AbortSignal): Promise<OffsetAnswer> {
    const [place] = await this.#parts.log.findByTime([{ ...timeOf(ask), fromOffset: lastOffset + 1 }])
    if (place?.kind !== 'found') return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    return await this.#at(ask, place, leaderEpoch, signal)
  }

  async #inSegment(ask: OffsetAsk, segment: Segment, within: Watermarks, leaderEpoch: number, signal: AbortSignal): Promise<OffsetAnswer> {
    const { segments } = this.#parts
    // Like Kafka: a marker counts as a record with the time of its transaction's end.
    if (segment.marker !== undefined) return { kind: 'offset', offset: segment.baseOffset, timestamp: segment.maxTimestamp, leaderEpoch }
    if (segment.sizeBytes === 0) return { kind: 'offset', ...inSkipped(ask, segment, within), leaderEpoch }
    try {
      const { bytes, left } = await segments.examine({ of: ask, segment, signal })
      const wanted = typeof ask.at === 'object' ? ask.at.timestamp : segment.maxTimestamp
      const until = left?.damage.offset ?? segment.lastOffset + 1
      // Other requests run while batches are unpacked: the bytes must stay as they are until then.
      const first = await firstSince(bytes, segment, { wanted, from: within.logStartOffset, until }, { ...this.#parts, signal })
      // The first such record may be among the damaged ones. A later one would make its reader skip records.
      if (first === none && left !== undefined) throw new DamagedOffsetsError(left.damage)
      return { kind: 'offset', ...first, leaderEpoch }
    } catch (error) {
      // Clients send the request again after this error.
      if (error instanceof NoUnpackMemory) return { kind: 'error', error: 'OFFSET_NOT_AVAILABLE' }
      return { kind: 'error', ...segments.failure(error, ask) }
    }
  }
}

type PlaceOfTime = Extract<FoundByTime, { readonly kind: 'found' }>

function timeOf({ topicId, partition, at }: OffsetAsk): FindByTime {
  return { topicId, partition, at: typeof at === 'object' ? { kind: 'timestamp', timestamp: at.timestamp } : { kind: 'max timestamp' } }
}

function isNone(answer: OffsetAnswer): boolean {
  return answer.kind === 'offset' && answer.offset === none.offset
}

/** Like Kafka, which finds the offset of all records first: no later offset is looked for. */
function isUnstable(answer: OffsetAnswer, { isCommitted = false }: OffsetAsk, { lastStableOffset }: Watermarks): boolean {
  return isCommitted && answer.kind === 'offset' && answer.offset >= lastStableOffset
}

/**
 * The skipped records may have had the time. A reader that begins after them misses nothing that can be read. The largest timestamp of the log keeps its
 * offset, although that record cannot be read any more.
 */
function inSkipped({ at }: OffsetAsk, { lastOffset, maxTimestamp }: Segment, { highWatermark }: Watermarks): typeof none {
  if (typeof at !== 'object') return { offset: lastOffset, timestamp: maxTimestamp }
  return lastOffset + 1 < highWatermark ? { offset: lastOffset + 1, timestamp: maxTimestamp } : none
}

interface TimeAsk {
  readonly wanted: number
  readonly from: number
  readonly until: number
}

type UnpackParts = Pick<OffsetsParts, 'unpacker' | 'turns'> & { readonly signal: AbortSignal }

/** The first record of the segment with a timestamp of at least `wanted`, not before offset `from`, in the batches before `until`. */
async function firstSince(
  bytes: Uint8Array,
  segment: Segment,
  ask: TimeAsk,
  parts: UnpackParts,
): Promise<{ readonly offset: number; readonly timestamp: number }> {
  let baseOffset = segment.baseOffset
  for (let at = 0; at < bytes.length && baseOffset < ask.until; ) {
    const size = batchSizeAt(bytes, at)
    if (size === undefined) return none
    const header = readBatchHeader(bytes, at)
    if (header.maxTimestamp >= ask.wanted && baseOffset + header.lastOffsetDelta >= ask.from) {
      // Under LogAppendTime all records of a batch have its timestamp. Log compaction may have removed some of them.
      const isWhole = header.recordCount === header.lastOffsetDelta + 1
      const isStamped = isWhole && (header.attributes & attributeBits.logAppendTime) !== 0
      const found = isStamped ? undefined : await firstInBatch({ ...header, baseOffset }, bytes.subarray(at, at + size), ask, parts)
      // An earlier offset is safe: a consumer that begins there misses nothing.
      if (found === undefined) return { offset: Math.max(baseOffset, ask.from), timestamp: header.maxTimestamp }
      if (found !== none) return found
    }
    baseOffset += header.lastOffsetDelta + 1
    at += size
  }
  return none
}

/** Undefined: the batch cannot be unpacked. A bad batch of a producer must not deny other clients their answers. */
async function firstInBatch(
  header: BatchHeader,
  batch: Uint8Array,
  { wanted, from }: TimeAsk,
  { unpacker, turns, signal }: UnpackParts,
): Promise<typeof none | undefined> {
  const codec = codecNames[header.attributes & attributeBits.codec]
  if (codec === undefined) return undefined
  const records = { codec, packed: batch.subarray(batchLayout.records) }
  const search = async (unpacked: Uint8Array): Promise<typeof none> => {
    const slice = turns.slice()
    for (const record of readUnpackedRecords(header, unpacked)) {
      const offset = header.baseOffset + record.offsetDelta
      if (record.timestamp >= wanted && offset >= from) return { offset, timestamp: record.timestamp }
      if (slice.spent(1 / recordsPerUnit)) await slice.next()
    }
    return none
  }
  try {
    const unpacked = unpacker.inTurn(records)
    return unpacked === undefined ? await unpacker.use(records, signal, search) : await search(unpacked)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** A record that is decoded but not kept costs less than a microsecond. */
const recordsPerUnit = 4

function isEnd({ at }: OffsetAsk): boolean {
  return at === 'earliest' || at === 'latest' || at === 'latest stable'
}
