// The header of a record batch of format v2 (magic 2): read it, check it, patch it. The records inside stay opaque.
import { type CodecName, codecNames } from './codecs.ts'

/** The fields of the header, as KIP-98 lays them out. Timestamps and ids beyond 2^53 read as the nearest number below. */
export interface BatchHeader {
  readonly baseOffset: number
  /** The size of the whole batch, including this header. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  /** Bits 0–2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon. */
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 when the producer is not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** `truncated`: fewer bytes than the batch claims. `length`: the claimed length is not possible. `magic`: another format. `count`: the record count and the last offset delta do not agree. */
export type BatchProblem = 'truncated' | 'crc' | 'length' | 'magic' | 'count'

/** The result of `checkBatch`: the header of a valid batch, or the problem. */
export type CheckedBatch =
  | { readonly kind: 'ok'; readonly header: BatchHeader }
  | { readonly kind: 'error'; readonly problem: BatchProblem; readonly message: string }

/** The position of each header field, from the first byte of the batch. */
export const batchLayout = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const

/** The bits of a batch's attributes. */
export const attributeBits = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20, deleteHorizon: 0x40 } as const

/** The size that the batch at `at` claims; undefined if its length is missing or not possible. It may exceed the bytes that are there. */
export function batchSizeAt(bytes: Uint8Array, at: number): number | undefined {
  if (at + batchLayout.leaderEpoch > bytes.length) return undefined
  const size = int32(bytes, at + batchLayout.length) + batchLayout.leaderEpoch
  return size < batchLayout.records ? undefined : size
}

/** The whole header must be there: check it with `batchSizeAt` or `checkBatch` first. */
export function readBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  const view = viewOf(bytes)
  return {
    baseOffset: int64(view, at + batchLayout.baseOffset),
    sizeBytes: view.getInt32(at + batchLayout.length) + batchLayout.leaderEpoch,
    leaderEpoch: view.getInt32(at + batchLayout.leaderEpoch),
    attributes: view.getInt16(at + batchLayout.attributes),
    lastOffsetDelta: view.getInt32(at + batchLayout.lastOffsetDelta),
    baseTimestamp: int64(view, at + batchLayout.baseTimestamp),
    maxTimestamp: int64(view, at + batchLayout.maxTimestamp),
    producerId: int64(view, at + batchLayout.producerId),
    producerEpoch: view.getInt16(at + batchLayout.producerEpoch),
    baseSequence: view.getInt32(at + batchLayout.baseSequence),
    recordCount: view.getInt32(at + batchLayout.recordCount),
  }
}

/** Checks a batch as a producer sends it: the structure, the checksum and the record count, but not the records themselves. Changes nothing. */
export function checkBatch(bytes: Uint8Array, at: number, crc32c: (bytes: Uint8Array) => number): CheckedBatch {
  const checked = checkStoredBatch(bytes, at, crc32c)
  if (checked.kind === 'error') return checked
  const { recordCount, lastOffsetDelta } = checked.header
  return recordCount < 1 || recordCount !== lastOffsetDelta + 1 ? wrongCount(checked.header) : checked
}

/** Like `checkBatch`, for a batch of a log: log compaction removes records from a batch, all of them at most, and keeps its offsets. */
export function checkStoredBatch(bytes: Uint8Array, at: number, crc32c: (bytes: Uint8Array) => number): CheckedBatch {
  return storedBatchProblem(bytes, at, crc32c) ?? { kind: 'ok', header: readBatchHeader(bytes, at) }
}

/** The result of `checkStoredBatch` if it is an error. A valid batch allocates next to nothing: a reader checks some 60,000 in a gigabyte. */
export function storedBatchProblem(
  bytes: Uint8Array,
  at: number,
  crc32c: (bytes: Uint8Array) => number,
): Extract<CheckedBatch, { readonly kind: 'error' }> | undefined {
  const there = bytes.length - at
  const length = batchLayout.leaderEpoch
  if (there < length) return problem('truncated', `The record batch has ${there} bytes, fewer than the ${length} at its beginning.`)
  // Check the magic first: older formats have it in the same place, and other rules for the rest.
  if (there > batchLayout.magic) {
    const magic = ((bytes[at + batchLayout.magic] ?? 0) << 24) >> 24
    if (magic !== 2) return problem('magic', `Magic ${magic} is not supported: send record batches of format v2 (magic 2).`)
  }
  const sizeBytes = int32(bytes, at + batchLayout.length) + length
  if (sizeBytes < batchLayout.records)
    return problem('length', `The record batch claims ${sizeBytes} bytes, fewer than the ${batchLayout.records} of its header.`)
  if (sizeBytes > there) return problem('truncated', `The record batch claims ${sizeBytes} bytes, and ${there} are there.`)
  const stored = int32(bytes, at + batchLayout.crc) >>> 0
  const computed = crc32c(bytes.subarray(at + batchLayout.attributes, at + sizeBytes))
  if (stored !== computed) return problem('crc', `The record batch has the checksum ${computed}, but its header says ${stored}.`)
  const counts = { recordCount: recordCountAt(bytes, at), lastOffsetDelta: lastOffsetDeltaAt(bytes, at) }
  return counts.recordCount < 0 || counts.recordCount > counts.lastOffsetDelta + 1 ? wrongCount(counts) : undefined
}

