// The read path: plans under byte budgets, reads from cache or store, waits for more, gathers. Memory may answer data; only the database confirms absence.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import { emptyBatch } from '../core/log/empty-batch.ts'
import { nextBudget } from '../core/log/fetch-plan.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { HeldMemory } from '../memory/held-memory.ts'
import type { FindSegments, LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import { joinChunks } from '../objects/join-chunks.ts'
import type { Clock } from '../time/clock.ts'
import { longPoll, type Unwatch } from '../time/long-poll.ts'
import { Slots } from '../time/slots.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Tail, Tails } from '../view/tails.ts'
import type { AnswerClaim } from './answer-memory.ts'
import type { Damage } from './damage.ts'
import type { Follower } from './follower.ts'
import { markerBatch } from './marker-batch.ts'
import { PlannedReads } from './planned-reads.ts'
import { type KnownSegments, ReadAhead } from './read-ahead.ts'
import { type HeldBatches, isReadFailure, type SegmentReader } from './segment-reader.ts'

export interface FetchAsk extends TopicPartition {
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchOptions {
  /** How long to wait while there are fewer than `minBytes`. */
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** Reads up to the last stable offset instead of the high watermark. */
  readonly readCommitted: boolean
  readonly signal: AbortSignal
  /** The answer's claim on the memory of all answers; when none is left, the answer is smaller, or waits. Absent: the answer is not counted. */
  readonly claim?: AnswerClaim
  /** Holds the memory of the answer, which the cache shares with others. The chunks are valid until it is released. Absent: the answer is a copy in memory of its own. */
  readonly held?: HeldMemory
}

export type FetchAnswer =
  | ({
      readonly kind: 'data' /** Whole batches with their final offsets; empty when there is nothing (yet). */
      readonly chunks: readonly Uint8Array[]
      readonly sizeBytes: number
      /** The offset after the last batch; the requested offset when there is nothing. */
      readonly nextOffset: number
    } & Watermarks)
  /** `damage`: the requested offset lies in it and cannot be read; the offsets before and after it can. */
  | { readonly kind: 'error'; readonly error: KafkaErrorName; readonly watermarks?: Watermarks; readonly damage?: Damage }

export interface ReaderParts {
  readonly log: Pick<LogIndex, 'find' | 'partitions'>
  readonly segments: Pick<
    SegmentReader,
    'take' | 'takeInMemory' | 'kept' | 'failure' | 'isInMemory' | 'isComing' | 'fetch' | 'fetchTogether' | 'readAhead' | 'aheadBytes'
  >
  readonly tails: Tails
  readonly follower: Pick<Follower, 'loaded'>
  readonly clock: Clock
  readonly turns: Turns
  readonly crc32c: Checksum
  readonly limits: Pick<Limits, 'fetchBytes' | 'segmentsPerFind' | 'readAheadMaxBytes' | 'readAheadRequestBytes'>
}

export class Reader {
  readonly #parts: ReaderParts
  readonly #slots = new Slots(fixedLimits.readsAhead)
  readonly #ahead: ReadAhead

  constructor(parts: ReaderParts) {
    this.#parts = parts
    this.#ahead = new ReadAhead(parts.segments, parts.clock, parts.limits)
  }

  /** Answers in the order of the request; at once if there are enough bytes, an error, or no time to wait. Rejects with a MetadataError when the database is away. */
  async fetch(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const { clock, tails, turns } = this.#parts
    const { claim } = options
    const sinceMs = clock.monotonic()
    // Whether the last look needed more memory than there was.
    let full = false
    return await longPoll({
      watch: async (wake) => {
        const unwatch: Unwatch[] = []
        for await (const some of inSlices(asks, turns)) unwatch.push(tails.watch(some, wake))
        return () => {
          for (const one of unwatch) one()
        }
      },
      look: () => this.#fetchOnce(asks, options, sinceMs),
      isEnough: (answers) => {
        const sizeBytes = answers.reduce((sum, answer) => sum + (answer.kind === 'data' ? answer.sizeBytes : 0), 0)
        full = claim?.rejected === true
        return asks.length === 0 || (full ? sizeBytes > 0 : sizeBytes >= options.minBytes) || answers.some(({ kind }) => kind === 'error')
      },
      beforeWait: (wake) => {
        // An answer that waits holds no memory that others wait for.
        claim?.release()
        options.held?.release()
        return full ? claim?.watch(wake) : undefined
      },
      deadline: { clock, atMs: clock.monotonic() + Math.min(options.maxWaitMs, fixedLimits.fetchWaitMs) },
      signal: options.signal,
    })
  }

  async #fetchOnce(asks: readonly FetchAsk[], options: FetchOptions, sinceMs: number): Promise<readonly FetchAnswer[]> {
    const { follower, turns } = this.#parts
    const tails = new Map<string, Tail>()
    for await (const some of inSlices(asks, turns)) {
      const loaded = await follower.loaded(some, sinceMs)
      for (const tail of loaded) if (tail !== undefined) tails.set(partitionKey(tail.topicId, tail.partition), tail)
    }
    const maxBytes = Math.min(options.maxBytes, this.#parts.limits.fetchBytes)
    const reads = new PlannedReads(
      { segments: this.#parts.segments, slots: this.#slots },
      {
        // What finds no memory in the answer is not read ahead.
        maxBytes: Math.min(maxBytes, options.claim?.shareBytes ?? maxBytes),
        signal: options.signal,
      },
    )
    try {
      const found = await this.#plan(asks, tails, options, reads)
      const answers = await this.#answers(asks, { tails, found, reads, maxBytes }, options)
      this.#ahead.resume()
      return answers
    } finally {
      reads.end()
    }
  }

  /** Finds the segments of the partitions that come first, as many as the answer can hold, and begins to read them. */
  async #plan(
    asks: readonly FetchAsk[],
    tails: TailsByPartition,
    { readCommitted }: Pick<FetchOptions, 'readCommitted'>,
    reads: PlannedReads,
  ): Promise<SegmentsByPartition> {
    const found = new Map<string, KnownSegments>()
    const isReadable = (ask: FetchAsk): boolean => {
      const tail = tails.get(partitionKey(ask.topicId, ask.partition))
      return tail !== undefined && ask.offset >= tail.logStartOffset && ask.offset < endOf(tail, readCommitted)
    }
    for await (const some of inSlices(asks, this.#parts.turns)) {
      const readable = some.filter(isReadable)
      for (let first = 0; first < readable.length; first += partitionsPerLookUp) {
        if (reads.isFull) return found
        await this.#planSome(readable.slice(first, first + partitionsPerLookUp), tails, found, reads)
      }
    }
    return found
  }

  async #planSome(
    asks: readonly FetchAsk[],
    tails: TailsByPartition,
    found: Map<string, KnownSegments>,
    reads: PlannedReads,
  ): Promise<void> {
    await this.#find(asks, tails, found)
    for (const { topicId, partition, offset, maxBytes } of asks) {
      const key = partitionKey(topicId, partition)
      const known = found.get(key)
      // It has none if the partition was deleted in between.
      if (known === undefined) continue
      reads.plan(known.segments, maxBytes)
      this.#ahead.plan(known.segments, maxBytes, this.#ahead.windowAt(key, offset))
    }
    reads.begin()
    this.#ahead.begin()
  }

  /** Memory has the newest segments, and those that follow where a consumer has just ended; one look-up finds those of all other partitions. */
  async #find(asks: readonly FetchAsk[], tails: TailsByPartition, found: Map<string, KnownSegments>): Promise<void> {
    const atMs = this.#parts.clock.monotonic()
    const lookUps: LookUp[] = []
    for (const ask of asks) {
      const key = partitionKey(ask.topicId, ask.partition)
      const tail = must(tails.get(key), 'the tail of a readable partition')
      const newest = newestSegments(tail, ask.offset)
      const known = newest === undefined ? this.#ahead.knownAt(key, ask.offset, tail) : { segments: newest, atMs, tail }
      const missingBytes = ask.maxBytes + this.#ahead.windowAt(key, ask.offset) - sizeOf(known)
      if (known !== undefined && (newest !== undefined || missingBytes <= 0)) found.set(key, known)
      else lookUps.push({ ask, key, tail, known, from: followingOf(known) ?? ask.offset, missingBytes })
    }
    if (lookUps.length === 0) return
    const answers = await this.#parts.log.find(lookUps.map((lookUp) => this.#nextOf(lookUp)))
    for (const [index, { key, tail, known, from }] of lookUps.entries()) {
      const answer = answers[index]
      if (answer?.kind !== 'found') continue
      const [first] = answer.segments
      if (known === undefined) found.set(key, { segments: answer.segments, atMs, tail })
      // Otherwise the log was written again meanwhile, and the known segments do not count.
      else if (first === undefined || first.baseOffset === from)
        found.set(key, { ...known, segments: [...known.segments, ...answer.segments] })
    }
  }

  async #answers(asks: readonly FetchAsk[], plan: FetchPlan, options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const slice = this.#parts.turns.slice()
    const answers: FetchAnswer[] = []
    let taken = 0
    for (const ask of asks) {
      const answer = await this.#one(ask, plan, {
        maxBytes: plan.maxBytes,
        taken,
        readCommitted: options.readCommitted,
        signal: options.signal,
        ...(options.claim && { claim: options.claim }),
        ...(options.held && { held: options.held }),
      })
      if (answer.kind === 'data') taken += answer.sizeBytes
      answers.push(answer)
      if (slice.spent(answer.kind === 'data' && answer.sizeBytes > 0 ? unitsOfRead : 1)) await slice.next()
    }
    return answers
  }

  async #one(
    ask: FetchAsk,
    { tails, found: planned, reads }: FetchPlan,
    request: Pick<FetchOptions, 'readCommitted' | 'signal' | 'claim' | 'held'> & { readonly maxBytes: number; readonly taken: number },
  ): Promise<FetchAnswer> {
    const { segments } = this.#parts
    const key = partitionKey(ask.topicId, ask.partition)
    const tail = tails.get(key)
    if (tail === undefined) return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    if (ask.offset < tail.logStartOffset || ask.offset > tail.highWatermark) return this.#outside(ask)
    const end = endOf(tail, request.readCommitted)
    const watermarks: Watermarks = {
      logStartOffset: tail.logStartOffset,
      highWatermark: tail.highWatermark,
      lastStableOffset: tail.lastStableOffset,
    }
    const budget = nextBudget(ask, request)
    if (budget === undefined || ask.offset >= end) return { kind: 'data', chunks: [], sizeBytes: 0, nextOffset: ask.offset, ...watermarks }
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    let offset = ask.offset
    // What follows does not fit: no other look-up has more for this answer.
    let full = false
    try {
      while (offset < end && !full) {
        const first = offset === ask.offset ? planned.get(key)?.segments : undefined
        const found = first ?? (await this.#segments(ask, tail, offset, budget.bytes - sizeBytes))
        // A look-up finds few segments if they are small: those of a further one are read side by side, too.
        if (first === undefined) reads.planMore(found, budget.bytes - sizeBytes)
        if (found.length === 0) break
        const before = offset
        for (const segment of found) {
          if (offset >= end) break
          const room = budget.bytes - sizeBytes
          if (segment.sizeBytes === 0) {
            const marker = markerBatch(segment, this.#parts.crc32c)
            if (marker !== undefined) {
              full = room < marker.length && !(budget.atLeastOne && sizeBytes === 0)
              if (full) break
              chunks.push(marker)
              sizeBytes += marker.length
            }
            // Without a marker its offsets were skipped.
            offset = Math.min(end, Math.max(offset, segment.lastOffset + 1))
            continue
          }
          const atLeastOne = budget.atLeastOne && sizeBytes === 0
          full = (room <= 0 && !atLeastOne) || request.claim?.reserve(segment.sizeBytes) === false
          if (full) break
          const wanted = { fromOffset: offset, untilOffset: end, maxBytes: room, atLeastOne }
          const begun = reads.take(segment)
          const read = { of: ask, segment, signal: request.signal, ...(begun && { begun }) }
          const kept = begun === undefined ? segments.takeInMemory(segment, wanted, reads.takeKept(segment)) : undefined
          const taken =
            kept ??
            (await segments.take(read, wanted).catch((error: unknown) => {
              request.claim?.giveBack(segment.sizeBytes)
              throw error
            }))
          request.claim?.giveBack(segment.sizeBytes - taken.sizeBytes)
          for (const chunk of ownedBy(request.held, taken)) chunks.push(chunk)
          sizeBytes += taken.sizeBytes
          offset = taken.nextOffset
          full = taken.nextOffset <= segment.lastOffset
          if (full) break
        }
        if (offset === before || sizeBytes >= budget.bytes) break
      }
    } catch (error) {
      // The answer has the records before the error; the next fetch begins at the error and receives it.
      if (sizeBytes === 0 || !isReadFailure(error)) return { kind: 'error', ...segments.failure(error, ask), watermarks }
    }
    if (sizeBytes > 0) this.#ahead.answered(key, { offset: ask.offset, nextOffset: offset, sizeBytes }, planned.get(key) ?? unknown)
    // Nothing follows skipped offsets yet. Clients find their next position in the batches that they receive, so they would wait before these offsets.
    else if (offset > ask.offset && offset >= end) {
      const batch = emptyBatch({ offset: ask.offset, lastOffset: offset - 1 }, this.#parts.crc32c)
      return { kind: 'data', chunks: [batch], sizeBytes: batch.length, nextOffset: offset, ...watermarks }
    }
    return { kind: 'data', chunks, sizeBytes, nextOffset: offset, ...watermarks }
  }

  /** Only the database may report that an offset does not exist (I15), because a consumer that receives this throws its position away. */
  async #outside(ask: FetchAsk): Promise<FetchAnswer> {
    const [state] = await this.#parts.log.partitions([ask])
    if (state === undefined) return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    const { logStartOffset, highWatermark, lastStableOffset } = state
    const watermarks = { logStartOffset, highWatermark, lastStableOffset }
    if (ask.offset < logStartOffset || ask.offset > highWatermark) return { kind: 'error', error: 'OFFSET_OUT_OF_RANGE', watermarks }
    this.#parts.tails.forget(({ topicId, partition }) => topicId === ask.topicId && partition === ask.partition)
    return { kind: 'data', chunks: [], sizeBytes: 0, nextOffset: ask.offset, ...watermarks }
  }

  async #segments(ask: FetchAsk, tail: Tail, offset: number, maxBytes: number): Promise<readonly Segment[]> {
    const newest = newestSegments(tail, offset)
    if (newest !== undefined) return newest
    const [found] = await this.#parts.log.find([this.#lookUpOf(ask, offset, maxBytes)])
    return found?.kind === 'found' ? found.segments : []
  }

  /** The known segments, or else the newest ones, show how many are likely to be needed for the missing bytes. Each row that is read for nothing costs time. */
  #nextOf({ ask, tail, known, from, missingBytes }: LookUp): FindSegments {
    const lookUp = this.#lookUpOf(ask, from, missingBytes)
    const { segments } = known ?? tail
    if (segments.length === 0) return lookUp
    const likely = Math.ceil((lookUp.maxBytes * segments.length) / Math.max(1, sizeOf({ segments }))) + 1
    return { ...lookUp, maxSegments: Math.min(Math.max(likely, fewestSegmentsPerFind), lookUp.maxSegments) }
  }

  #lookUpOf({ topicId, partition }: FetchAsk, offset: number, maxBytes: number): FindSegments {
    return { topicId, partition, offset, maxBytes: Math.max(1, maxBytes), maxSegments: this.#parts.limits.segmentsPerFind }
  }
}

