// How large records become as JSON, and the beginning of one that is too large to be answered whole.
import { isUtf8 } from 'node:buffer'
import type { LogRecord } from './record-pages.ts'

/**
 * Bytes of the keys, values and headers of a record as JSON strings. For plain text it is their own size; a control character becomes six bytes.
 * Above `enough` it need not be exact.
 */
export function jsonSizeOf({ key, value, headers }: LogRecord, enough: number = Number.POSITIVE_INFINITY): number {
  let bytes = jsonBytes(key, enough)
  bytes += jsonBytes(value, enough - bytes)
  for (const header of headers) bytes += header.key.length + jsonBytes(header.value, enough - bytes)
  return bytes
}

/** What is left of each part of a record that is cut. */
const cutBytes = 64 * 1024
const cutHeaders = 100

/** The beginning of each part, whole characters where it is text; `cut` says how long the parts were. */
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

/** Where bytes from `from` on may be cut, at most `maxBytes` later, without cutting a character of UTF-8. */
export function characterEnd(bytes: Uint8Array, from: number, maxBytes: number): number {
  let end = Math.min(bytes.length, from + maxBytes)
  if (end < bytes.length) while (end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return end
}

function beginning(bytes: Uint8Array | null): Uint8Array | null {
  if (bytes === null || bytes.length <= cutBytes) return bytes
  return bytes.subarray(0, isUtf8(bytes) ? characterEnd(bytes, 0, cutBytes) : cutBytes)
}

function jsonBytes(bytes: Uint8Array | null, enough: number): number {
  if (bytes === null) return 0
  let size = bytes.length
  if (size > enough) return size
  if (!isUtf8(bytes)) return Math.ceil(size / 3) * 4
  // By index: this is the one loop over every byte of an answer.
  for (let at = 0; at < bytes.length && size <= enough; at += 1) size += moreForEscape[bytes[at] ?? 0] ?? 0
  return size
}

/** What an escape adds to its byte: one for those with a short form, five for the other control characters. */
const moreForEscape = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ('\b\t\n\f\r"\\'.includes(String.fromCharCode(byte))) return 1
  return byte < 0x20 ? 5 : 0
})
