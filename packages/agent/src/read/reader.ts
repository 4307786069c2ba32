// The read path: plans under byte budgets, reads from cache or store, waits for more, gathers. Memory may answer data; only the database confirms absence.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import { partitionKey, type TopicPartition } from '../core/ids.ts'
import { nextBudget } from '../core/log/fetch-plan.ts'
import { limits } from '../limits.ts'
import type { LogIndex, Segment, Watermarks } from '../metadata/metadata-store.ts'
import type { CachedObjects } from '../objects/cached.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { inSlices, type Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { Tail, Tails } from '../view/tails.ts'
import type { AnswerClaim } from './answer-memory.ts'
import { checkSegment, isCorrupt, salvage, type TakenBatches, takeBatches, takeSalvaged } from './batches.ts'
import { type Damage, type DamageReports, isReadTrouble, readFailure } from './damage.ts'

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
  readonly objects: CachedObjects
  readonly tails: Tails
  readonly owners: Owners
  readonly clock: Clock
  readonly turns: Turns
  readonly emit: EventHook
  readonly crc32c: Checksum
  readonly damage: DamageReports
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
    const deadline = clock.monotonic() + Math.min(options.maxWaitMs, limits.fetchWaitMs)
    for (;;) {
      const grown = Promise.withResolvers<void>()
      // Each partition is watched before it is read, so that a commit in between is not missed.
      const unwatch: (() => void)[] = []
      let unwatchMemory: (() => void) | undefined
      const timer = clock.after(Math.max(0, deadline - clock.monotonic()), grown.resolve)
      const onAbort = (): void => grown.resolve()
      options.signal.addEventListener('abort', onAbort)
      try {
        for await (const some of inSlices(asks, turns)) unwatch.push(tails.watch(some, grown.resolve))
        const answers = await this.#fetchOnce(asks, options)
        const sizeBytes = answers.reduce((sum, answer) => sum + (answer.kind === 'data' ? answer.sizeBytes : 0), 0)
        const full = claim?.refused === true
        const enough =
          asks.length === 0 || (full ? sizeBytes > 0 : sizeBytes >= options.minBytes) || answers.some(({ kind }) => kind === 'error')
        if (enough || options.signal.aborted || clock.monotonic() >= deadline) return answers
        // An answer that waits holds no memory that others wait for.
        claim?.release()
        if (full) unwatchMemory = claim.watch(grown.resolve)
        await grown.promise
      } finally {
        for (const one of unwatch) one()
        unwatchMemory?.()
        timer.cancel()
        // The signal may live as long as the connection or a tail, so listeners must not pile up on it.
        options.signal.removeEventListener('abort', onAbort)
      }
    }
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
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    try {
      for (let offset = ask.offset; offset < end; ) {
        const segments = await this.#segments(ask, tail, offset, budget.bytes - sizeBytes)
        if (segments.length === 0) break
        const before = offset
        for (const segment of segments) {
          const room = budget.bytes - sizeBytes
          const atLeastOne = budget.atLeastOne && sizeBytes === 0
          if ((room <= 0 && !atLeastOne) || request.claim?.reserve(segment.sizeBytes) === false) break
          const wanted = { fromOffset: offset, untilOffset: end, maxBytes: room, atLeastOne }
          const taken = await this.#take({ ask, segment, wanted, signal: request.signal }).catch((error: unknown) => {
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
      if (sizeBytes === 0 || !isReadTrouble(error)) return { kind: 'error', ...readFailure(error, ask, this.#parts.emit), watermarks }
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

  /** A corrupt read may come from the cache or from a passing fault of the store, so it is repeated once, past the cache. Damage that remains is reported. */
  async #take(read: SegmentRead): Promise<TakenBatches> {
    const { objects, crc32c, damage } = this.#parts
    const { ask, segment, wanted, signal } = read
    const range = { start: segment.byteStart, length: segment.sizeBytes }
    const isKnown = damage.has(segment.objectKey)
    if (isKnown) objects.forget(segment.objectKey)
    try {
      const bytes = await objects.read(segment.objectKey, range, signal)
      if (isKnown) {
        checkSegment(bytes, segment, crc32c)
        damage.healed(ask, segment)
      }
      return takeBatches(bytes, segment, wanted, crc32c)
    } catch (error) {
      if (!isCorrupt(error)) throw error
      objects.forget(segment.objectKey)
      if (isKnown) return await this.#takeSound(read, error.message)
    }
    try {
      return takeBatches(await objects.read(segment.objectKey, range, signal), segment, wanted, crc32c)
    } catch (error) {
      if (!isCorrupt(error)) throw error
      objects.forget(segment.objectKey)
      return await this.#takeSound(read, error.message)
    }
  }

  /** Reads the rest of a damaged segment. */
  async #takeSound({ ask, segment, wanted, signal }: SegmentRead, message: string): Promise<TakenBatches> {
    const { crc32c, damage } = this.#parts
    const bytes = await this.#remains(segment, signal)
    // The message becomes part of longer sentences.
    const left = salvage(bytes, segment, message.replace(/\.$/, ''), crc32c)
    if (left === undefined) return takeBatches(bytes, segment, wanted, crc32c)
    damage.report({ topicId: ask.topicId, partition: ask.partition, ...left.damage })
    return takeSalvaged(bytes, left, wanted)
  }

  /** The bytes of a segment that exist: fewer than it had if the object was cut off, none if it is missing. */
  async #remains(segment: Segment, signal: AbortSignal): Promise<Uint8Array> {
    const { objects } = this.#parts
    const range = { start: segment.byteStart, length: segment.sizeBytes }
    for (const asked of [range, { ...range, untilEnd: true }] as const) {
      try {
        return await objects.read(segment.objectKey, asked, signal)
      } catch (error) {
        if (!isCorrupt(error)) throw error
      }
    }
    return new Uint8Array()
  }
}

/** The cost of reading a partition's bytes, relative to finding that there are none. */
const unitsOfRead = 10

interface SegmentRead {
  readonly ask: FetchAsk
  readonly segment: Segment
  readonly wanted: Parameters<typeof takeBatches>[2]
  readonly signal: AbortSignal
}
