// The size of records as JSON, and the beginning of a record that is too large for an answer.
import { isUtf8 } from 'node:buffer'
import { must } from '../core/assert.ts'
import type { Slice } from '../time/turns.ts'
import type { LogRecord } from './log-record.ts'

/**
 * The bytes of a record's key, value and headers as JSON strings. Plain text keeps its size; a control character takes up to six bytes.
 * A result above `enough` need not be exact. Every byte is looked at, so a large record takes several slices.
 */
export async function jsonSizeOf(
  { key, value, headers }: LogRecord,
  slice: Pick<Slice, 'spent' | 'next'>,
  enough: number = Number.POSITIVE_INFINITY,
): Promise<number> {
  let bytes = await jsonBytes(key, enough, slice)
  bytes += await jsonBytes(value, enough - bytes, slice)
  for (const header of headers) bytes += header.key.length + (await jsonBytes(header.value, enough - bytes, slice))
  return bytes
}

/** As `jsonSizeOf` without a limit. Undefined for a record that is too large for one turn. */
export function smallJsonSizeOf({ key, value, headers }: LogRecord): number | undefined {
  let bytes = 0
  for (const part of [key, value, ...headers.map((header) => header.value)]) {
    if (part === null) continue
    if (part.length > partBytes) return undefined
    bytes += isUtf8(part) ? part.length + escapesIn(part, 0, part.length) : base64Size(part)
  }
  return headers.reduce((sum, header) => sum + header.key.length, bytes)
}

/** The limits for the parts of a record that is cut. */
const cutBytes = 64 * 1024
const cutHeaders = 100

/** Keeps the beginning of each part, in whole characters if it is text; `cut` has the original lengths. */
export function cutRecord(record: LogRecord): LogRecord {
  const { key, value, headers } = record
  return {
    ...record,
    key: beginning(key),
    value: beginning(value),
    headers: headers.slice(0, cutHeaders).map((header) => ({ key: header.key, value: beginning(header.value) })),
    cut: {
      ...(key !== null && key.length > cutBytes && { keyBytes: key.length }),
      ...(value !== null && value.length > cutBytes && { valueBytes: value.length }),
      ...(headers.length > cutHeaders && { headerCount: headers.length }),
    },
  }
}

/** The largest index, at most `maxBytes` after `from`, at which the bytes can be cut without splitting a character of UTF-8. */
export function characterEnd(bytes: Uint8Array, from: number, maxBytes: number): number {
  let end = Math.min(bytes.length, from + maxBytes)
  if (end < bytes.length) while (end > from && (must(bytes[end], 'a byte before the end') & 0xc0) === 0x80) end -= 1
  return end
}

function beginning(bytes: Uint8Array | null): Uint8Array | null {
  if (bytes === null || bytes.length <= cutBytes) return bytes
  return bytes.subarray(0, isUtf8(bytes) ? characterEnd(bytes, 0, cutBytes) : cutBytes)
}

async function jsonBytes(bytes: Uint8Array | null, enough: number, slice: Pick<Slice, 'spent' | 'next'>): Promise<number> {
  if (bytes === null) return 0
  let size = bytes.length
  if (size > enough) return size
  if (!isUtf8(bytes)) return base64Size(bytes)
  for (let at = 0; at < bytes.length && size <= enough; at += partBytes) {
    size += escapesIn(bytes, at, Math.min(bytes.length, at + partBytes))
    if (slice.spent(unitsPerPart)) await slice.next()
  }
  return size
}

const partBytes = 16 * 1024
/** A byte takes about a nanosecond. */
const unitsPerPart = 4

function base64Size({ length }: Uint8Array): number {
  return Math.ceil(length / 3) * 4
}

/** By index and without assertions: this is the only loop over every byte of an answer. */
function escapesIn(bytes: Uint8Array, from: number, to: number): number {
  let more = 0
  // The loop ends before the last byte, and the table has all bytes.
  for (let at = from; at < to; at += 1) more += moreForEscape[bytes[at] ?? 0] ?? 0
  return more
}

/** The bytes that an escape adds: one for characters with a short form, five for the other control characters. */
const moreForEscape = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ('\b\t\n\f\r"\\'.includes(String.fromCharCode(byte))) return 1
  return byte < 0x20 ? 5 : 0
})