type TailsByPartition = ReadonlyMap<string, Tail>
type SegmentsByPartition = ReadonlyMap<string, KnownSegments>

const unknown: KnownSegments = { segments: [], atMs: 0, tail: {} }

/** A look-up of the segments of one partition from an offset on: those after the known ones. */
interface LookUp {
  readonly ask: FetchAsk
  readonly key: string
  readonly tail: Tail
  readonly known: KnownSegments | undefined
  readonly from: number
  readonly missingBytes: number
}

function sizeOf(known: Pick<KnownSegments, 'segments'> | undefined): number {
  return known === undefined ? 0 : known.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function followingOf(known: KnownSegments | undefined): number | undefined {
  const last = known?.segments.at(-1)
  return last === undefined ? undefined : last.lastOffset + 1
}

/** What one look of a fetch begins with. */
interface FetchPlan {
  readonly tails: TailsByPartition
  /** The segments from the requested offset on, of the partitions that come first. */
  readonly found: SegmentsByPartition
  readonly reads: PlannedReads
  readonly maxBytes: number
}

/** The segments in memory from the offset on; undefined if older ones are needed. */
function newestSegments({ segments }: Tail, offset: number): readonly Segment[] | undefined {
  const [first] = segments
  return first !== undefined && first.baseOffset <= offset ? segments.filter(({ lastOffset }) => lastOffset >= offset) : undefined
}

/** The chunks, in memory that the holder of the answer keeps. */
function ownedBy(held: HeldMemory | undefined, { chunks, release }: HeldBatches): readonly Uint8Array[] {
  if (held !== undefined && chunks.length > 0) {
    held.add(release)
    return chunks
  }
  const own = chunks.length === 0 ? [] : [joinChunks(chunks)]
  release()
  return own
}

/** The offset at which the consumer's records end. */
function endOf(tail: Watermarks, readCommitted: boolean): number {
  return readCommitted ? tail.lastStableOffset : tail.highWatermark
}

/** Older segments may be smaller than the newest ones. */
const fewestSegmentsPerFind = 8

/** The partitions of one look-up: a fetch of many thousands is full long before its last one. */
const partitionsPerLookUp = 200

/** The cost of reading a partition's bytes, relative to finding that there are none. */
const unitsOfRead = 10
