// The read path: plans under byte budgets, reads from cache or store, waits for more, gathers. Memory may answer data; only the database confirms absence.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import { partitionKey } from '../core/ids.ts'
import { emptyBatch } from '../core/log/empty-batch.ts'
import { nextBudget } from '../core/log/fetch-plan.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { HeldMemory } from '../memory/held-memory.ts'
import type { LogIndex, Watermarks } from '../metadata/metadata-store.ts'
import { joinChunks } from '../objects/join-chunks.ts'
import type { Clock } from '../time/clock.ts'
import { longPoll, type Unwatch } from '../time/long-poll.ts'
import { Slots } from '../time/slots.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Tail, Tails } from '../view/tails.ts'
import type { AnswerClaim } from './answer-memory.ts'
import type { Damage } from './damage.ts'
import type { FetchAsk } from './fetch-ask.ts'
import type { Follower } from './follower.ts'
import { markerBatch } from './marker-batch.ts'
import { PlannedReads } from './planned-reads.ts'
import { type KnownSegments, ReadAhead } from './read-ahead.ts'
import { endOf, type PlannedPartition, SegmentPlanner } from './segment-planner.ts'
import { type HeldBatches, isReadFailure, type SegmentReader } from './segment-reader.ts'

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
  /** While others want the memory of the request, it does not wait for more bytes. */
  readonly memory?: { readonly isWanted: boolean; onWanted(wake: () => void): Unwatch }
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
  readonly limits: Pick<
    Limits,
    | 'fetchBytes'
    | 'segmentsPerFind'
    | 'mergeObjectBytes'
    | 'mergeSegmentBytes'
    | 'copiedPieceBytes'
    | 'readAheadMaxBytes'
    | 'readAheadRequestBytes'
  >
}

export class Reader {
  readonly #parts: ReaderParts
  readonly #slots = new Slots(fixedLimits.readsAhead)
  readonly #ahead: ReadAhead
  readonly #planner: SegmentPlanner

  constructor(parts: ReaderParts) {
    this.#parts = parts
    this.#ahead = new ReadAhead(parts.segments, parts.clock, parts.limits)
    this.#planner = new SegmentPlanner({ ...parts, ahead: this.#ahead })
  }

