// The read path: plan under byte budgets, read from cache or store, wait for more, gather. Memory answers data; its absence is always asked of the database.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import { nextBudget } from '../core/log/fetch-plan.ts'
import { limits } from '../limits.ts'
import type { LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import type { CachedObjects } from '../objects/cached.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import type { Owners } from '../view/owners.ts'
import type { Tail, Tails } from '../view/tails.ts'
import type { AnswerClaim } from './answer-memory.ts'
import { isCorrupt, type TakenBatches, takeBatches } from './batches.ts'

export interface FetchAsk extends TopicPartition {
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchOptions {
  /** How long to wait while fewer than `minBytes` are there. */
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** Up to the last stable offset instead of the high watermark. */
  readonly readCommitted: boolean
  readonly signal: AbortSignal
  /** What the answer may hold of the memory of all answers; where there is none left, the answer is smaller, or waits. Absent: it is not counted. */
  readonly claim?: AnswerClaim
}

export type FetchAnswer =
  | ({
      readonly kind: 'data' /** Whole batches with their final offsets; empty when there is nothing (yet). */
      readonly chunks: readonly Uint8Array[]
      readonly sizeBytes: number
    } & Watermarks)
  | { readonly kind: 'error'; readonly error: KafkaErrorName; readonly watermarks?: Watermarks }

export interface ReaderParts {
  readonly log: Pick<LogIndex, 'find' | 'partitions'>
  readonly objects: CachedObjects
  readonly tails: Tails
  readonly owners: Owners
  readonly clock: Clock
  readonly emit: EventHook
  readonly crc32c: Checksum
}

export class Reader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** Answers in the order asked. At once when nothing need be waited for: enough bytes, an error, or no time. Rejects with a MetadataError when the database is away. */
  async fetch(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const { clock, tails } = this.#parts
    const { claim } = options
    const deadline = clock.monotonic() + Math.min(options.maxWaitMs, limits.fetchWaitMs)
    for (;;) {
      const grown = Promise.withResolvers<void>()
      // Watched before the look, so that what is committed in between is not missed.
      const unwatch = tails.watch(asks, grown.resolve)
      let unwatchMemory: (() => void) | undefined
      const timer = clock.after(Math.max(0, deadline - clock.monotonic()), grown.resolve)
      const onAbort = (): void => grown.resolve()
      options.signal.addEventListener('abort', onAbort)
      try {
        const answers = await this.#fetchOnce(asks, options)
        const sizeBytes = answers.reduce((sum, answer) => sum + (answer.kind === 'data' ? answer.sizeBytes : 0), 0)
        const full = claim?.refused === true
        const enough =
          asks.length === 0 || (full ? sizeBytes > 0 : sizeBytes >= options.minBytes) || answers.some(({ kind }) => kind === 'error')
        if (enough || options.signal.aborted || clock.monotonic() >= deadline) return answers
        // Who waits holds nothing of the memory that others wait for.
        claim?.release()
        if (full) unwatchMemory = claim.watch(grown.resolve)
        await grown.promise
      } finally {
        unwatch()
        unwatchMemory?.()
        timer.cancel()
        // The signal may live as long as the connection or a tail: nothing may pile up on it.
        options.signal.removeEventListener('abort', onAbort)
      }
    }
  }

  async #fetchOnce(asks: readonly FetchAsk[], options: FetchOptions): Promise<readonly FetchAnswer[]> {
    const loaded = await this.#parts.tails.loaded(
      asks.filter(({ topicId, partition }) => this.#parts.owners.ofPartition(topicId, partition).mine),
    )
    const tails = new Map(
      loaded.flatMap((tail) => (tail === undefined ? [] : [[partitionKey(tail.topicId, tail.partition), tail] as const])),
    )
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
    }
    return answers
  }

  async #one(
    ask: FetchAsk,
    tail: Tail | undefined,
    request: Pick<FetchOptions, 'readCommitted' | 'signal' | 'claim'> & { readonly maxBytes: number; readonly taken: number },
  ): Promise<FetchAnswer> {
    if (!this.#parts.owners.ofPartition(ask.topicId, ask.partition).mine) return { kind: 'error', error: 'NOT_LEADER_OR_FOLLOWER' }
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
    try {
      const chunks: Uint8Array[] = []
      let sizeBytes = 0
      for (let offset = ask.offset; offset < end; ) {
        const segments = await this.#segments(ask, tail, offset, budget.bytes - sizeBytes)
        if (segments.length === 0) break
        const before = offset
        for (const segment of segments) {
          const room = budget.bytes - sizeBytes
          const atLeastOne = budget.atLeastOne && sizeBytes === 0
          if ((room <= 0 && !atLeastOne) || request.claim?.reserve(segment.sizeBytes) === false) break
          const taken = await this.#take(segment, { fromOffset: offset, untilOffset: end, maxBytes: room, atLeastOne }, request.signal)
          request.claim?.giveBack(segment.sizeBytes - taken.sizeBytes)
          chunks.push(...taken.chunks)
          sizeBytes += taken.sizeBytes
          offset = taken.nextOffset
          if (taken.nextOffset <= segment.lastOffset) break
        }
        if (offset === before || sizeBytes >= budget.bytes) break
      }
      return { kind: 'data', chunks, sizeBytes, ...watermarks }
    } catch (error) {
      return this.#failed(ask, error, watermarks)
    }
  }

  /** Only the database may say that an offset does not exist (I15): a consumer that hears it throws its position away. */
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

  /** A corrupt read may be the store's moment of weakness or the cache's: it is made once more, past the cache. */
  async #take(segment: Segment, ask: Parameters<typeof takeBatches>[2], signal: AbortSignal): Promise<TakenBatches> {
    const { objects, crc32c } = this.#parts
    const range = { start: segment.byteStart, length: segment.sizeBytes }
    try {
      return takeBatches(await objects.read(segment.objectKey, range, signal), segment, ask, crc32c)
    } catch (error) {
      if (!isCorrupt(error)) throw error
      objects.forget(segment.objectKey)
      return takeBatches(await objects.read(segment.objectKey, range, signal), segment, ask, crc32c)
    }
  }

  #failed(ask: FetchAsk, error: unknown, watermarks: Watermarks): FetchAnswer {
    const { emit } = this.#parts
    if (isCorrupt(error))
      emit({ kind: 'corrupt data', topicId: ask.topicId, partition: ask.partition, offset: ask.offset, message: error.message })
    else if (error instanceof ObjectStoreError) emit({ kind: 'store trouble', operation: 'read', message: error.message })
    else throw error
    return { kind: 'error', error: 'KAFKA_STORAGE_ERROR', watermarks }
  }
}
