// Turns fetched batches into records, page by page. It skips control batches and lists the batches that cannot be decoded.
import { batchSizeAt, type Codecs, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { errorText } from '../native-error.ts'
import type { LogRecord } from './log-record.ts'
import { cutRecord, jsonSizeOf } from './record-size.ts'

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
}

export type Measure = 'plain' | 'json'

export interface Page {
  /** Copies: they do not keep their batches in memory. */
  readonly records: readonly LogRecord[]
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
    if (next >= ask.until || page.unpackedBytes >= fixedLimits.decompressedBytes) break
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
  /** The size of the records, in the page's measure. */
  readonly bytes: number
}

interface OpenPage {
  records: LogRecord[]
  readonly unreadable: Unreadable[]
  /** The size of `records`, in the page's measure. */
  bytes: number
  unpackedBytes: number
}

/** Adds the matching records of one batch, one by one, because a batch may have millions. Returns the offset of the first record that has no room. */
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
    for (const { offsetDelta, ...decoded } of readRecords(batch, 0, codecs, fixedLimits.decompressedBytes)) {
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
    // The page drops what it has of this batch. Invalid contents come from a producer, so they must not end the read.
    page.records.length = before.count
    page.bytes = before.bytes
    const message = errorText(error)
    page.unreadable.push({ partition, from: place.baseOffset, to: place.lastOffset, message })
  }
  return undefined
}

/** The record in the form of the page, and its size. */
const measures: Readonly<Record<Measure, (record: LogRecord) => readonly [LogRecord, number]>> = {
  plain: (record) => [record, sizeOf(record)],
  json(record) {
    const bytes = jsonSizeOf(record, fixedLimits.recordBytesPerAnswer)
    if (bytes <= fixedLimits.recordBytesPerAnswer) return [record, bytes]
    const cut = cutRecord(record)
    return [cut, jsonSizeOf(cut)]
  },
}

/** Copies the bytes: otherwise a record of 10 bytes could keep the 64 MB of its unpacked batch in memory. */
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
  /** The next offset of each page. */
  readonly next: readonly number[]
}

/** Merges pages of several partitions: by offset within a partition, the older timestamp first between partitions. Stops at the bounds. */
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
      const record = page.records[must(at[index], 'the position in each page')]
      if (record !== undefined && (oldest === undefined || record.timestamp < oldest.record.timestamp)) oldest = { index, record }
    }
    if (oldest === undefined || records.length >= bounds.maxRecords) break
    const size = measured(oldest.record)
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
