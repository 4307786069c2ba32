// Whole batches from a segment's bytes: found by walking headers, checked, and given their offsets.
import {
  batchLayout,
  batchSizeAt,
  checkStoredBatch,
  lastOffsetDeltaAt,
  patchBaseOffset,
  recordCountAt,
  storedBatchProblem,
} from '@local-kafka-service/protocol'
import type { Checksum } from '../core/checksum.ts'
import { isEmpty } from '../core/log/empty-batch.ts'
import type { Segment } from '../metadata/metadata-store.ts'
import { joinChunks } from '../objects/join-chunks.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import { sliceChunks } from '../objects/slice-chunks.ts'
import type { StoredRange } from '../objects/stored-range.ts'

export interface TakenBatches {
  /** The bytes to send, in order; each batch has its final base offset. Views of the segment's bytes. */
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

/** The offsets that are wanted of a segment. */
export interface WantedBatches {
  readonly fromOffset: number
  readonly untilOffset: number
  readonly maxBytes: number
  /** The first batch may be larger than `maxBytes`. */
  readonly atLeastOne: boolean
}

/** The whole segment, in order. */
export type StoredBytes = Pick<StoredRange, 'pieces' | 'isAsPut'>

/** The whole segment, in order, and whether log compaction has left empty batches in it: clients receive nothing for their offsets. */
export interface CheckedSegment {
  readonly pieces: readonly Uint8Array[]
  readonly hasEmptyBatches: boolean
}

/**
 * Throws a CorruptSegmentError unless every batch of the segment is as it was committed. Writes the final base offset of each batch into it: the checksum does not cover it, and
 * it is the same for every reader. `pieces` are the whole segment, in memory that may be written to. The checksums of bytes that are as they were put are not computed again: they were
 * verified at the admission of the batches.
 */
export function checkSegment({ pieces, isAsPut }: StoredBytes, segment: Segment, crc32c: Checksum): CheckedSegment {
  let baseOffset = segment.baseOffset
  let hasEmptyBatches = false
  walkBatches(pieces, ({ bytes, at, start, isCopy }) => {
    if (!isAsPut) mustBeIntact(bytes, at, crc32c)
    patchBaseOffset(bytes, at, baseOffset)
    if (isCopy) copyInto(pieces, start, bytes.subarray(0, baseOffsetBytes))
    hasEmptyBatches ||= isEmptyAt(bytes, at)
    baseOffset += lastOffsetDeltaAt(bytes, at) + 1
    return true
  })
  if (baseOffset !== segment.lastOffset + 1)
    throw new CorruptSegmentError(`its batches end at offset ${baseOffset - 1}, not at ${segment.lastOffset}`)
  return { pieces, hasEmptyBatches }
}

/** The wanted batches: whole ones within the budget, from the one that holds `fromOffset` up to but not including `untilOffset`. */
export function takeBatches({ pieces, hasEmptyBatches }: CheckedSegment, segment: Segment, wanted: WantedBatches): TakenBatches {
  const { fromOffset, untilOffset, maxBytes, atLeastOne } = wanted
  const isWhole = fromOffset <= segment.baseOffset && segment.lastOffset < untilOffset && segment.sizeBytes <= maxBytes
  if (isWhole && !hasEmptyBatches) return { chunks: pieces, sizeBytes: segment.sizeBytes, nextOffset: segment.lastOffset + 1 }
  const chunks: Uint8Array[] = []
  let baseOffset = segment.baseOffset
  let nextOffset = fromOffset
  let sizeBytes = 0
  // The batches since the last empty one.
  let run = { start: 0, length: 0 }
  walkBatches(pieces, ({ bytes, at, start, sizeBytes: size }) => {
    const following = baseOffset + lastOffsetDeltaAt(bytes, at) + 1
    if (following > fromOffset) {
      const isNeeded = sizeBytes === 0 && atLeastOne
      if (baseOffset >= untilOffset || (!isNeeded && sizeBytes + size > maxBytes)) return false
      if (!isEmptyAt(bytes, at)) {
        if (run.start + run.length !== start) {
          chunks.push(...sliceChunks(pieces, run))
          run = { start, length: 0 }
        }
        run.length += size
        sizeBytes += size
      }
      nextOffset = following
    }
    baseOffset = following
    return true
  })
  if (run.length > 0) chunks.push(...sliceChunks(pieces, run))
  return { chunks, sizeBytes, nextOffset }
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
    batches.push({ at, sizeBytes, offsets: lastOffsetDeltaAt(bytes, at) + 1, sound })
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
export function takeSalvaged(bytes: Uint8Array, { sound, damage }: Salvage, ask: WantedBatches): TakenBatches {
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

function mustBeIntact(bytes: Uint8Array, at: number, crc32c: Checksum): void {
  const problem = storedBatchProblem(bytes, at, crc32c)
  if (problem !== undefined) throw new CorruptSegmentError(problem.message)
}

function isEmptyAt(bytes: Uint8Array, at: number): boolean {
  return isEmpty({ recordCount: recordCountAt(bytes, at) })
}

/** One object for a whole walk: a segment has many batches. */
interface WalkedBatch {
  /** Has the whole batch at `at`: a piece, or a copy if the batch lies in several pieces. */
  bytes: Uint8Array
  at: number
  isCopy: boolean
  /** Its first byte in the segment. */
  start: number
  sizeBytes: number
}

/** Calls `visit` for each batch in order, until it returns false. Throws a CorruptSegmentError when a batch is cut off. */
function walkBatches(pieces: readonly Uint8Array[], visit: (batch: Readonly<WalkedBatch>) => boolean): void {
  const walked: WalkedBatch = { bytes: new Uint8Array(), at: 0, isCopy: false, start: 0, sizeBytes: 0 }
  let skip = 0
  for (const piece of pieces) {
    let at = skip
    while (at < piece.length) {
      const size = batchSizeAt(piece, at)
      walked.isCopy = size === undefined || at + size > piece.length
      walked.bytes = walked.isCopy ? batchIn(pieces, walked.start) : piece
      walked.at = walked.isCopy ? 0 : at
      walked.sizeBytes = size === undefined || walked.isCopy ? walked.bytes.length : size
      if (!visit(walked)) return
      walked.start += walked.sizeBytes
      at += walked.sizeBytes
    }
    skip = at - piece.length
  }
}

/** A copy of the batch that begins at the byte. */
function batchIn(pieces: readonly Uint8Array[], start: number): Uint8Array {
  const restBytes = pieces.reduce((sum, { length }) => sum + length, -start)
  const head = joinChunks(sliceChunks(pieces, { start, length: Math.min(batchLayout.leaderEpoch, restBytes) }))
  const sizeBytes = batchSizeAt(head, 0)
  if (sizeBytes === undefined || sizeBytes > restBytes) throw new CorruptSegmentError(`a batch is cut off at byte ${start}`)
  return joinChunks(sliceChunks(pieces, { start, length: sizeBytes }))
}

function copyInto(pieces: readonly Uint8Array[], start: number, bytes: Uint8Array): void {
  let done = 0
  for (const part of sliceChunks(pieces, { start, length: bytes.length })) {
    part.set(bytes.subarray(done, done + part.length))
    done += part.length
  }
}

/** The bytes of a damaged segment are not written to, so the base offset, which the checksum does not cover, goes into memory of its own. */
function place(chunks: Uint8Array[], batch: Uint8Array, baseOffset: number): void {
  const own = batch.length < copyBelowBytes ? Buffer.from(batch) : Buffer.allocUnsafe(baseOffsetBytes)
  own.writeBigInt64BE(BigInt(baseOffset), 0)
  chunks.push(own)
  if (own.length === baseOffsetBytes) chunks.push(batch.subarray(baseOffsetBytes))
}
