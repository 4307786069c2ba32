// The one door to a segment's stored bytes, for Fetch and for ListOffsets: it reads them, checks them, and says what a failure means for the partition.
import type { Checksum } from '../core/checksum.ts'
import type { TopicPartition } from '../core/ids.ts'
import type { Limits } from '../limits.ts'
import type { Release } from '../memory/slab-pool.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { joinChunks } from '../objects/join-chunks.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { StoredRange } from '../objects/stored-range.ts'
import type { CachedObjects } from '../objects/wrappers/cached.ts'
import type { EventHook } from '../observe/events.ts'
import {
  type CheckedSegment,
  checkSegment,
  DamagedOffsetsError,
  isCorrupt,
  type Salvage,
  salvage,
  type TakenBatches,
  takeBatches,
  takeSalvaged,
  type WantedBatches,
} from './batches.ts'
import type { Damage, DamageReports } from './damage.ts'
import type { TouchingSegments } from './touching-segments.ts'

export interface SegmentRead {
  readonly of: TopicPartition
  readonly segment: Segment
  readonly signal: AbortSignal
  /** The bytes, from a read that has begun. The reader releases them. Absent: the store is read now. */
  readonly begun?: Promise<StoredRange>
}

/** Batches in memory that the cache shares with other readers. */
export interface HeldBatches extends TakenBatches {
  /** The chunks are valid until then. Must be called once. */
  readonly release: Release
}

/** The bytes of a segment, in memory of their own; `left` if they are not as they were committed. */
export interface ExaminedSegment {
  readonly bytes: Uint8Array
  readonly left?: Salvage
}

/** Why stored bytes could not be read, as the error of their partition. */
export interface ReadFailure {
  readonly error: 'CORRUPT_MESSAGE' | 'KAFKA_STORAGE_ERROR'
  /** With CORRUPT_MESSAGE. */
  readonly damage?: Damage
}

export interface SegmentReaderParts {
  readonly objects: CachedObjects
  readonly crc32c: Checksum
  readonly damage: DamageReports
  readonly emit: EventHook
  readonly limits: Pick<Limits, 'copiedPieceBytes'>
}

/** `take` and `examine` reject with an error that `failure` understands: a DamagedOffsetsError, or an ObjectStoreError when the store is away. */
export class SegmentReader {
  readonly #parts: SegmentReaderParts

  constructor(parts: SegmentReaderParts) {
    this.#parts = parts
  }

  /** Whether the segment is in memory. */
  isInMemory(segment: Segment): boolean {
    return this.#parts.objects.has(segment.objectKey, rangeOf(segment))
  }

  /** Whether the segment is in memory, or is being read. */
  isComing(segment: Segment): boolean {
    return this.#parts.objects.isComing(segment.objectKey, rangeOf(segment))
  }

  /** The stored bytes, unchecked. The caller releases them. */
  fetch(segment: Segment, signal: AbortSignal): Promise<StoredRange> {
    return this.#parts.objects.hold(segment.objectKey, rangeOf(segment), signal)
  }

  /** The bytes of all of the segments, for one request to the store. The caller releases them. */
  fetchTogether({ objectKey, start, length }: TouchingSegments, signal: AbortSignal): Promise<StoredRange> {
    return this.#parts.objects.hold(objectKey, { start, length }, signal)
  }

  /** Begins to bring the segments into memory, with one request to the store. Resolves when they are there, or the request has failed. Never rejects. */
  readAhead({ objectKey, start, length }: TouchingSegments): Promise<void> {
    return this.#parts.objects.readAhead(objectKey, { start, length })
  }

  /** How many bytes may still be read ahead. */
  get aheadBytes(): number {
    return this.#parts.objects.aheadBytes
  }

  /** The stored bytes, unchecked, if they are in memory. The caller releases them. */
  kept(segment: Segment): StoredRange | undefined {
    const { objects, damage } = this.#parts
    if (damage.has(segment.objectKey)) return undefined
    try {
      return objects.holdKept(segment.objectKey, rangeOf(segment))
    } catch (error) {
      // `take` reads the store, and reports what is wrong there.
      if (isCorrupt(error)) return undefined
      throw error
    }
  }

