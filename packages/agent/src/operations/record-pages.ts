// Turns fetched batches into the records that a person may see, page by page; pure. Control batches are skipped, what cannot be decoded is named.
import { batchSizeAt, type Codecs, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import { limits } from '../limits.ts'
import { cutRecord, jsonSizeOf } from './record-size.ts'

export interface LogRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch; the producer's or the stamp of its append, as the topic says. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  /** There when only the beginning of the record is here: how long the parts that are cut were. */
  readonly cut?: { readonly keyBytes?: number; readonly valueBytes?: number; readonly headerCount?: number }
}

/** A batch that its producer wrote with a right checksum and wrong contents, or that unpacks to more than the limit. */
export interface Unreadable {
  readonly partition: number
  readonly from: number
  /** The last offset of the batch. */
  readonly to: number
  readonly message: string
}

export interface PageAsk {
  readonly partition: number
  /** Records before it are not shown: a batch may begin earlier. */
  readonly from: number
  /** Records from it on are not shown. */
  readonly until: number
  readonly maxRecords: number
  /** Of keys, values and headers; the first record comes however large it is, but see `measure`. */
  readonly maxBytes: number
  /** `json`: sizes are those of JSON strings, and a record above limits.recordBytesPerAnswer is cut. Default: `plain`. */
  readonly measure?: Measure
  readonly matches: (record: LogRecord) => boolean
}

export type Measure = 'plain' | 'json'

export interface Page {
  /** Their bytes are their own: they do not keep the batches in memory that they were read from. */
  readonly records: readonly LogRecord[]
  readonly unreadable: readonly Unreadable[]
  /** The offset to go on with: everything before it is in `records`, did not match, or is no record. */
  readonly next: number
}

/** Which records are wanted; all of it must hold. */
export interface RecordFilter {
  readonly key?: Uint8Array
  /** Milliseconds since the epoch: from `since` on, before `until`. */
  readonly since?: number
  readonly until?: number
}

export function recordMatcher({ key, since, until }: RecordFilter): PageAsk['matches'] {
  return (record) => {
    if (since !== undefined && record.timestamp < since) return false
    if (until !== undefined && record.timestamp >= until) return false
    return key === undefined || (record.key !== null && Buffer.compare(record.key, key) === 0)
  }
}

const controlBit = 0x20

export function decodePage(chunks: readonly Uint8Array[], ask: PageAsk, codecs: Codecs): DecodedPage {
  const page: OpenPage = { records: [], unreadable: [], bytes: 0, unpackedBytes: 0 }
  let next = ask.from
  for (const batch of batches(chunks)) {
    if (next >= ask.until || page.unpackedBytes >= limits.decompressedBytes) break
    const { baseOffset, lastOffsetDelta, attributes } = readBatchHeader(batch, 0)
    const following = baseOffset + lastOffsetDelta + 1
    if ((attributes & controlBit) === 0) {
      const fullAt = addRecords(page, batch, { baseOffset, lastOffset: following - 1 }, ask, codecs)
      if (fullAt !== undefined) return { records: owned(page.records), unreadable: page.unreadable, next: fullAt, bytes: page.bytes }
    }
    next = Math.min(following, ask.until)
  }
  return { records: owned(page.records), unreadable: page.unreadable, next, bytes: page.bytes }
}

export interface DecodedPage extends Page {
  /** Of the records, as the page is measured. */
  readonly bytes: number
}

interface OpenPage {
  records: LogRecord[]
  readonly unreadable: Unreadable[]
  /** Of `records`, as the page is measured. */
  bytes: number
  unpackedBytes: number
}

/** Adds what is wanted of one batch, record by record: a batch may hold millions. Answers the offset of the first record for which there is no room. */
function addRecords(
  page: OpenPage,
  batch: Uint8Array,
  place: { readonly baseOffset: number; readonly lastOffset: number },
  ask: PageAsk,
  codecs: Codecs,
): number | undefined {
  const before = { count: page.records.length, bytes: page.bytes }
  const measured = measures[ask.measure ?? 'plain']
  const { partition } = ask
  try {
    for (const { offsetDelta, ...decoded } of readRecords(batch, 0, codecs, limits.decompressedBytes)) {
      const whole: LogRecord = { partition, offset: place.baseOffset + offsetDelta, ...decoded }
      page.unpackedBytes += sizeOf(whole)
      if (whole.offset < ask.from || whole.offset >= ask.until || !ask.matches(whole)) continue
      if (page.records.length >= ask.maxRecords) return whole.offset
      const [record, bytes] = measured(whole)
      if (page.records.length > 0 && page.bytes + bytes > ask.maxBytes) return whole.offset
      page.records.push(record)
      page.bytes += bytes
    }
  } catch (error) {
    // All of a batch or nothing of it, as far as this page came: what a producer put into it is only looked at here, so a defect in it must not end the read.
    page.records.length = before.count
    page.bytes = before.bytes
    const message = error instanceof Error ? error.message : String(error)
    page.unreadable.push({ partition, from: place.baseOffset, to: place.lastOffset, message })
  }
  return undefined
}

/** The record as a page has it, and its size there. */
const measures: Readonly<Record<Measure, (record: LogRecord) => readonly [LogRecord, number]>> = {
  plain: (record) => [record, sizeOf(record)],
  json(record) {
    const bytes = jsonSizeOf(record, limits.recordBytesPerAnswer)
    if (bytes <= limits.recordBytesPerAnswer) return [record, bytes]
    const cut = cutRecord(record)
    return [cut, jsonSizeOf(cut)]
  },
}

/** Copies the bytes: a record of 10 bytes would keep the 64 MB in memory that its batch unpacks to. */
function owned(records: readonly LogRecord[]): readonly LogRecord[] {
  return records.map((record) => ({
    ...record,
    key: copyOf(record.key),
    value: copyOf(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: copyOf(value) })),
  }))
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Buffer.from(bytes)
}

export interface Merged {
  readonly records: readonly LogRecord[]
  readonly bytes: number
  /** Where to go on, one per page. */
  readonly next: readonly number[]
}

/** Pages of several partitions as one list: within a partition by offset, between partitions the older timestamp first. Stops at the bounds. */
export function mergePages(
  pages: readonly Page[],
  bounds: { readonly maxRecords: number; readonly maxBytes: number; readonly measure?: Measure },
): Merged {
  const measured = bounds.measure === 'json' ? jsonSizeOf : sizeOf
  const at = pages.map(() => 0)
  const records: LogRecord[] = []
  let bytes = 0
  for (;;) {
    let oldest: { readonly index: number; readonly record: LogRecord } | undefined
    for (const [index, page] of pages.entries()) {
      const record = page.records[at[index] ?? 0]
      if (record !== undefined && (oldest === undefined || record.timestamp < oldest.record.timestamp)) oldest = { index, record }
    }
    if (oldest === undefined || records.length >= bounds.maxRecords) break
    const size = measured(oldest.record)
    if (records.length > 0 && bytes + size > bounds.maxBytes) break
    records.push(oldest.record)
    bytes += size
    at[oldest.index] = (at[oldest.index] ?? 0) + 1
  }
  return { records, bytes, next: pages.map((page, index) => page.records[at[index] ?? 0]?.offset ?? page.next) }
}

export function sizeOf(record: LogRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers) bytes += key.length + (value?.length ?? 0)
  return bytes
}

/** Whole batches: the reader sends a large one as its new base offset and the untouched rest. */
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
  if (pending !== undefined) throw new RangeError('the reader answered a batch that is cut off')
}