  /** Answers in the order of the request; at once if there are enough bytes, an error, or no time to wait. Rejects with a MetadataError when the database is away. */
  async fetch(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const { clock, tails, turns } = this.#parts
    const { claim, memory } = options
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
        return (
          asks.length === 0 ||
          memory?.isWanted === true ||
          (full ? sizeBytes > 0 : sizeBytes >= options.minBytes) ||
          answers.some(({ kind }) => kind === 'error')
        )
      },
      beforeWait: (wake) => {
        // An answer that waits holds no memory that others wait for.
        claim?.release()
        options.held?.release()
        const unwatch = [full ? claim?.watch(wake) : undefined, memory?.onWanted(wake)]
        return () => {
          for (const one of unwatch) one?.()
        }
      },
      deadline: { clock, atMs: clock.monotonic() + Math.min(options.maxWaitMs, fixedLimits.fetchWaitMs) },
      signal: options.signal,
    })
  }

  async #fetchOnce(asks: readonly FetchAsk[], options: FetchOptions, sinceMs: number): Promise<readonly FetchAnswer[]> {
    const { follower, turns } = this.#parts
    const tails: (Tail | undefined)[] = []
    for await (const some of inSlices(asks, turns)) for (const tail of await follower.loaded(some, sinceMs)) tails.push(tail)
    const maxBytes = Math.min(options.maxBytes, this.#parts.limits.fetchBytes)
    // What finds no memory in the answer is not read ahead.
    const plannedBytes = Math.min(maxBytes, options.claim?.shareBytes ?? maxBytes)
    const reads = new PlannedReads(
      { segments: this.#parts.segments, slots: this.#slots },
      { maxBytes: plannedBytes, signal: options.signal },
    )
    try {
      const { readCommitted } = options
      const planned = await this.#planner.plan({ asks, tails, readCommitted, maxBytes: plannedBytes }, reads)
      const answers = await this.#answers(asks, { tails, planned, reads, maxBytes }, options)
      this.#ahead.resume()
      return answers
    } finally {
      reads.end()
    }
  }

  async #answers(
    asks: readonly FetchAsk[],
    { tails, planned, reads, maxBytes }: FetchPlan,
    options: FetchOptions,
  ): Promise<readonly FetchAnswer[]> {
    const slice = this.#parts.turns.slice()
    const answers: FetchAnswer[] = []
    const share = { ...options, maxBytes, taken: 0 }
    for (const [at, ask] of asks.entries()) {
      const tail = tails[at]
      const answer = emptyAnswer(ask, tail, share) ?? (await this.#one(ask, { tail, planned: planned[at], reads }, share))
      if (answer.kind === 'data') share.taken += answer.sizeBytes
      answers.push(answer)
      if (slice.spent(unitsOf(answer))) await slice.next()
    }
    return answers
  }

  async #one(ask: FetchAsk, { tail, planned, reads }: PartitionPlan, request: AnswerShare): Promise<FetchAnswer> {
    const { segments } = this.#parts
    if (tail === undefined) return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    if (ask.offset < tail.logStartOffset || ask.offset > tail.highWatermark) return this.#outside(ask)
    const end = endOf(tail, request.readCommitted)
    const { logStartOffset, highWatermark, lastStableOffset } = tail
    const watermarks: Watermarks = { logStartOffset, highWatermark, lastStableOffset }
    const budget = must(nextBudget(ask, request), 'the budget of a partition whose answer is not empty')
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    let offset = ask.offset
    // What follows does not fit: no other look-up has more for this answer.
    let full = false
    try {
      while (offset < end && !full) {
        const first = offset === ask.offset ? planned?.known.segments : undefined
        const found = first ?? (await this.#planner.segmentsOf(ask, tail, { offset, maxBytes: budget.bytes - sizeBytes }))
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
          this.#addTo(chunks, request.held, taken)
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
    if (sizeBytes > 0) {
      // Without a plan, the look-ups of the answer found its segments one after another.
      const { key, known } = planned ?? { key: partitionKey(ask.topicId, ask.partition), known: unknown }
      this.#ahead.answered(key, { offset: ask.offset, nextOffset: offset, sizeBytes }, known)
    }
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

  /** Adds what was taken to the answer's chunks, in memory that the holder of the answer keeps. */
  #addTo(chunks: Uint8Array[], held: HeldMemory | undefined, taken: HeldBatches): void {
    const isCopied = held === undefined || taken.sizeBytes < this.#parts.limits.copiedPieceBytes
    if (!isCopied) {
      for (const chunk of taken.chunks) chunks.push(chunk)
      held.add(taken.release)
      return
    }
    if (held === undefined) chunks.push(joinChunks(taken.chunks))
    else held.addCopy(chunks, taken.chunks)
    taken.release()
  }
}

const unknown: KnownSegments = { segments: [], atMs: 0, tail: {} }

/** What one look of a fetch begins with, by the position of the partition in the request. */
interface FetchPlan {
  readonly tails: readonly (Tail | undefined)[]
  readonly planned: readonly (PlannedPartition | undefined)[]
  readonly reads: PlannedReads
  readonly maxBytes: number
}

interface PartitionPlan {
  readonly tail: Tail | undefined
  readonly planned: PlannedPartition | undefined
  readonly reads: PlannedReads
}

/** What all partitions of an answer share. */
interface AnswerShare extends FetchOptions {
  /** The bytes of the partitions before this one. */
  taken: number
}

/** The answer of a partition that has nothing for it, within the turn. Undefined: it may have something, or an error. */
function emptyAnswer(ask: FetchAsk, tail: Tail | undefined, share: AnswerShare): FetchAnswer | undefined {
  if (tail === undefined || ask.offset < tail.logStartOffset || ask.offset > tail.highWatermark) return undefined
  if (ask.offset < endOf(tail, share.readCommitted) && nextBudget(ask, share) !== undefined) return undefined
  const { logStartOffset, highWatermark, lastStableOffset } = tail
  return { kind: 'data', chunks: [], sizeBytes: 0, nextOffset: ask.offset, logStartOffset, highWatermark, lastStableOffset }
}

/** The cost of a partition's bytes, relative to finding that there are none: they are taken, and checked if they were not in memory. */
function unitsOf(answer: FetchAnswer): number {
  return answer.kind === 'data' && answer.sizeBytes > 0 ? 10 + answer.sizeBytes / bytesPerUnit : 1
}

const bytesPerUnit = 4 * 1024
