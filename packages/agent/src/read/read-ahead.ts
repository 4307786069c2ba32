// Reads ahead of consumers that read on where they ended: the bytes of their next answers are already in the cache when they ask, however slow the store is.
import { OldestFirstMap, OldestFirstSet } from '../core/oldest-first.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import type { Clock } from '../time/clock.ts'
import { Slots } from '../time/slots.ts'
import type { SegmentReader } from './segment-reader.ts'
import { type TouchingSegments, touchingSegments } from './touching-segments.ts'

/** Segments of a partition, in order, as a look-up found them. */
export interface KnownSegments {
  readonly segments: readonly Segment[]
  /** The monotonic time of the earliest look-up among them. */
  readonly atMs: number
  /** The partition's tail at that time. It is another one after the segments of the log were changed. */
  readonly tail: object
}

/** The records of one answer. */
export interface AnsweredRange {
  readonly offset: number
  readonly nextOffset: number
  readonly sizeBytes: number
}

/** Where a consumer of a partition ended, how much is read ahead of it, and the segments from there on. */
interface ReadPosition {
  nextOffset: number
  windowBytes: number
  known: KnownSegments | undefined
  answeredAtMs: number
}

/** Where a partition is planned: the bytes that its answer may have, those of them that are read even if no consumer reads on, and the window after them. */
export interface PlannedRange {
  readonly answerBytes: number
  readonly neededBytes?: number
  readonly windowBytes: number
}

export type ReadAheadLimits = Pick<Limits, 'readAheadMaxBytes' | 'readAheadRequestBytes' | 'mergeObjectBytes' | 'mergeSegmentBytes'>

export class ReadAhead {
  readonly #segments: Pick<SegmentReader, 'isComing' | 'readAhead' | 'aheadBytes'>
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #limits: ReadAheadLimits
  readonly #positions = new OldestFirstMap<string, ReadPosition[]>()
  /** Those with known segments, the one answered longest ago first. */
  readonly #informed = new OldestFirstSet<ReadPosition>()
  readonly #slots = new Slots(fixedLimits.readsAheadOfConsumers)
  readonly #pending = new Set<string>()
  readonly #never = new AbortController().signal
  /** Segments to read, those of other partitions that may be read with them, because they are in the windows of their consumers, and those that the answer itself needs. */
  #planned: Segment[] = []
  #possible: Segment[] = []
  #needed: Segment[] = []
  /** What was planned, in order, and found no memory. */
  #postponed: readonly TouchingSegments[] = []
  #pendingBytes = 0
  /** The size of a read, as the store has answered the last ones. */
  #requestBytes: number

  constructor(
    segments: Pick<SegmentReader, 'isComing' | 'readAhead' | 'aheadBytes'>,
    clock: Pick<Clock, 'monotonic'>,
    limits: ReadAheadLimits,
  ) {
    this.#segments = segments
    this.#clock = clock
    this.#limits = limits
    this.#requestBytes = Math.max(this.#leastRequestBytes, limits.readAheadRequestBytes / 2)
  }

