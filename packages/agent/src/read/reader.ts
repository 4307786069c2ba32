// The read path: plans under byte budgets, reads from cache or store, waits for more, gathers. Memory may answer data; only the database confirms absence.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import { nextBudget } from '../core/log/fetch-plan.ts'
import { limits } from '../limits.ts'
import type { LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import type { Clock } from '../time/clock.ts'
import { longPoll, type Unwatch } from '../time/long-poll.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { Tail, Tails } from '../view/tails.ts'
import type { AnswerClaim } from './answer-memory.ts'
import type { Damage } from './damage.ts'
import { isReadTrouble, type SegmentReader } from './segment-reader.ts'

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
}

export type FetchAnswer =
  | ({
      readonly kind: 'data' /** Whole batches with their final offsets; empty when there is nothing (yet). */
      readonly chunks: readonly Uint8Array[]
      readonly sizeBytes: number
    } & Watermarks)
  /** `damage`: the requested offset lies in it and cannot be read; the offsets before and after it can. */
  | { readonly kind: 'error'; readonly error: KafkaErrorName; readonly watermarks?: Watermarks; readonly damage?: Damage }

export interface ReaderParts {
  readonly log: Pick<LogIndex, 'find' | 'partitions'>
  readonly segments: Pick<SegmentReader, 'take' | 'failure'>
  readonly tails: Tails
  readonly owners: Owners
  readonly clock: Clock
  readonly turns: Turns
}

export class Reader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** Answers in the order of the request; at once if there are enough bytes, an error, or no time to wait. Rejects with a MetadataError when the database is away. */
  async fetch(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const { clock, tails, turns } = this.#parts
    const { claim } = options
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
      look: () => this.#fetchOnce(asks, options),
      isEnough: (answers) => {
        const sizeBytes = answers.reduce((sum, answer) => sum + (answer.kind === 'data' ? answer.sizeBytes : 0), 0)
        full = claim?.refused === true
        return asks.length === 0 || (full ? sizeBytes > 0 : sizeBytes >= options.minBytes) || answers.some(({ kind }) => kind === 'error')
      },
      beforeWait: (wake) => {
        // An answer that waits holds no memory that others wait for.
        claim?.release()
        return full ? claim?.watch(wake) : undefined
      },
      deadline: { clock, atMs: clock.monotonic() + Math.min(options.maxWaitMs, limits.fetchWaitMs) },
      signal: options.signal,
    })
  }

  async #fetchOnce(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const { owners, turns } = this.#parts
    const slice = turns.slice()
    const tails = new Map<string, Tail>()
    for await (const some of inSlices(asks, turns)) {
      const loaded = await this.#parts.tails.loaded(some.filter(({ topicId, partition }) => owners.ofPartition(topicId, partition).mine))
      for (const tail of loaded) if (tail !== undefined) tails.set(partitionKey(tail.topicId, tail.partition), tail)
    }
    const requestMaxBytes = Math.min(options.maxBytes, limits.fetchBytes)
    const answers: FetchAnswer[] = []
    let taken = 0
    for (const ask of asks) {
      const answer = await this.#one(ask, tails.get(partitionKey(ask.topicId, ask.partition)), {
        maxBytes: requestMaxBytes,
        taken,
        readCommitted: options.readCommitted,
        signal: options.signal,
        ...(options.claim && { claim: options.claim }),
      })
      if (answer.kind === 'data') taken += answer.sizeBytes
      answers.push(answer)
      if (slice.spent(answer.kind === 'data' && answer.sizeBytes > 0 ? unitsOfRead : 1)) await slice.next()
    }
    return answers
  }

  async #one(
    ask: FetchAsk,
    tail: Tail | undefined,
    request: Pick<FetchOptions, 'readCommitted' | 'signal' | 'claim'> & { readonly maxBytes: number; readonly taken: number },
  ): Promise<FetchAnswer> {
    const { owners, segments } = this.#parts
    if (!owners.ofPartition(ask.topicId, ask.partition).mine) return { kind: 'error', error: 'NOT_LEADER_OR_FOLLOWER' }
    if (tail === undefined) return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    if (ask.offset < tail.logStartOffset || ask.offset > tail.highWatermark) return this.#outside(ask)
    const end = request.readCommitted ? tail.lastStableOffset : tail.highWatermark
    const watermarks: Watermarks = {
      logStartOffset: tail.logStartOffset,
      highWatermark: tail.highWatermark,
      lastStableOffset: tail.lastStableOffset,
    }
    const budget = nextBudget(ask, request)
    if (budget === undefined || ask.offset >= end) return { kind: 'data', chunks: [], sizeBytes: 0, ...watermarks }
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    try {
      for (let offset = ask.offset; offset < end; ) {
        const found = await this.#segments(ask, tail, offset, budget.bytes - sizeBytes)
        if (found.length === 0) break
        const before = offset
        for (const segment of found) {
          const room = budget.bytes - sizeBytes
          const atLeastOne = budget.atLeastOne && sizeBytes === 0
          if ((room <= 0 && !atLeastOne) || request.claim?.reserve(segment.sizeBytes) === false) break
          const wanted = { fromOffset: offset, untilOffset: end, maxBytes: room, atLeastOne }
          const taken = await segments.take({ of: ask, segment, signal: request.signal }, wanted).catch((error: unknown) => {
            request.claim?.giveBack(segment.sizeBytes)
            throw error
          })
          request.claim?.giveBack(segment.sizeBytes - taken.sizeBytes)
          chunks.push(...taken.chunks)
          sizeBytes += taken.sizeBytes
          offset = taken.nextOffset
          if (taken.nextOffset <= segment.lastOffset) break
        }
        if (offset === before || sizeBytes >= budget.bytes) break
      }
    } catch (error) {
      // The answer has the records before the error; the next fetch begins at the error and receives it.
      if (sizeBytes === 0 || !isReadTrouble(error)) return { kind: 'error', ...segments.failure(error, ask), watermarks }
    }
    return { kind: 'data', chunks, sizeBytes, ...watermarks }
  }

  /** Only the database may report that an offset does not exist (I15), because a consumer that receives this throws its position away. */
  async #outside(ask: FetchAsk): Promise<FetchAnswer> {
    const [state] = await this.#parts.log.partitions([ask])
    if (state === undefined) return { kind: 'error', error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    const { logStartOffset, highWatermark, lastStableOffset } = state
    const watermarks = { logStartOffset, highWatermark, lastStableOffset }
    if (ask.offset < logStartOffset || ask.offset > highWatermark) return { kind: 'error', error: 'OFFSET_OUT_OF_RANGE', watermarks }
    this.#parts.tails.forget(({ topicId, partition }) => topicId === ask.topicId && partition === ask.partition)
    return { kind: 'data', chunks: [], sizeBytes: 0, ...watermarks }
  }

  async #segments(ask: FetchAsk, tail: Tail, offset: number, maxBytes: number): Promise<readonly Segment[]> {
    const first = tail.segments[0]
    if (first !== undefined && first.baseOffset <= offset) return tail.segments.filter(({ lastOffset }) => lastOffset >= offset)
    const [found] = await this.#parts.log.find([
      { topicId: ask.topicId, partition: ask.partition, offset, maxBytes: Math.max(1, maxBytes), maxSegments: limits.segmentsPerFind },
    ])
    return found?.kind === 'found' ? found.segments : []
  }
}

/** The cost of reading a partition's bytes, relative to finding that there are none. */
const unitsOfRead = 10
