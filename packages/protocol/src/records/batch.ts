// The header of a record batch of format v2 (magic 2): read it, check it, patch it. The records inside stay opaque.

/** The fields of the header, as KIP-98 lays them out. Timestamps and ids beyond 2^53 read as the nearest number below. */
export interface BatchHeader {
  readonly baseOffset: number
  /** Of the whole batch, with this header. */
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

/** `truncated`: fewer bytes than the batch says. `length`: it says what cannot be. `magic`: another format. `count`: records and offsets do not agree. */
export type BatchTrouble = 'truncated' | 'crc' | 'length' | 'magic' | 'count'

/** What `checkBatch` found: the header of a sound batch, or what is wrong with it. */
export type CheckedBatch =
  | { readonly kind: 'ok'; readonly header: BatchHeader }
  | { readonly kind: 'error'; readonly trouble: BatchTrouble; readonly message: string }

/** Where things are, from the first byte of the batch. */
export const layout = {
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
export const attributeBits = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const

/** The size of the batch that begins at `at`, as it says; undefined when its length is not there or cannot be. It may be more than there is. */
export function batchSizeAt(bytes: Uint8Array, at: number): number | undefined {
  if (at + layout.leaderEpoch > bytes.length) return undefined
  const size = viewOf(bytes).getInt32(at + layout.length) + layout.leaderEpoch
  return size < layout.records ? undefined : size
}

/** The batch must be there with its header: `batchSizeAt` or `checkBatch` said so. */
export function readBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  const view = viewOf(bytes)
  return {
    baseOffset: int64(view, at + layout.baseOffset),
    sizeBytes: view.getInt32(at + layout.length) + layout.leaderEpoch,
    leaderEpoch: view.getInt32(at + layout.leaderEpoch),
    attributes: view.getInt16(at + layout.attributes),
    lastOffsetDelta: view.getInt32(at + layout.lastOffsetDelta),
    baseTimestamp: int64(view, at + layout.baseTimestamp),
    maxTimestamp: int64(view, at + layout.maxTimestamp),
    producerId: int64(view, at + layout.producerId),
    producerEpoch: view.getInt16(at + layout.producerEpoch),
    baseSequence: view.getInt32(at + layout.baseSequence),
    recordCount: view.getInt32(at + layout.recordCount),
  }
}

/** Structure, checksum and the count of records; not the records themselves. Changes nothing. */
export function checkBatch(bytes: Uint8Array, at: number, crc32c: (bytes: Uint8Array) => number): CheckedBatch {
  const there = bytes.length - at
  const length = layout.leaderEpoch
  if (there < length) return trouble('truncated', `A record batch begins with ${length} bytes, and ${there} are there.`)
  const view = viewOf(bytes)
  // Magic first: older formats stand in the same place, with other rules for the rest.
  if (there > layout.magic) {
    const magic = view.getInt8(at + layout.magic)
    if (magic !== 2) return trouble('magic', `Only record format v2 is supported, this is magic ${magic}.`)
  }
  const sizeBytes = view.getInt32(at + layout.length) + length
  if (sizeBytes < layout.records)
    return trouble('length', `A record batch has at least ${layout.records} bytes, this one says ${sizeBytes}.`)
  if (sizeBytes > there) return trouble('truncated', `The record batch says that it has ${sizeBytes} bytes, and ${there} are there.`)
  const stored = view.getUint32(at + layout.crc)
  const computed = crc32c(bytes.subarray(at + layout.attributes, at + sizeBytes))
  if (stored !== computed) return trouble('crc', `The record batch has checksum ${computed}, and says ${stored}.`)
  const header = readBatchHeader(bytes, at)
  if (header.recordCount < 1 || header.recordCount !== header.lastOffsetDelta + 1) {
    return trouble('count', `The record batch says ${header.recordCount} records and a last offset delta of ${header.lastOffsetDelta}.`)
  }
  return { kind: 'ok', header }
}

/** Outside the checksum. */
export function patchBaseOffset(batch: Uint8Array, at: number, baseOffset: number): void {
  viewOf(batch).setBigInt64(at + layout.baseOffset, BigInt(baseOffset))
}

/** Outside the checksum. */
export function patchLeaderEpoch(batch: Uint8Array, at: number, epoch: number): void {
  viewOf(batch).setInt32(at + layout.leaderEpoch, epoch)
}

/** The stamp stands for all records of the batch; the checksum is made anew. */
export function setLogAppendTime(batch: Uint8Array, at: number, stamp: number, crc32c: (bytes: Uint8Array) => number): void {
  const view = viewOf(batch)
  view.setInt16(at + layout.attributes, view.getInt16(at + layout.attributes) | attributeBits.logAppendTime)
  view.setBigInt64(at + layout.maxTimestamp, BigInt(stamp))
  const end = at + view.getInt32(at + layout.length) + layout.leaderEpoch
  view.setUint32(at + layout.crc, crc32c(batch.subarray(at + layout.attributes, end)))
}

/** Makes the timestamps of the records count, with their maximum in the header; the checksum is computed again. */
export function setCreateTime(batch: Uint8Array, at: number, maxTimestamp: number, crc32c: (bytes: Uint8Array) => number): void {
  const view = viewOf(batch)
  view.setInt16(at + layout.attributes, view.getInt16(at + layout.attributes) & ~attributeBits.logAppendTime)
  view.setBigInt64(at + layout.maxTimestamp, BigInt(maxTimestamp))
  const end = at + view.getInt32(at + layout.length) + layout.leaderEpoch
  view.setUint32(at + layout.crc, crc32c(batch.subarray(at + layout.attributes, end)))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function int64(view: DataView, at: number): number {
  const value = view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4)
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return value < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : value
}

function trouble(kind: BatchTrouble, message: string): CheckedBatch {
  return { kind: 'error', trouble: kind, message }
}
