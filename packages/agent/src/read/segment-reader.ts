// The one door to a segment's stored bytes, for Fetch and for ListOffsets: it reads them, checks them, and says what a failure means for the partition.
import type { Checksum } from '../core/checksum.ts'
import type { TopicPartition } from '../core/ids.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { CachedObjects } from '../objects/wrappers/cached.ts'
import type { EventHook } from '../observe/events.ts'
import {
  checkSegment,
  DamagedOffsetsError,
  isCorrupt,
  type Salvage,
  salvage,
  type TakenBatches,
  takeBatches,
  takeSalvaged,
} from './batches.ts'
import type { Damage, DamageReports } from './damage.ts'

export interface SegmentRead {
  readonly of: TopicPartition
  readonly segment: Segment
  readonly signal: AbortSignal
  /** The bytes, from a read that has begun. Absent: the store is read now. */
  readonly begun?: Promise<Uint8Array>
}

/** The bytes of a segment; `left` if they are not as they were committed. */
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

  /** The stored bytes, unchecked. */
  fetch(segment: Segment, signal: AbortSignal): Promise<Uint8Array> {
    return this.#parts.objects.read(segment.objectKey, rangeOf(segment), signal)
  }

  /** The wanted batches. Of a damaged segment those that are intact; the damage is reported. */
  async take(read: SegmentRead, wanted: Parameters<typeof takeBatches>[2]): Promise<TakenBatches> {
    const { segment } = read
    const { crc32c } = this.#parts
    try {
      return await this.#checked(read, (bytes) => takeBatches(bytes, segment, wanted, crc32c))
    } catch (error) {
      if (!isCorrupt(error)) throw error
      return await this.#takeSound(read, wanted, inSentence(error))
    }
  }

  /** All that is left of the segment, with every batch checked; the damage is reported. Rejects with an ObjectStoreError when the store is away. */
  async examine(read: SegmentRead): Promise<ExaminedSegment> {
    const { segment } = read
    const { crc32c } = this.#parts
    try {
      return await this.#checked(read, (bytes) => {
        checkSegment(bytes, segment, crc32c)
        return { bytes }
      })
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
  async #checked<T>({ of, segment, signal, begun }: SegmentRead, check: (bytes: Uint8Array) => T): Promise<T> {
    const { objects, crc32c, damage } = this.#parts
    const { objectKey } = segment
    const isKnown = damage.has(objectKey)
    if (isKnown) objects.forget(objectKey)
    for (let isLast = isKnown; ; isLast = true) {
      try {
        const bytes = await (isLast || begun === undefined ? this.fetch(segment, signal) : begun)
        if (isKnown) {
          checkSegment(bytes, segment, crc32c)
          damage.healed(of, segment)
        }
        return check(bytes)
      } catch (error) {
        if (!isCorrupt(error)) throw error
        objects.forget(objectKey)
        if (isLast) throw error
      }
    }
  }

  /** Reads the rest of a damaged segment. */
  async #takeSound(read: SegmentRead, wanted: Parameters<typeof takeBatches>[2], message: string): Promise<TakenBatches> {
    const { bytes, left } = await this.#salvaged(read, message)
    return left === undefined ? takeBatches(bytes, read.segment, wanted, this.#parts.crc32c) : takeSalvaged(bytes, left, wanted)
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