/** `lastOffsetDelta` of a header that is there. */
export function lastOffsetDeltaAt(bytes: Uint8Array, at: number): number {
  return int32(bytes, at + batchLayout.lastOffsetDelta)
}

/** `recordCount` of a header that is there. */
export function recordCountAt(bytes: Uint8Array, at: number): number {
  return int32(bytes, at + batchLayout.recordCount)
}

function wrongCount({
  recordCount,
  lastOffsetDelta,
}: Pick<BatchHeader, 'recordCount' | 'lastOffsetDelta'>): Extract<CheckedBatch, { readonly kind: 'error' }> {
  return problem('count', `The record batch claims ${recordCount} records, which does not match its last offset delta ${lastOffsetDelta}.`)
}

/** Does not change the checksum, which does not cover this field. */
export function patchBaseOffset(batch: Uint8Array, at: number, baseOffset: number): void {
  // An offset is below 2^53, and not negative.
  setInt32(batch, at + batchLayout.baseOffset, Math.floor(baseOffset / 0x1_0000_0000))
  setInt32(batch, at + batchLayout.baseOffset + 4, baseOffset | 0)
}

/** Does not change the checksum, which does not cover this field. */
export function patchLeaderEpoch(batch: Uint8Array, at: number, epoch: number): void {
  setInt32(batch, at + batchLayout.leaderEpoch, epoch)
}

/** Sets the timestamp of all records of the batch, and computes the checksum again. */
export function setLogAppendTime(batch: Uint8Array, at: number, stamp: number, crc32c: (bytes: Uint8Array) => number): void {
  const view = viewOf(batch)
  view.setInt16(at + batchLayout.attributes, view.getInt16(at + batchLayout.attributes) | attributeBits.logAppendTime)
  view.setBigInt64(at + batchLayout.maxTimestamp, BigInt(stamp))
  const end = at + view.getInt32(at + batchLayout.length) + batchLayout.leaderEpoch
  view.setUint32(at + batchLayout.crc, crc32c(batch.subarray(at + batchLayout.attributes, end)))
}

/** Makes the records keep their own timestamps, puts the maximum into the header, and computes the checksum again. */
export function setCreateTime(batch: Uint8Array, at: number, maxTimestamp: number, crc32c: (bytes: Uint8Array) => number): void {
  const view = viewOf(batch)
  view.setInt16(at + batchLayout.attributes, view.getInt16(at + batchLayout.attributes) & ~attributeBits.logAppendTime)
  view.setBigInt64(at + batchLayout.maxTimestamp, BigInt(maxTimestamp))
  const end = at + view.getInt32(at + batchLayout.length) + batchLayout.leaderEpoch
  view.setUint32(at + batchLayout.crc, crc32c(batch.subarray(at + batchLayout.attributes, end)))
}

/** A new batch with the header of this one and its records in another compression: `packed` is what `codec` made of them. The old one stays as it is. */
export function withPackedRecords(
  batch: Uint8Array,
  { codec, packed }: { readonly codec: CodecName; readonly packed: Uint8Array },
  crc32c: (bytes: Uint8Array) => number,
): Uint8Array {
  const whole = new Uint8Array(batchLayout.records + packed.length)
  whole.set(batch.subarray(0, batchLayout.records))
  whole.set(packed, batchLayout.records)
  const view = viewOf(whole)
  view.setInt32(batchLayout.length, whole.length - batchLayout.leaderEpoch)
  view.setInt16(batchLayout.attributes, (view.getInt16(batchLayout.attributes) & ~attributeBits.codec) | codecNames.indexOf(codec))
  view.setUint32(batchLayout.crc, crc32c(whole.subarray(batchLayout.attributes)))
  return whole
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function int64(view: DataView, at: number): number {
  const value = view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4)
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value
}

/** Without a view, which would be one more object for each batch. Throws RangeError like a view. */
function int32(bytes: Uint8Array, at: number): number {
  mustHold(bytes, at)
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

function setInt32(bytes: Uint8Array, at: number, value: number): void {
  mustHold(bytes, at)
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function mustHold({ length }: Uint8Array, at: number): void {
  if (at < 0 || at + 4 > length) throw new RangeError(`bytes ${at} to ${at + 3} are not within ${length} bytes`)
}

function problem(kind: BatchProblem, message: string): Extract<CheckedBatch, { readonly kind: 'error' }> {
  return { kind: 'error', problem: kind, message }
}
