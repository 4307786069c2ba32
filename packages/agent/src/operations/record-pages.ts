// Turns fetched batches into records, page by page. It skips control batches and those of aborted transactions, and lists the batches that cannot be decoded.
import {
  attributeBits,
  type BatchHeader,
  batchLayout,
  batchSizeAt,
  codecNames,
  ProtocolError,
  readBatchHeader,
  readUnpackedRecords,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { NoUnpackMemory, type PackedRecords, type Unpacker } from '../memory/unpacker.ts'
import type { AbortedTransaction } from '../metadata/transaction-store.ts'
import { NoAnswerMemory } from '../read/answer-memory.ts'
import { isAbortedBatch } from '../read/committed-records.ts'
import type { Slice, Turns } from '../time/turns.ts'
import type { LogRecord } from './log-record.ts'
import { cutRecord, jsonSizeOf, smallJsonSizeOf } from './record-size.ts'

/** A batch with a valid checksum whose contents are invalid, or unpack to more than the limit. */
export interface Unreadable {
  readonly partition: number
  readonly from: number
  /** The last offset of the batch. */
  readonly to: number
  readonly message: string
}

export interface PageAsk {
  readonly partition: number
  /** The first offset of the page. A batch may begin earlier; its earlier records are skipped. */
  readonly from: number
  /** The offset after the last one of the page. */
  readonly until: number
  readonly maxRecords: number
  /** The limit for keys, values and headers. A page always has its first record, however large it is; but see `measure`. */
  readonly maxBytes: number
  /** `json` measures JSON strings and cuts a record above fixedLimits.recordBytesPerAnswer. The default is `plain`. */
  readonly measure?: Measure
  readonly matches: (record: LogRecord) => boolean
  /** The aborted transactions among the batches. */
  readonly aborted: readonly AbortedTransaction[]
}

export type Measure = 'plain' | 'json'

export interface Page {
  /** Copies: they do not keep their batches in memory. */
  readonly records: readonly LogRecord[]
  /** The size of each record, in the page's measure. */
  readonly sizes: readonly number[]
  readonly unreadable: readonly Unreadable[]
  /** The offset of the next page: every record before it is in `records` or did not match. */
  readonly next: number
}

/** A record must match all fields that are set. */
export interface RecordFilter {
  readonly key?: Uint8Array
  /** Milliseconds since the epoch: at or after `since`, before `until`. */
  readonly since?: number
  readonly until?: number
  /** In the key, the value or the value of a header, byte by byte. */
  readonly text?: Uint8Array
}

export function recordMatcher({ key, since, until, text }: RecordFilter): PageAsk['matches'] {
  return (record) => {
    if (since !== undefined && record.timestamp < since) return false
    if (until !== undefined && record.timestamp >= until) return false
    if (key !== undefined && (record.key === null || Buffer.compare(record.key, key) !== 0)) return false
    return text === undefined || has(record.value, text) || has(record.key, text) || record.headers.some(({ value }) => has(value, text))
  }
}

function has(bytes: Uint8Array | null, text: Uint8Array): boolean {
  return bytes !== null && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text)
}

export interface PageParts {
  readonly unpacker: Pick<Unpacker, 'inTurn' | 'use'>
  readonly turns: Turns
}

/** Other requests run while batches are unpacked, and between slices of records: the chunks must stay as they are until it settles. Rejects with NoAnswerMemory. */
export async function decodePage(
  chunks: readonly Uint8Array[],
  ask: PageAsk,
  { signal, ...parts }: PageParts & { readonly signal: AbortSignal },
): Promise<DecodedPage> {
  const page: OpenPage = { records: [], sizes: [], unreadable: [], bytes: 0, unpackedBytes: 0 }
  const slice = parts.turns.slice()
  let next = ask.from
  for (const batch of batches(chunks)) {
    if (next >= ask.until || page.unpackedBytes >= fixedLimits.decompressedBytes) break
    const header = readBatchHeader(batch, 0)
    const following = header.baseOffset + header.lastOffsetDelta + 1
    if ((header.attributes & attributeBits.control) === 0 && !isAbortedBatch(header, ask.aborted)) {
      const fullAt = await addBatch(page, { header, batch, lastOffset: following - 1 }, ask, { ...parts, signal, slice })
      if (fullAt !== undefined) return { ...page, next: fullAt }
    }
    next = Math.min(following, ask.until)
  }
  return { ...page, next }
}

export interface DecodedPage extends Page {
  /** The size of the records, in the page's measure. */
  readonly bytes: number
}

interface OpenPage {
  readonly records: LogRecord[]
  readonly sizes: number[]
  readonly unreadable: Unreadable[]
  /** The sum of `sizes`. */
  bytes: number
  unpackedBytes: number
}

interface BatchOfPage {
  readonly header: BatchHeader
  readonly batch: Uint8Array
  readonly lastOffset: number
}

/** Adds the matching records of one batch. Returns the offset of the first record that has no room. */
async function addBatch(
  page: OpenPage,
  placed: BatchOfPage,
  ask: PageAsk,
  { unpacker, signal, slice }: Pick<PageParts, 'unpacker'> & { readonly signal: AbortSignal; readonly slice: Slice },
): Promise<number | undefined> {
  const before = { count: page.records.length, bytes: page.bytes }
  const { header, lastOffset } = placed
  try {
    const packed = packedRecords(placed)
    const add = (unpacked: Uint8Array): Promise<number | undefined> =>
      addRecords(page, { header, unpacked, isShared: packed.codec === 'none' }, ask, slice)
    const unpacked = unpacker.inTurn(packed)
    return unpacked === undefined ? await unpacker.use(packed, signal, add) : await add(unpacked)
  } catch (error) {
    if (error instanceof NoUnpackMemory) throw new NoAnswerMemory()
    if (!(error instanceof ProtocolError)) throw error
    // The page drops what it has of this batch. Invalid contents come from a producer, so they must not end the read.
    page.records.length = before.count
    page.sizes.length = before.count
    page.bytes = before.bytes
    page.unreadable.push({ partition: ask.partition, from: header.baseOffset, to: lastOffset, message: error.message })
  }
  return undefined
}

