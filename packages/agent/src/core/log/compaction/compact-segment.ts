// One segment through log compaction: each of its batches is kept, written again, or left out.
import { attributeBits, type BatchHeader, batchSizeAt, readBatchHeader } from '@local-kafka-service/protocol'
import { must } from '../../assert.ts'
import { isFiller } from '../empty-batch.ts'
import { addKeys, type CompactionReaders, type CompactionRules, compactBatch } from './compact-batch.ts'
import type { CompactedSegments } from './compacted-segments.ts'
import type { KeyOffsets } from './key-offsets.ts'

/** The bytes of a segment whose batches are all as they were committed. */
export interface IntactSegment {
  readonly bytes: Uint8Array
  readonly baseOffset: number
  /** Whether the batch of the producer at the offset was aborted, if it is part of a transaction. Absent: none was. */
  readonly isAborted?: (producerId: number, baseOffset: number) => boolean
}

/**
 * Adds what is left of the segment to `into`, and returns whether it differs from the segment. Yields the size of each batch, so that the caller can let other
 * work run in between.
 */
export function* compactSegment(
  segment: IntactSegment,
  rules: CompactionRules,
  readers: CompactionReaders,
  into: Pick<CompactedSegments, 'keep'>,
): Generator<number, boolean> {
  const { bytes } = segment
  let differs = false
  for (const { at, sizeBytes, baseOffset, lastOffset } of batchesOf(segment)) {
    yield sizeBytes
    const header = readBatchHeader(bytes, at)
    if (isFiller(header)) continue
    const compacted = compactBatch(bytes, { at, baseOffset, isAborted: isAborted(header, baseOffset, segment) }, rules, readers)
    differs ||= compacted.kind !== 'kept'
    if (compacted.kind === 'removed') continue
    const { bytes: batch, maxTimestamp } =
      compacted.kind === 'rewritten'
        ? compacted
        : { bytes: bytes.subarray(at, at + sizeBytes), maxTimestamp: header.recordCount === 0 ? -1 : header.maxTimestamp }
    into.keep({ bytes: batch, baseOffset, lastOffset, maxTimestamp })
  }
  return differs
}

/** Puts the keys of the segment into the map. Returns the offset before which all keys are in it: the map may become full. Yields the size of each batch. */
export function* addSegmentKeys(
  segment: IntactSegment,
  latest: KeyOffsets,
  readers: Omit<CompactionReaders, 'crc32c'>,
): Generator<number, number> {
  let nextOffset = segment.baseOffset
  for (const { at, sizeBytes, baseOffset, lastOffset } of batchesOf(segment)) {
    yield sizeBytes
    const isLeftOut = isAborted(readBatchHeader(segment.bytes, at), baseOffset, segment)
    if (!isLeftOut && !addKeys(segment.bytes, { at, baseOffset }, latest, readers)) return nextOffset
    nextOffset = lastOffset + 1
  }
  return nextOffset
}

function isAborted({ attributes, producerId }: BatchHeader, baseOffset: number, segment: IntactSegment): boolean {
  const isData = (attributes & (attributeBits.transactional | attributeBits.control)) === attributeBits.transactional
  return isData && segment.isAborted?.(producerId, baseOffset) === true
}

export interface PlacedBatch {
  /** Its first byte in the segment. */
  readonly at: number
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
}

/** The batches of the segment, in order. */
export function* batchesOf({ bytes, baseOffset: firstOffset }: IntactSegment): Generator<PlacedBatch, void, undefined> {
  let baseOffset = firstOffset
  for (let at = 0; at < bytes.length; ) {
    const sizeBytes = must(batchSizeAt(bytes, at), 'the size of a batch in an intact segment')
    const lastOffset = baseOffset + readBatchHeader(bytes, at).lastOffsetDelta
    yield { at, sizeBytes, baseOffset, lastOffset }
    baseOffset = lastOffset + 1
    at += sizeBytes
  }
}
