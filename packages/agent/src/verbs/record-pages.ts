// Turns fetched batches into the records that a person may see, page by page; pure. Control batches are skipped, what cannot be decoded is named.
import { batchSizeAt, type Codecs, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import { limits } from '../limits.ts'

export interface LogRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch; the producer's or the stamp of its append, as the topic says. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
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
  /** Of keys, values and headers; the first record comes however large it is. */
  readonly maxBytes: number
  readonly matches: (record: LogRecord) => boolean
}

export interface Page {
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

export function decodePage(chunks: readonly Uint8Array[], ask: PageAsk, codecs: Codecs): Page {
  const records: LogRecord[] = []
  const unreadable: Unreadable[] = []
  let next = ask.from
  let bytes = 0
  let unpacked = 0
  for (const batch of batches(chunks)) {
    if (next >= ask.until || unpacked >= limits.decompressedBytes) break
    const { baseOffset, lastOffsetDelta, attributes } = readBatchHeader(batch, 0)
    const following = baseOffset + lastOffsetDelta + 1
    if ((attributes & controlBit) === 0) {
      const decoded = decode(batch, { partition: ask.partition, baseOffset }, codecs)
      if (decoded.kind === 'unreadable')
        unreadable.push({ partition: ask.partition, from: baseOffset, to: following - 1, message: decoded.message })
      else {
        for (const record of decoded.records) {
          unpacked += sizeOf(record)
          if (record.offset < ask.from || record.offset >= ask.until || !ask.matches(record)) continue
          if (records.length >= ask.maxRecords || (records.length > 0 && bytes + sizeOf(record) > ask.maxBytes)) {
            return { records, unreadable, next: record.offset }
          }
          records.push(record)
          bytes += sizeOf(record)
        }
      }
    }
    next = Math.min(following, ask.until)
  }
  return { records, unreadable, next }
}

export interface Merged {
  readonly records: readonly LogRecord[]
  readonly bytes: number
  /** Where to go on, one per page. */
  readonly next: readonly number[]
}

/** Pages of several partitions as one list: within a partition by offset, between partitions the older timestamp first. Stops at the bounds. */
export function mergePages(pages: readonly Page[], bounds: { readonly maxRecords: number; readonly maxBytes: number }): Merged {
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
    const size = sizeOf(oldest.record)
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

type Decoded =
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] }
  | { readonly kind: 'unreadable'; readonly message: string }

/** All of a batch or nothing of it: what a producer put into it is only looked at here, so a defect in it must not end the whole read. */
function decode(batch: Uint8Array, place: { readonly partition: number; readonly baseOffset: number }, codecs: Codecs): Decoded {
  try {
    const records: LogRecord[] = []
    for (const { offsetDelta, timestamp, key, value, headers } of readRecords(batch, 0, codecs, limits.decompressedBytes)) {
      records.push({ partition: place.partition, offset: place.baseOffset + offsetDelta, timestamp, key, value, headers })
    }
    return { kind: 'records', records }
  } catch (error) {
    return { kind: 'unreadable', message: error instanceof Error ? error.message : String(error) }
  }
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