function packedRecords({ header, batch }: BatchOfPage): PackedRecords {
  const codec = codecNames[header.attributes & attributeBits.codec]
  if (codec === undefined) throw new ProtocolError(`compression type ${header.attributes & attributeBits.codec} is unknown`)
  return { codec, packed: batch.subarray(batchLayout.records) }
}

interface UnpackedBatch {
  readonly header: BatchHeader
  readonly unpacked: Uint8Array
  /** The memory belongs to others, and may change later. */
  readonly isShared: boolean
}

/** One by one, because a batch may have millions. */
async function addRecords(page: OpenPage, batch: UnpackedBatch, ask: PageAsk, slice: Slice): Promise<number | undefined> {
  const { partition } = ask
  const { header, unpacked } = batch
  const marks = marksOf(header)
  for (const { offsetDelta, ...decoded } of readUnpackedRecords(header, unpacked)) {
    const whole: LogRecord = { partition, offset: header.baseOffset + offsetDelta, ...decoded, ...marks }
    const sizeBytes = sizeOf(whole)
    page.unpackedBytes += sizeBytes
    if (slice.spent(1 + sizeBytes / fixedLimits.openedBytesPerUnit)) await slice.next()
    if (whole.offset < ask.from || whole.offset >= ask.until || !ask.matches(whole)) continue
    if (page.records.length >= ask.maxRecords) return whole.offset
    const [record, bytes] = ask.measure === 'json' ? await measuredAsJson(whole, slice) : [whole, sizeBytes]
    if (page.records.length > 0 && page.bytes + bytes > ask.maxBytes) return whole.offset
    page.records.push(isMostOf(batch, record) ? record : owned(record))
    page.sizes.push(bytes)
    page.bytes += bytes
  }
  return undefined
}

/** What its records have of a batch. */
function marksOf({ attributes }: BatchHeader): Pick<LogRecord, 'compression' | 'transactional'> {
  const codec = codecNames[attributes & attributeBits.codec]
  return {
    ...(codec !== undefined && codec !== 'none' && { compression: codec }),
    ...((attributes & attributeBits.transactional) !== 0 && { transactional: true }),
  }
}

/** The record, or its beginning if it is too large for an answer, with its size. */
async function measuredAsJson(record: LogRecord, slice: Slice): Promise<readonly [LogRecord, number]> {
  const bytes = smallJsonSizeOf(record) ?? (await jsonSizeOf(record, slice, fixedLimits.recordBytesPerAnswer))
  if (bytes <= fixedLimits.recordBytesPerAnswer) return [record, bytes]
  const cut = cutRecord(record)
  return [cut, await jsonSizeOf(cut, slice)]
}

/** Such a record keeps the memory of its batch instead of a copy, which would take as much again. */
function isMostOf({ unpacked, isShared }: UnpackedBatch, record: LogRecord): boolean {
  return !isShared && 2 * sizeOf(record) > unpacked.length
}

/** Copies the bytes: otherwise a record of 10 bytes could keep the 64 MB of its unpacked batch in memory. */
function owned(record: LogRecord): LogRecord {
  return {
    ...record,
    key: copyOf(record.key),
    value: copyOf(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: copyOf(value) })),
  }
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Buffer.from(bytes)
}

export interface Merged {
  readonly records: readonly LogRecord[]
  readonly bytes: number
  /** The next offset of each page. */
  readonly next: readonly number[]
}

/** Merges pages of several partitions: by offset within a partition, the older timestamp first between partitions. Stops at the bounds. */
export function mergePages(pages: readonly Page[], bounds: { readonly maxRecords: number; readonly maxBytes: number }): Merged {
  const at = pages.map(() => 0)
  const records: LogRecord[] = []
  let bytes = 0
  for (;;) {
    let oldest: { readonly index: number; readonly record: LogRecord } | undefined
    for (const [index, page] of pages.entries()) {
      const record = page.records[must(at[index], 'the position in each page')]
      if (record !== undefined && (oldest === undefined || record.timestamp < oldest.record.timestamp)) oldest = { index, record }
    }
    if (oldest === undefined || records.length >= bounds.maxRecords) break
    const size = must(pages[oldest.index]?.sizes[must(at[oldest.index], 'the position in each page')], 'the size of each record')
    if (records.length > 0 && bytes + size > bounds.maxBytes) break
    records.push(oldest.record)
    bytes += size
    at[oldest.index] = must(at[oldest.index], 'the position in each page') + 1
  }
  return {
    records,
    bytes,
    next: pages.map((page, index) => page.records[must(at[index], 'the position in each page')]?.offset ?? page.next),
  }
}

export function sizeOf(record: LogRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers) bytes += key.length + (value?.length ?? 0)
  return bytes
}

/** Joins chunks into whole batches: the reader sends a large batch as two chunks, its new base offset and its unchanged rest. */
function* batches(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let pending: Uint8Array | undefined
  for (const chunk of chunks) {
    const bytes: Uint8Array = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    pending = undefined
    let at = 0
    while (at < bytes.length) {
      const size = batchSizeAt(bytes, at)
      if (size === undefined || at + size > bytes.length) {
        pending = bytes.subarray(at)
        break
      }
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  if (pending !== undefined) throw new RangeError('the reader returned a truncated batch')
}
