// The records inside a batch of format v2: reads them, and builds a batch from them.
import { ProtocolError } from '../wire/protocol-error.ts'
import { attributeBits, type BatchHeader, batchLayout, readBatchHeader } from './batch.ts'
import { type CodecName, type Codecs, codecNames, compress, decompress } from './codecs.ts'
import { Pen, varintSize } from './pen.ts'

/** A record of a batch. Its offset is the batch's base offset plus its delta. */
export interface DecodedRecord<Name = string> {
  readonly offsetDelta: number
  /** Milliseconds since the epoch; the batch's stamp under LogAppendTime. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader<Name>[]
}

/** A header of a record; several may have the same key. Kafka's keys are UTF-8; `Uint8Array` keeps the bytes of a client that sent something else. */
export interface RecordHeader<Name = string> {
  readonly key: Name
  readonly value: Uint8Array | null
}

/**
 * The records of the whole batch at `at`, one after another. Keys and values are views of the batch, or of the bytes that it unpacks to. Throws a
 * ProtocolError if a record is malformed, the record count differs from the header's, or the records unpack to more than `maxBytes`.
 */
export function readRecords(batch: Uint8Array, at: number, codecs: Codecs, maxBytes: number): Generator<DecodedRecord, void, undefined> {
  return recordsIn(batch, { at, codecs, maxBytes, nameOf: (bytes) => text.decode(bytes) })
}

/** Like `readRecords`, for records that are already unpacked. The header is that of their batch. */
export function readUnpackedRecords(header: BatchHeader, unpacked: Uint8Array): Generator<DecodedRecord, void, undefined> {
  return recordsOf(header, unpacked, (bytes) => text.decode(bytes))
}

/** Like `readRecords`, but leaves the keys of headers as bytes. */
export function readRawRecords(
  batch: Uint8Array,
  at: number,
  codecs: Codecs,
  maxBytes: number,
): Generator<DecodedRecord<Uint8Array>, void, undefined> {
  return recordsIn(batch, { at, codecs, maxBytes, nameOf: (bytes) => bytes })
}

interface RecordDecoding<Name> {
  readonly at: number
  readonly codecs: Codecs
  readonly maxBytes: number
  readonly nameOf: (bytes: Uint8Array) => Name
}

function* recordsIn<Name>(
  batch: Uint8Array,
  { at, codecs, maxBytes, nameOf }: RecordDecoding<Name>,
): Generator<DecodedRecord<Name>, void, undefined> {
  const header = readBatchHeader(batch, at)
  const codec = codecNames[header.attributes & attributeBits.codec]
  if (codec === undefined) throw new ProtocolError(`compression type ${header.attributes & attributeBits.codec} is unknown`)
  yield* recordsOf(header, decompress(codec, batch.subarray(at + batchLayout.records, at + header.sizeBytes), codecs, maxBytes), nameOf)
}

function* recordsOf<Name>(
  header: BatchHeader,
  bytes: Uint8Array,
  nameOf: (bytes: Uint8Array) => Name,
): Generator<DecodedRecord<Name>, void, undefined> {
  const stamped = (header.attributes & attributeBits.logAppendTime) !== 0
  const cursor = new Cursor(bytes)
  for (let index = 0; index < header.recordCount; index++) {
    const end = cursor.lengthAhead()
    cursor.skip(1) // attributes: Kafka defines none
    const timestampDelta = cursor.varint()
    const offsetDelta = cursor.varint()
    const key = cursor.octets()
    const value = cursor.octets()
    const count = cursor.varint()
    if (count < 0 || count > end - cursor.at) throw new ProtocolError(`record ${index} of the batch claims ${count} headers`)
    const headers: RecordHeader<Name>[] = []
    for (let left = count; left > 0; left--) {
      const name = cursor.octets()
      if (name === null) throw new ProtocolError('a record header has no name')
      headers.push({ key: nameOf(name), value: cursor.octets() })
    }
    if (cursor.at !== end) throw new ProtocolError(`record ${index} of the batch does not have the length that it claims`)
    const timestamp = stamped ? header.maxTimestamp : header.baseTimestamp + timestampDelta
    yield { offsetDelta, timestamp, key, value, headers }
  }
  if (cursor.at !== bytes.length) throw new ProtocolError(`${bytes.length - cursor.at} bytes are left over after the last record`)
}

/** The input of `buildBatch`. */
export interface NewBatch {
  readonly baseTimestamp: number
  readonly records: readonly DecodedRecord<string | Uint8Array>[]
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  /** The id, epoch and sequence of an idempotent producer. */
  readonly producer?: { readonly id: number; readonly epoch: number; readonly baseSequence: number }
  /** The codec, and the implementations to compress with. */
  readonly compression?: { readonly codec: CodecName; readonly codecs: Codecs }
  /** Further attribute bits, as `attributeBits` names them. */
  readonly attributes?: number
}

/** Builds a whole batch with its checksum. There must be at least one record, and the offset deltas must ascend. */
export function buildBatch(batch: NewBatch, crc32c: (bytes: Uint8Array) => number): Uint8Array {
  const last = batch.records.at(-1)
  if (last === undefined) throw new RangeError('a batch needs at least one record')
  let sizeBytes = 0
  let maxTimestamp = -1
  const sizes = batch.records.map((record) => {
    const size = recordSize(record, batch.baseTimestamp)
    sizeBytes += varintSize(size) + size
    maxTimestamp = Math.max(maxTimestamp, record.timestamp)
    return size
  })
  const plain = new Uint8Array(batchLayout.records + sizeBytes)
  const pen = new Pen(plain, batchLayout.records)
  for (const [index, record] of batch.records.entries()) writeRecord(pen, record, sizes[index] ?? 0, batch.baseTimestamp)

  const { codec, codecs } = batch.compression ?? { codec: 'none', codecs: undefined }
  const whole = codecs === undefined || codec === 'none' ? plain : packed(plain, codec, codecs)
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
  view.setBigInt64(batchLayout.baseOffset, BigInt(batch.baseOffset ?? 0))
  view.setInt32(batchLayout.length, whole.length - batchLayout.leaderEpoch)
  view.setInt32(batchLayout.leaderEpoch, batch.leaderEpoch ?? -1)
  view.setInt8(batchLayout.magic, 2)
  view.setInt16(batchLayout.attributes, codecNames.indexOf(codec) | (batch.attributes ?? 0))
  view.setInt32(batchLayout.lastOffsetDelta, last.offsetDelta)
  view.setBigInt64(batchLayout.baseTimestamp, BigInt(batch.baseTimestamp))
  view.setBigInt64(batchLayout.maxTimestamp, BigInt(maxTimestamp))
  view.setBigInt64(batchLayout.producerId, BigInt(batch.producer?.id ?? -1))
  view.setInt16(batchLayout.producerEpoch, batch.producer?.epoch ?? -1)
  view.setInt32(batchLayout.baseSequence, batch.producer?.baseSequence ?? -1)
  view.setInt32(batchLayout.recordCount, batch.records.length)
  view.setUint32(batchLayout.crc, crc32c(whole.subarray(batchLayout.attributes)))
  return whole
}

// A byte order mark is a character like any other.
const text = new TextDecoder('utf-8', { ignoreBOM: true })
const utf8 = new TextEncoder()

function packed(plain: Uint8Array, codec: CodecName, codecs: Codecs): Uint8Array {
  const records = compress(codec, plain.subarray(batchLayout.records), codecs)
  const whole = new Uint8Array(batchLayout.records + records.length)
  whole.set(records, batchLayout.records)
  return whole
}

/** Reads zigzag varints and fields with a length, and never beyond the end of the bytes. */
class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  skip(length: number): void {
    if (this.#at + length > this.#bytes.length) throw new ProtocolError('the records are truncated')
    this.#at += length
  }

