// Whole batches out of a segment's bytes: found by walking headers, checked, and given their offsets.
import { batchSizeAt, checkBatch, readBatchHeader } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'

export interface TakenBatches {
  /** Bytes to send, in order; each batch has its final base offset. */
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  /** The offset after the last batch taken; the offset asked for when none was. */
  readonly nextOffset: number
}

/** The stored bytes are not what was committed: an error to the reader, never an empty answer. */
export class CorruptSegmentError extends Error {
  override readonly name = 'CorruptSegmentError'
}

/** The bytes that were committed are not there, or not as they were. */
export function isCorrupt(error: unknown): error is Error {
  return (
    error instanceof CorruptSegmentError || (error instanceof ObjectStoreError && (error.kind === 'missing' || error.kind === 'corrupt'))
  )
}

/** Throws a CorruptSegmentError unless every batch of the segment is as it was committed. */
export function checkSegment(bytes: Uint8Array, segment: Segment, crc32c: Checksum): void {
  const { baseOffset: fromOffset, lastOffset } = segment
  takeBatches(bytes, segment, { fromOffset, untilOffset: lastOffset + 1, maxBytes: Number.POSITIVE_INFINITY, atLeastOne: true }, crc32c)
}

/** Below this a batch is copied with its new header: two slices would cost more than the copy. */
const copyBelowBytes = 4 * 1024
const baseOffsetBytes = 8

/**
 * Walks the batches of one segment from the one that holds `fromOffset`, up to but not including `untilOffset`, and takes whole ones within the budget.
 * `bytes` is the whole segment.
 */
export function takeBatches(
  bytes: Uint8Array,
  segment: Segment,
  ask: { readonly fromOffset: number; readonly untilOffset: number; readonly maxBytes: number; readonly atLeastOne: boolean },
  crc32c: Checksum,
): TakenBatches {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  let nextOffset = ask.fromOffset
  let baseOffset = segment.baseOffset
  let at = 0
  let full = false
  // To the end, also when nothing more is taken: only the sum of all batches proves that none before the first one taken says a wrong number of offsets.
  while (at < bytes.length) {
    const size = batchSizeAt(bytes, at)
    if (size === undefined || at + size > bytes.length) throw new CorruptSegmentError(`a batch is cut off at byte ${at}`)
    const { lastOffsetDelta } = readBatchHeader(bytes, at)
    const following = baseOffset + lastOffsetDelta + 1
    if (following > ask.fromOffset && !full) {
      const first = sizeBytes === 0 && ask.atLeastOne
      full = baseOffset >= ask.untilOffset || (!first && sizeBytes + size > ask.maxBytes)
      if (!full) {
        const checked = checkBatch(bytes, at, crc32c)
        if (checked.kind === 'error') throw new CorruptSegmentError(checked.message)
        place(chunks, bytes.subarray(at, at + size), baseOffset)
        sizeBytes += size
        nextOffset = following
      }
    }
    baseOffset = following
    at += size
  }
  if (baseOffset !== segment.lastOffset + 1)
    throw new CorruptSegmentError(`its batches end at offset ${baseOffset - 1}, not at ${segment.lastOffset}`)
  return { chunks, sizeBytes, nextOffset }
}

/** Stored bytes are shared and never written to: the base offset, which lies outside the checksum, goes into memory of its own. */
function place(chunks: Uint8Array[], batch: Uint8Array, baseOffset: number): void {
  const own = batch.length < copyBelowBytes ? Buffer.from(batch) : Buffer.allocUnsafe(baseOffsetBytes)
  own.writeBigInt64BE(BigInt(baseOffset), 0)
  chunks.push(own)
  if (own.length === baseOffsetBytes) chunks.push(batch.subarray(baseOffsetBytes))
}
