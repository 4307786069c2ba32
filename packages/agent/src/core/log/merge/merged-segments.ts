// Lays out the batches of consecutive segments as fewer and larger segments: the bytes stay as they are, only the rows change.
import { readBatchHeader } from '@local-kafka-service/protocol'
import { assert } from '../../assert.ts'
import { batchesOf, type IntactSegment } from '../compaction/compact-segment.ts'
import type { LaidOutSegments, NewSegment } from '../compaction/compacted-segments.ts'

/** What bounds a merged segment. */
export interface MergedSegmentBounds {
  /** A segment of several batches is at most so large: its row is the seek index. */
  readonly segmentBytes: number
  /** The topic's `segment.bytes` and `segment.ms`: retention removes whole segments, so these must not grow beyond what Kafka would remove at once. */
  readonly topicSegmentBytes: number
  readonly topicSegmentMs: number
}

/** `valueOf` gives the value of a topic's config by its Kafka name. */
export function mergedSegmentBounds(segmentBytes: number, valueOf: (name: 'segment.bytes' | 'segment.ms') => string): MergedSegmentBounds {
  return { segmentBytes, topicSegmentBytes: Number(valueOf('segment.bytes')), topicSegmentMs: Number(valueOf('segment.ms')) }
}

/** `chunks`: the bytes of the sources. */
export interface MergedRunOfSegments extends LaidOutSegments {
  readonly chunks: readonly Uint8Array[]
}

export interface SourceSegment extends IntactSegment {
  readonly lastOffset: number
  readonly maxTimestamp: number
}

/** Add the segments of one log in order, without a gap. */
export class MergedSegments {
  readonly #bounds: MergedSegmentBounds
  readonly #chunks: Uint8Array[] = []
  readonly #segments: NewSegment[] = []
  #batchCount = 0
  #sizeBytes = 0
  /** The timestamp with which the last segment begins. */
  #firstTimestamp = -1

  constructor(bounds: MergedSegmentBounds) {
    this.#bounds = bounds
  }

  /** Yields the size of each batch, so that the caller can let other work run in between. */
  *add(source: SourceSegment): Generator<number, void> {
    const { bytes } = source
    let begins = this.#mustBegin(source)
    let nextOffset = source.baseOffset
    for (const { at, sizeBytes, baseOffset, lastOffset } of batchesOf(source)) {
      yield sizeBytes
      const { recordCount, maxTimestamp } = readBatchHeader(bytes, at)
      this.#addBatch({ baseOffset, lastOffset, sizeBytes, maxTimestamp: recordCount === 0 ? -1 : maxTimestamp }, begins)
      begins = false
      nextOffset = lastOffset + 1
    }
    assert(nextOffset === source.lastOffset + 1, 'the batches of an intact segment end at its last offset')
    this.#chunks.push(bytes)
  }

  finish(): MergedRunOfSegments {
    return { segments: this.#segments, chunks: this.#chunks, batchCount: this.#batchCount }
  }

  /** The topic's bounds hold between sources only: within one, its row has already been larger. */
  #mustBegin({ bytes, maxTimestamp }: SourceSegment): boolean {
    const { topicSegmentBytes, topicSegmentMs } = this.#bounds
    const last = this.#segments.at(-1)
    if (last === undefined) return true
    const isLater = this.#firstTimestamp >= 0 && maxTimestamp - this.#firstTimestamp > topicSegmentMs
    return isLater || last.sizeBytes + bytes.length > topicSegmentBytes
  }

  #addBatch({ baseOffset, lastOffset, sizeBytes, maxTimestamp }: Omit<NewSegment, 'byteStart'>, begins: boolean): void {
    const last = this.#segments.at(-1)
    const joins = !begins && last !== undefined && last.sizeBytes + sizeBytes <= this.#bounds.segmentBytes
    if (joins) this.#segments.pop()
    else this.#firstTimestamp = maxTimestamp
    this.#segments.push({
      baseOffset: joins ? last.baseOffset : baseOffset,
      lastOffset,
      byteStart: joins ? last.byteStart : this.#sizeBytes,
      sizeBytes: (joins ? last.sizeBytes : 0) + sizeBytes,
      maxTimestamp: joins ? Math.max(last.maxTimestamp, maxTimestamp) : maxTimestamp,
    })
    this.#batchCount += 1
    this.#sizeBytes += sizeBytes
  }
}