  /** Reads a length, and returns the end of the record that it measures. */
  lengthAhead(): number {
    const length = this.varint()
    if (length < 0 || length > this.#bytes.length - this.#at)
      throw new ProtocolError(`a record at byte ${this.#at} of ${this.#bytes.length} claims ${length} bytes`)
    return this.#at + length
  }

  octets(): Uint8Array | null {
    const length = this.varint()
    if (length < 0) return null // Kafka reads every negative length as null
    if (length > this.#bytes.length - this.#at)
      throw new ProtocolError(`a field at byte ${this.#at} of ${this.#bytes.length} claims ${length} bytes`)
    const from = this.#at
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }

  /** Up to 64 bits; throws a ProtocolError for a value beyond 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new ProtocolError('the records are truncated')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
      scale *= 0x80
    }
    throw new ProtocolError('the records contain a varint beyond 2^53')
  }
}

function writeRecord(pen: Pen, record: DecodedRecord<string | Uint8Array>, sizeBytes: number, baseTimestamp: number): void {
  pen.varint(sizeBytes)
  pen.byte(0)
  pen.varint(record.timestamp - baseTimestamp)
  pen.varint(record.offsetDelta)
  pen.octets(record.key)
  pen.octets(record.value)
  pen.varint(record.headers.length)
  for (const { key, value } of record.headers) {
    pen.octets(bytesOf(key))
    pen.octets(value)
  }
}

function recordSize(record: DecodedRecord<string | Uint8Array>, baseTimestamp: number): number {
  let size = 1 + varintSize(record.timestamp - baseTimestamp) + varintSize(record.offsetDelta)
  size += octetsSize(record.key) + octetsSize(record.value) + varintSize(record.headers.length)
  for (const { key, value } of record.headers) size += octetsSize(bytesOf(key)) + octetsSize(value)
  return size
}

function bytesOf(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? utf8.encode(name) : name
}

function octetsSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}
