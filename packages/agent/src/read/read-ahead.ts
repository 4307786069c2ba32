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

export type ReadAheadLimits = Pick<Limits, 'readAheadMaxBytes' | 'readAheadRequestBytes'>

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
  /** Segments to read, and those of other partitions that may be read with them, because they are in the windows of their consumers. */
  #planned: Segment[] = []
  #possible: Segment[] = []
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
    this.#requestBytes = Math.min(limits.readAheadRequestBytes, fixedLimits.touchingReadBytes)
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

  /**
   * Plans the segments that follow an answer of `answerBytes`, as far as the window reaches. A large window is filled when half of it is used, with few and large reads: those of
   * other partitions in the same objects are read with them, and a run that ends beyond the window is left for the next time.
   */
  plan(found: readonly Segment[], answerBytes: number, windowBytes: number): void {
    if (windowBytes === 0) return
    const missing: Segment[] = []
    let missingStart = 0
    let start = 0
    for (const segment of found) {
      if (start >= answerBytes + windowBytes) break
      if (segment.sizeBytes > 0 && start + segment.sizeBytes > answerBytes && !this.#isComing(segment)) {
        if (missing.length === 0) missingStart = start
        missing.push(segment)
      }
      start += segment.sizeBytes
    }
    const isLarge = windowBytes > fixedLimits.readAheadLeastBytes
    const whole = isLarge ? withoutCutRun(missing, found) : missing
    const isDue = missingStart < answerBytes + (isLarge ? windowBytes / 2 : windowBytes)
    ;(isDue ? this.#planned : this.#possible).push(...whole)
  }

  /** Begins to read what was planned, as far as there is memory. A failure is left to the fetch that needs the bytes. */
  begin(): void {
    const planned = this.#planned
    const possible = this.#possible
    this.#planned = []
    this.#possible = []
    if (planned.length === 0) return
    const objects = new Set(planned.map(({ objectKey }) => objectKey))
    const beside = possible.filter(({ objectKey }) => objects.has(objectKey))
    this.#postponed = this.#beginSome(touchingSegments([...planned, ...beside], this.#requestBytes))
  }

  /** Continues after an answer, which has taken what was read ahead for it: before that, its bytes and those of the next answer had to share the memory. */
  resume(): void {
    if (this.#postponed.length === 0) return
    const postponed = this.#postponed
    this.#postponed = []
    this.#beginSome(postponed.filter(({ segments }) => !segments.every((segment) => this.#isComing(segment))))
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

  /** Reads become larger while the store answers them quickly. */
  #adapt(length: number, tookMs: number): void {
    const least = Math.min(this.#limits.readAheadRequestBytes, fixedLimits.touchingReadBytes)
    if (tookMs > fixedLimits.slowReadMs) this.#requestBytes = Math.max(least, this.#requestBytes / 2)
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

/** The missing segments without the last object's, if the partition has more segments in it and there are others to read. */
function withoutCutRun(missing: readonly Segment[], found: readonly Segment[]): readonly Segment[] {
  const last = missing.at(-1)
  const next = last === undefined ? undefined : found[found.indexOf(last) + 1]
  if (last === undefined || next?.objectKey !== last.objectKey) return missing
  const whole = missing.filter(({ objectKey }) => objectKey !== last.objectKey)
  return whole.length === 0 ? missing : whole
}

function placeOf({ objectKey, byteStart }: Segment): string {
  return `${objectKey}:${byteStart}`
}
