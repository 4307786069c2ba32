// Whole batches from a segment's bytes: found by walking headers, checked, and given their offsets.
import { batchLayout, batchSizeAt, checkStoredBatch, readBatchHeader } from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import { isFiller } from '../core/log/empty-batch.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'

export interface TakenBatches {
  /** The bytes to send, in order; each batch has its final base offset. */
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  /** The offset after the last batch; the requested offset if there is none. */
  readonly nextOffset: number
}

/** The stored bytes are not those that were committed: the reader gets an error, never an empty answer. */
export class CorruptSegmentError extends Error {
  override readonly name = 'CorruptSegmentError'
}

/** The requested offset lies in damaged bytes; the offsets before and after them can be read. */
export class DamagedOffsetsError extends Error {
  override readonly name = 'DamagedOffsetsError'
  readonly damage: SegmentDamage

  constructor(damage: SegmentDamage) {
    super(damage.message)
    this.damage = damage
  }
}

/** Offsets of one segment that cannot be read. */
export interface SegmentDamage {
  readonly offset: number
  readonly lastOffset: number
  readonly objectKey: string
  readonly damageKind: DamageKind
  readonly message: string
}

/** `missing`: none of the bytes exist. `cut off`: the last ones do not. `changed`: all exist, but a checksum is wrong. */
export type DamageKind = 'missing' | 'cut off' | 'changed'

/** The committed bytes are missing or changed. */
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

/** A batch with a right checksum: `at` is its first byte in the segment. */
export interface SoundBatch {
  readonly at: number
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
}

/** The readable rest of a damaged segment. */
export interface Salvage {
  /** In the order of offsets, all with a valid checksum. */
  readonly sound: readonly SoundBatch[]
  readonly damage: SegmentDamage
}

/**
 * The readable rest of a segment whose bytes are not as they were committed; undefined if they are. `bytes` may be shorter than the segment. The checksums of
 * all earlier batches prove the offsets of the batches before the damage; those of all batches up to the segment's end prove the offsets after it.
 */
export function salvage(bytes: Uint8Array, segment: Segment, message: string, crc32c: Checksum): Salvage | undefined {
  const batches: { at: number; sizeBytes: number; offsets: number; sound: boolean }[] = []
  let at = 0
  while (at < bytes.length) {
    const sizeBytes = batchSizeAt(bytes, at)
    if (sizeBytes === undefined || at + sizeBytes > bytes.length) break
    const sound = checkStoredBatch(bytes, at, crc32c).kind === 'ok'
    batches.push({ at, sizeBytes, offsets: readBatchHeader(bytes, at).lastOffsetDelta + 1, sound })
    at += sizeBytes
  }
  const endsWhole = at === bytes.length && at === segment.sizeBytes
  const before: SoundBatch[] = []
  let baseOffset = segment.baseOffset
  for (const { at: start, sizeBytes, offsets, sound } of batches) {
    if (!sound || baseOffset + offsets - 1 > segment.lastOffset) break
    before.push({ at: start, sizeBytes, baseOffset, lastOffset: baseOffset + offsets - 1 })
    baseOffset += offsets
  }
  if (endsWhole && before.length === batches.length && baseOffset === segment.lastOffset + 1) return undefined
  const after: SoundBatch[] = []
  let lastOffset = segment.lastOffset
  for (const { at: start, sizeBytes, offsets, sound } of endsWhole ? batches.slice(before.length).toReversed() : []) {
    if (!sound || lastOffset - offsets + 1 <= baseOffset) break
    after.unshift({ at: start, sizeBytes, baseOffset: lastOffset - offsets + 1, lastOffset })
    lastOffset -= offsets
  }
  const damageKind = bytes.length === 0 ? 'missing' : bytes.length < segment.sizeBytes ? 'cut off' : 'changed'
  return { sound: [...before, ...after], damage: { offset: baseOffset, lastOffset, objectKey: segment.objectKey, damageKind, message } }
}

/** Like `takeBatches`, but stops at the damage. Throws a DamagedOffsetsError when the requested offset is damaged. */
export function takeSalvaged(
  bytes: Uint8Array,
  { sound, damage }: Salvage,
  ask: { readonly fromOffset: number; readonly untilOffset: number; readonly maxBytes: number; readonly atLeastOne: boolean },
): TakenBatches {
  if (ask.fromOffset >= damage.offset && ask.fromOffset <= damage.lastOffset) throw new DamagedOffsetsError(damage)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  let nextOffset = ask.fromOffset
  for (const batch of sound) {
    if (batch.lastOffset < ask.fromOffset) continue
    const first = sizeBytes === 0 && ask.atLeastOne
    // This read ends before the damage, so that the next one begins at it and gets the error.
    const behindDamage = ask.fromOffset < damage.offset && batch.baseOffset > damage.lastOffset
    if (behindDamage || batch.baseOffset >= ask.untilOffset || (!first && sizeBytes + batch.sizeBytes > ask.maxBytes)) break
    place(chunks, bytes.subarray(batch.at, batch.at + batch.sizeBytes), batch.baseOffset)
    sizeBytes += batch.sizeBytes
    nextOffset = batch.lastOffset + 1
  }
  return { chunks, sizeBytes, nextOffset }
}

/** Below this size a batch is copied with its new header: two slices would cost more than the copy. */
const copyBelowBytes = 4 * 1024
/** The base offset is the first field. */
const baseOffsetBytes = batchLayout.length

/**
 * Walks the batches of one segment from the one that holds `fromOffset`, up to but not including `untilOffset`, and returns whole ones within the budget.
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
  // Walks to the end, also when nothing more is returned: only the sum of all batches proves that no earlier batch has a wrong number of offsets.
  while (at < bytes.length) {
    const size = batchSizeAt(bytes, at)
    if (size === undefined || at + size > bytes.length) throw new CorruptSegmentError(`a batch is cut off at byte ${at}`)
    const { lastOffsetDelta } = readBatchHeader(bytes, at)
    const following = baseOffset + lastOffsetDelta + 1
    if (following > ask.fromOffset && !full) {
      const first = sizeBytes === 0 && ask.atLeastOne
      full = baseOffset >= ask.untilOffset || (!first && sizeBytes + size > ask.maxBytes)
      if (!full) {
        const checked = checkStoredBatch(bytes, at, crc32c)
        if (checked.kind === 'error') throw new CorruptSegmentError(checked.message)
        // Like Kafka, clients receive nothing for offsets that log compaction has removed.
        if (!isFiller(checked.header)) {
          place(chunks, bytes.subarray(at, at + size), baseOffset)
          sizeBytes += size
        }
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

/** Stored bytes are shared and never written to, so the base offset, which the checksum does not cover, goes into memory of its own. */
function place(chunks: Uint8Array[], batch: Uint8Array, baseOffset: number): void {
  const own = batch.length < copyBelowBytes ? Buffer.from(batch) : Buffer.allocUnsafe(baseOffsetBytes)
  own.writeBigInt64BE(BigInt(baseOffset), 0)
  chunks.push(own)
  if (own.length === baseOffsetBytes) chunks.push(batch.subarray(baseOffsetBytes))
}
