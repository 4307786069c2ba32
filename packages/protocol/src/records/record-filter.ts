// Takes records out of a stored batch, as Kafka's log cleaner does: the rest of the batch keeps its offsets, sequences and timestamps.
import { ProtocolError } from '../wire/protocol-error.ts'
import { attributeBits, type BatchHeader, batchLayout, readBatchHeader } from './batch.ts'
import { type CodecName, type Codecs, codecNames, compress, decompress } from './codecs.ts'
import { Pen, varintSize } from './pen.ts'
import type { RecordPlace, RecordTable } from './record-table.ts'

/** How the bytes of a batch are read and written. */
export interface RecordCoding {
  readonly codecs: Codecs
  readonly crc32c: (bytes: Uint8Array) => number
  /** The most that the records may unpack to. */
  readonly maxBytes: number
}

/** Which records `filterRecords` keeps, and how it writes the batch again. */
export interface BatchFilter extends RecordCoding {
  /** Called once for each batch: writes 1 into `kept` for each record that stays. All of `kept` is 0. */
  readonly keep: (records: RecordTable, kept: Uint8Array) => void
  /** Memory for the records of a batch, which is used again for the next one. */
  readonly table: RecordTable
  /** The delete horizon of a batch that has none and keeps a tombstone (KIP-534), in milliseconds since the epoch. */
  readonly deleteHorizonMs: number
  /** A batch without a tombstone gets a horizon, too. */
  readonly alwaysSetsHorizon?: boolean
}

/** `same`: nothing goes, and no horizon must be set. `empty`: no record is left. */
export type FilteredBatch =
  | { readonly kind: 'same' | 'empty' }
  | { readonly kind: 'rewritten'; readonly bytes: Uint8Array; readonly maxTimestamp: number }

/** Reads all records of the batch at `at` into the table. Throws a ProtocolError for records that cannot be read. */
export function scanRecords(batch: Uint8Array, at: number, coding: Omit<RecordCoding, 'crc32c'>, into: RecordTable): void {
  const { recordCount } = readBatchHeader(batch, at)
  into.read(unpacked(batch, at, coding).bytes, recordCount)
}

/**
 * The batch at `at` with the records that the filter keeps. A rewritten batch has the codec, the offsets and the sequences of the old one. Like Kafka, a batch
 * that keeps a tombstone gets its delete horizon in the place of its base timestamp. Throws a ProtocolError for records that cannot be read.
 */
export function filterRecords(batch: Uint8Array, at: number, filter: BatchFilter): FilteredBatch {
  const header = readBatchHeader(batch, at)
  const { codec, bytes } = unpacked(batch, at, filter)
  const { table } = filter
  table.read(bytes, header.recordCount)
  const kept = new Uint8Array(table.count)
  filter.keep(table, kept)
  let keptCount = 0
  let keepsTombstone = false
  for (let index = 0; index < kept.length; index++) {
    if (kept[index] === 0) continue
    keptCount += 1
    keepsTombstone ||= table.hasValue[index] === 0
  }
  if (keptCount === 0) return { kind: 'empty' }
  const setsHorizon = (keepsTombstone || filter.alwaysSetsHorizon === true) && (header.attributes & attributeBits.deleteHorizon) === 0
  if (keptCount === header.recordCount && !setsHorizon) return { kind: 'same' }
  const places = table.places(kept)
  return rewritten({ header, start: batch.subarray(at, at + batchLayout.records), codec, bytes, kept: places, setsHorizon }, filter)
}

function unpacked(
  batch: Uint8Array,
  at: number,
  { codecs, maxBytes }: Omit<RecordCoding, 'crc32c'>,
): { readonly codec: CodecName; readonly bytes: Uint8Array } {
  const { attributes, sizeBytes, recordCount } = readBatchHeader(batch, at)
  const codec = codecNames[attributes & attributeBits.codec]
  if (codec === undefined) throw new ProtocolError(`compression type ${attributes & attributeBits.codec} is unknown`)
  const packed = batch.subarray(at + batchLayout.records, at + sizeBytes)
  return { codec, bytes: plainView(recordCount === 0 ? packed : decompress(codec, packed, codecs, maxBytes)) }
}

/** A subclass such as Node's Buffer makes each view of a key cost several times as much. */
function plainView({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}

interface Rewriting {
  readonly header: BatchHeader
  /** The bytes of the old header. */
  readonly start: Uint8Array
  readonly codec: CodecName
  readonly bytes: Uint8Array
  readonly kept: readonly RecordPlace[]
  readonly setsHorizon: boolean
}

function rewritten({ header, start, codec, bytes, kept, setsHorizon }: Rewriting, filter: BatchFilter): FilteredBatch {
  const isStamped = (header.attributes & attributeBits.logAppendTime) !== 0
  // The records of a batch with LogAppendTime have no timestamps of their own.
  const shift = setsHorizon && !isStamped ? header.baseTimestamp - filter.deleteHorizonMs : 0
  const plain = shift === 0 ? copied(bytes, kept) : shifted(bytes, kept, shift)
  const records = codec === 'none' ? plain : compress(codec, plain, filter.codecs)
  const whole = new Uint8Array(batchLayout.records + records.length)
  whole.set(start)
  whole.set(records, batchLayout.records)
  const latest = kept.reduce((max, { timestampDelta }) => Math.max(max, header.baseTimestamp + timestampDelta), -1)
  const maxTimestamp = isStamped ? header.maxTimestamp : latest
  const view = new DataView(whole.buffer)
  view.setInt32(batchLayout.length, whole.length - batchLayout.leaderEpoch)
  if (setsHorizon) {
    view.setInt16(batchLayout.attributes, header.attributes | attributeBits.deleteHorizon)
    view.setBigInt64(batchLayout.baseTimestamp, BigInt(filter.deleteHorizonMs))
  }
  view.setBigInt64(batchLayout.maxTimestamp, BigInt(maxTimestamp))
  view.setInt32(batchLayout.recordCount, kept.length)
  view.setUint32(batchLayout.crc, filter.crc32c(whole.subarray(batchLayout.attributes)))
  return { kind: 'rewritten', bytes: whole, maxTimestamp }
}

function copied(bytes: Uint8Array, kept: readonly RecordPlace[]): Uint8Array {
  const plain = new Uint8Array(kept.reduce((sum, { start, end }) => sum + end - start, 0))
  const pen = new Pen(plain, 0)
  for (const { start, end } of kept) pen.raw(bytes.subarray(start, end))
  return plain
}

/** The records with timestamps that count from another base. */
function shifted(bytes: Uint8Array, kept: readonly RecordPlace[], shift: number): Uint8Array {
  const sizes = kept.map(({ timestampDelta, restAt, end }) => attributesBytes + varintSize(timestampDelta + shift) + end - restAt)
  const plain = new Uint8Array(sizes.reduce((sum, size) => sum + varintSize(size) + size, 0))
  const pen = new Pen(plain, 0)
  for (const [index, { timestampAt, timestampDelta, restAt, end }] of kept.entries()) {
    pen.varint(sizes[index] ?? 0)
    pen.raw(bytes.subarray(timestampAt - attributesBytes, timestampAt))
    pen.varint(timestampDelta + shift)
    pen.raw(bytes.subarray(restAt, end))
  }
  return plain
}

const attributesBytes = 1