  /** How many bytes after its answer a fetch from this offset should find in memory. 0: no consumer has ended there. */
  windowAt(partition: string, offset: number): number {
    const position = this.#positions.get(partition)?.find(({ nextOffset }) => nextOffset === offset)
    return position === undefined ? 0 : Math.min(position.windowBytes, this.#shareBytes)
  }

  /**
   * The segments from this offset on, if a consumer has ended there and they were looked up a short time ago, under the same tail. Later they may have been replaced (a compacted log,
   * damage that was skipped), and their objects removed.
   */
  knownAt(partition: string, offset: number, tail: object): KnownSegments | undefined {
    const known = this.#positions.get(partition)?.find(({ nextOffset }) => nextOffset === offset)?.known
    if (known === undefined || known.tail !== tail) return undefined
    return this.#clock.monotonic() - known.atMs <= fixedLimits.knownSegmentsMs ? known : undefined
  }

  /** A fetch from `offset` was answered with `sizeBytes`, the records before `nextOffset`, out of `found`. */
  answered(partition: string, { offset, nextOffset, sizeBytes }: AnsweredRange, found: KnownSegments): void {
    const positions = this.#positions.get(partition) ?? []
    let position = positions.find((one) => one.nextOffset === offset)
    if (position === undefined) {
      // A fetch that waits for more looks several times.
      if (positions.some((one) => one.nextOffset === nextOffset)) return
      position = { nextOffset, windowBytes: 0, known: undefined, answeredAtMs: 0 }
      positions.push(position)
      if (positions.length > fixedLimits.readPositionsPerPartition) positions.shift()
    } else {
      position.nextOffset = nextOffset
      // The next answer is likely as large as this one: less would not cover it.
      const widerBytes = Math.max(fixedLimits.readAheadGrowth * position.windowBytes, fixedLimits.readAheadFirstBytes, sizeBytes)
      position.windowBytes = Math.min(widerBytes, this.#limits.readAheadMaxBytes)
    }
    this.#inform(position, found)
    this.#positions.set(partition, positions)
    if (this.#positions.size <= fixedLimits.readPositionPartitions) return
    const oldest = this.#positions.oldestKey()
    if (oldest !== undefined) this.#positions.delete(oldest)
  }

  /** How many bytes after its window a partition's share of an object may have, so that a look-up finds the whole run that begins in the window. */
  runBytesAfter(windowBytes: number): number {
    if (windowBytes <= fixedLimits.readAheadLeastBytes) return 0
    return Math.max(this.#limits.mergeSegmentBytes, this.#limits.mergeObjectBytes / Math.max(1, this.#informed.size))
  }

  /**
   * Plans the segments that follow an answer, as far as the window reaches. A large window is filled when half of it is used, with few and large reads: those of other partitions in
   * the same objects are read with them, and a run of one object that begins in the window is read to its end.
   */
  plan(found: readonly Segment[], { answerBytes, neededBytes = 0, windowBytes }: PlannedRange): void {
    const missing: Segment[] = []
    const isLarge = windowBytes > fixedLimits.readAheadLeastBytes
    const togetherBytes = this.#requestBytes > fixedLimits.touchingReadBytes ? neededBytes : 0
    let missingStart = 0
    let start = 0
    for (const segment of found) {
      const isWanted =
        (windowBytes > 0 && start < answerBytes + windowBytes) || (isLarge && missing.at(-1)?.objectKey === segment.objectKey)
      const isNeeded = start < togetherBytes && segment.sizeBytes >= fixedLimits.readAheadFirstBytes
      if (!isWanted && start >= togetherBytes) break
      const isAhead = isWanted && segment.sizeBytes > 0 && start + segment.sizeBytes > answerBytes
      if ((isAhead || isNeeded) && !this.#isComing(segment)) {
        if (isNeeded) this.#needed.push(segment)
        if (isAhead && missing.length === 0) missingStart = start
        if (isAhead) missing.push(segment)
      }
      start += segment.sizeBytes
    }
    const isDue = missingStart < answerBytes + (isLarge ? windowBytes / 2 : windowBytes)
    ;(isDue ? this.#planned : this.#possible).push(...missing)
  }

  /** Begins to read what was planned, as far as there is memory. A failure is left to the fetch that needs the bytes. */
  begin(): void {
    const planned = [...this.#neededTogether(), ...this.#planned]
    const possible = this.#possible
    this.#planned = []
    this.#possible = []
    if (planned.length === 0) return
    const asked = new Map(planned.map((segment) => [placeOf(segment), segment]))
    const objects = new Set(planned.map(({ objectKey }) => objectKey))
    for (const beside of [...possible, ...this.#besideOf(objects)])
      if (objects.has(beside.objectKey) && !this.#isComing(beside)) asked.set(placeOf(beside), beside)
    this.#postponed = this.#beginSome(touchingSegments(asked.values(), { maxBytes: this.#requestBytes, leastPart: readPart }))
  }

  /** Continues after an answer, which has taken what was read ahead for it: before that, its bytes and those of the next answer had to share the memory. */
  resume(): void {
    if (this.#postponed.length === 0) return
    const postponed = this.#postponed
    this.#postponed = []
    this.#beginSome(postponed.filter(({ segments }) => !segments.every((segment) => this.#isComing(segment))))
  }

  /** What answers need of many partitions in one object, if one read cannot have it otherwise. The answers wait for the same requests. */
  #neededTogether(): readonly Segment[] {
    const needed = this.#needed
    this.#needed = []
    return touchingSegments(needed, { maxBytes: this.#requestBytes, leastPart: readPart }).flatMap(({ length, segments }) =>
      length > fixedLimits.touchingReadBytes && segments.length > 1 ? segments : [],
    )
  }

  /** What consumers read next in these objects, as far as it is known: a client asks for its partitions in turn, and several clients share the partitions of a topic. */
  *#besideOf(objects: ReadonlySet<string>): Iterable<Segment> {
    if (this.#informed.size > fixedLimits.readPositionsBeside) return
    for (const { known } of this.#informed) {
      if (known === undefined) continue
      for (const segment of known.segments) if (segment.sizeBytes > 0 && objects.has(segment.objectKey)) yield segment
    }
  }

  /** Returns those for which there is no memory. */
  #beginSome(touching: readonly TouchingSegments[]): readonly TouchingSegments[] {
    for (const [index, one] of touching.entries()) {
      if (this.#pendingBytes + one.length > this.#segments.aheadBytes) return touching.slice(index)
      this.#begin(one)
    }
    return []
  }

  /** Keeps what follows the position, and forgets what is too old to be used: a consumer that has ended leaves nothing. */
  #inform(position: ReadPosition, found: KnownSegments): void {
    const nowMs = this.#clock.monotonic()
    const segments = found.segments.filter(({ lastOffset }) => lastOffset >= position.nextOffset)
    this.#informed.delete(position)
    position.known = segments.length === 0 ? undefined : { ...found, segments }
    position.answeredAtMs = nowMs
    if (position.known !== undefined) this.#informed.add(position)
    for (let oldest = this.#informed.oldest(); oldest !== undefined; oldest = this.#informed.oldest()) {
      if (nowMs - oldest.answeredAtMs <= fixedLimits.knownSegmentsMs) return
      oldest.known = undefined
      this.#informed.delete(oldest)
    }
  }

  /** What each of the consumers that read now may have: together they have what may be read ahead. */
  get #shareBytes(): number {
    const { readAheadMaxBytes } = this.#limits
    return Math.max(Math.min(readAheadMaxBytes, fixedLimits.readAheadLeastBytes), readAheadMaxBytes / Math.max(1, this.#informed.size))
  }

  get #leastRequestBytes(): number {
    return Math.min(this.#limits.readAheadRequestBytes, fixedLimits.touchingReadBytes)
  }

  /** Reads become larger while the store answers them quickly. */
  #adapt(length: number, tookMs: number): void {
    if (tookMs > fixedLimits.slowReadMs) this.#requestBytes = Math.max(this.#leastRequestBytes, this.#requestBytes / 2)
    else if (tookMs < fixedLimits.quickReadMs && length > this.#requestBytes / 2)
      this.#requestBytes = Math.min(this.#limits.readAheadRequestBytes, this.#requestBytes * fixedLimits.readAheadGrowth)
  }

  #isComing(segment: Segment): boolean {
    return this.#pending.has(placeOf(segment)) || this.#segments.isComing(segment)
  }

  #begin(touching: TouchingSegments): void {
    const { segments, length } = touching
    for (const segment of segments) this.#pending.add(placeOf(segment))
    this.#pendingBytes += length
    const read = async (): Promise<void> => {
      const beganMs = this.#clock.monotonic()
      await this.#segments.readAhead(touching)
      this.#adapt(length, this.#clock.monotonic() - beganMs)
    }
    void this.#slots.run(read, this.#never).then(() => {
      for (const segment of segments) this.#pending.delete(placeOf(segment))
      this.#pendingBytes -= length
    })
  }
}

/** Of a read that spans gaps, what was asked for is at least so much: the rest mostly belongs to partitions whose turn is next. */
const readPart = 1 / 2

function placeOf({ objectKey, byteStart }: Segment): string {
  return `${objectKey}:${byteStart}`
}
