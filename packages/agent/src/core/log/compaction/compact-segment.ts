// One segment through log compaction: each of its batches is kept, written again, or left out.
import { attributeBits, type BatchHeader, batchSizeAt, readBatchHeader } from '@local-kafka-service/protocol'
import { must } from '../../assert.ts'
import { markerOutcome } from '../control-batch.ts'
import { isFiller } from '../empty-batch.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import { addKeys, type CompactedBatch, type CompactionReaders, type CompactionRules, compactBatch, compactMarker } from './compact-batch.ts'
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
  rules: SegmentRules,
  readers: CompactionReaders,
  into: Pick<CompactedSegments, 'keep' | 'removeAbort'>,
): Generator<number, boolean> {
  const { bytes } = segment
  let differs = false
  for (const { at, sizeBytes, baseOffset, lastOffset } of batchesOf(segment)) {
    yield sizeBytes
    const header = readBatchHeader(bytes, at)
    if (isFiller(header)) continue
    const compacted = isMarker(header)
      ? ofMarker(segment, { at, baseOffset }, { rules, readers, into })
      : ofRecords(segment, { at, baseOffset }, rules, readers)
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

export interface SegmentRules extends CompactionRules {
  /** Of all segments that the pass has read before. */
  readonly transactions: CleanedTransactions
}

type Place = Pick<PlacedBatch, 'at' | 'baseOffset'>

function ofRecords(segment: IntactSegment, { at, baseOffset }: Place, rules: SegmentRules, readers: CompactionReaders): CompactedBatch {
  const header = readBatchHeader(segment.bytes, at)
  const aborted = isAborted(header, baseOffset, segment)
  if ((header.attributes & attributeBits.transactional) !== 0) rules.transactions.meetBatch(header.producerId, aborted ? 'abort' : 'commit')
  return compactBatch(segment.bytes, { at, baseOffset, isAborted: aborted }, rules, readers)
}

/** A marker says how a transaction ended: it stays as long as there are records of the transaction. */
function ofMarker(
  { bytes }: IntactSegment,
  { at, baseOffset }: Place,
  of: { readonly rules: SegmentRules; readonly readers: CompactionReaders; readonly into: Pick<CompactedSegments, 'removeAbort'> },
): CompactedBatch {
  const { rules, readers, into } = of
  const { producerId } = readBatchHeader(bytes, at)
  const outcome = markerOutcome(bytes, at, readers)
  const isOfNothing = outcome === undefined || rules.transactions.meetMarker(producerId, outcome)
  if (!isOfNothing || baseOffset >= rules.endOffset) return { kind: 'kept' }
  const compacted = compactMarker(bytes, at, rules, readers)
  if (outcome === 'abort' && !hasRecord(compacted)) into.removeAbort(baseOffset)
  return compacted
}

function hasRecord(compacted: CompactedBatch): boolean {
  if (compacted.kind === 'rewritten') return readBatchHeader(compacted.bytes, 0).recordCount > 0
  return compacted.kind === 'kept'
}

function isMarker({ attributes }: BatchHeader): boolean {
  return (attributes & attributeBits.control) !== 0
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