  /** The wanted batches, if all of the segment is in memory and as it was committed. `kept`: its bytes, which are released here or with the result. */
  takeInMemory(segment: Segment, wanted: WantedBatches, kept?: StoredRange): HeldBatches | undefined {
    const stored = kept ?? this.kept(segment)
    try {
      return stored && { ...takeBatches(this.#check(stored, segment), segment, wanted), release: () => stored.release() }
    } catch (error) {
      if (isCorrupt(error)) return undefined
      throw error
    }
  }

  /** The wanted batches. Of a damaged segment those that are intact; the damage is reported. */
  async take(read: SegmentRead, wanted: WantedBatches): Promise<HeldBatches> {
    try {
      const { stored, checked } = await this.#checked(read)
      return { ...takeBatches(checked, read.segment, wanted), release: () => stored.release() }
    } catch (error) {
      if (!isCorrupt(error)) throw error
      return await this.#takeSound(read, wanted, inSentence(error))
    }
  }

  /** All that is left of the segment, with every batch checked; the damage is reported. Rejects with an ObjectStoreError when the store is away. */
  async examine(read: SegmentRead): Promise<ExaminedSegment> {
    try {
      const { stored } = await this.#checked(read)
      const bytes = joinChunks(stored.pieces)
      stored.release()
      return { bytes }
    } catch (error) {
      if (!isCorrupt(error)) throw error
      return await this.#salvaged(read, inSentence(error))
    }
  }

  /**
   * The error of the partition after a failed read; rethrows any other error. Damage is CORRUPT_MESSAGE, as in Kafka. Of all codes of a partition it is the one
   * that Java's consumer throws to its application after a fetch, librdkafka's hands to it, and kafkajs reports after its retries. After KAFKA_STORAGE_ERROR and
   * UNKNOWN_SERVER_ERROR they ask again indefinitely, without a word or with a line in the log; after OFFSET_OUT_OF_RANGE they reset their position, and skip or
   * repeat records. A store that is away is KAFKA_STORAGE_ERROR: waiting is right.
   */
  failure(error: unknown, { topicId, partition }: TopicPartition): ReadFailure {
    if (!isReadFailure(error)) throw error
    if (error instanceof DamagedOffsetsError) return { error: 'CORRUPT_MESSAGE', damage: { topicId, partition, ...error.damage } }
    if (error.kind !== 'aborted') this.#parts.emit({ kind: 'store request failed', operation: 'read', message: error.message })
    return { error: 'KAFKA_STORAGE_ERROR' }
  }

  /**
   * Corrupt bytes may come from the cache or from a passing fault of the store, so the read is repeated once, past the cache. A segment that is known to be
   * damaged is read once, past the cache; if it is intact again, its damage is removed. Rejects with the last error.
   */
  async #checked({ of, segment, signal, begun }: SegmentRead): Promise<{ readonly stored: StoredRange; readonly checked: CheckedSegment }> {
    const { objects, damage } = this.#parts
    const { objectKey } = segment
    const isKnown = damage.has(objectKey)
    if (isKnown) {
      objects.forget(objectKey)
      begun?.then(
        (unused) => unused.release(),
        () => {},
      )
    }
    for (let isLast = isKnown; ; isLast = true) {
      try {
        const stored = await (isLast || begun === undefined ? this.fetch(segment, signal) : begun)
        const checked = this.#check(stored, segment)
        if (isKnown) damage.healed(of, segment)
        return { stored, checked }
      } catch (error) {
        if (!isCorrupt(error)) throw error
        objects.forget(objectKey)
        if (isLast) throw error
      }
    }
  }

  /** What was checked once is not checked again while it is in memory, unless it is so small that to remember it takes more memory. Releases the bytes if they are not as they were committed. */
  #check(stored: StoredRange, segment: Segment): CheckedSegment {
    const { crc32c, limits } = this.#parts
    const { pieces } = stored
    const rule = segment.sizeBytes < limits.copiedPieceBytes ? undefined : `batches ${segment.baseOffset} to ${segment.lastOffset}`
    if (rule !== undefined && stored.isVerified(rule)) return { pieces, hasEmptyBatches: false }
    try {
      const checked = checkSegment(stored, segment, crc32c)
      // Segments that log compaction has made are checked each time.
      if (rule !== undefined && !checked.hasEmptyBatches) stored.verify(rule)
      return checked
    } catch (error) {
      stored.release()
      throw error
    }
  }

  /** Reads the rest of a damaged segment, into memory of its own. */
  async #takeSound(read: SegmentRead, wanted: WantedBatches, message: string): Promise<HeldBatches> {
    const { segment } = read
    const { bytes, left } = await this.#salvaged(read, message)
    const taken =
      left === undefined
        ? takeBatches(checkSegment({ pieces: [bytes], isAsPut: false }, segment, this.#parts.crc32c), segment, wanted)
        : takeSalvaged(bytes, left, wanted)
    return { ...taken, release: () => {} }
  }

  async #salvaged({ of, segment, signal }: SegmentRead, message: string): Promise<ExaminedSegment> {
    const { crc32c, damage } = this.#parts
    const bytes = await this.#remains(segment, signal)
    const left = salvage(bytes, segment, message, crc32c)
    if (left === undefined) return { bytes }
    damage.report({ topicId: of.topicId, partition: of.partition, ...left.damage })
    return { bytes, left }
  }

  /** The bytes of a segment that exist: fewer than it had if the object was cut off, none if it is missing. */
  async #remains(segment: Segment, signal: AbortSignal): Promise<Uint8Array> {
    const { objects } = this.#parts
    const range = rangeOf(segment)
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

/** Whether `SegmentReader.failure` has an answer to the error. */
export function isReadFailure(error: unknown): error is DamagedOffsetsError | ObjectStoreError {
  return error instanceof DamagedOffsetsError || error instanceof ObjectStoreError
}

function rangeOf({ byteStart, sizeBytes }: Segment): { readonly start: number; readonly length: number } {
  return { start: byteStart, length: sizeBytes }
}

/** The message becomes part of longer sentences. */
function inSentence({ message }: Error): string {
  return message.replace(/\.$/, '')
}
