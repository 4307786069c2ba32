// A record for people: one line on a terminal, for any bytes.
import { isUtf8 } from 'node:buffer'
import type { ConsumedRecord } from './consumed-record.ts'
import { recordName } from './consumed-record.ts'

/** `orders[0]@42  2026-01-31T08:15:00.250Z  key  value  name=value`, without a line feed. A null key is left out, a null value is a tombstone. */
export function recordView(record: ConsumedRecord): string {
  const parts = [recordName(record), timeView(record.timestamp)]
  if (record.key !== null) parts.push(`${bytesView(record.key)} `)
  parts.push(record.value === null ? '(tombstone)' : bytesView(record.value))
  if (record.headers.length > 0) parts.push(`{${headersView(record)}}`)
  return parts.join('  ')
}

export function headersView({ headers }: Pick<ConsumedRecord, 'headers'>): string {
  return headers.map(({ key, value }) => (value === null ? bytesView(key) : `${bytesView(key)}=${bytesView(value)}`)).join(', ')
}

/** ISO 8601 in UTC. A missing or invalid timestamp is shown as its number. */
export function timeView(timestamp: bigint): string {
  const ms = Number(timestamp)
  return ms < 0 || ms > maxDateMs ? String(timestamp) : new Date(ms).toISOString()
}

/** Text in one line: control characters are escaped, and bytes that are not UTF-8 are shown in hex. */
export function bytesView(bytes: Buffer): string {
  if (!isUtf8(bytes)) return `0x${bytes.toString('hex')}`
  return bytes
    .toString()
    .replaceAll(/\p{Cc}|\p{Cf}|[\u2028\u2029]/gu, (sign) => escapes[sign] ?? `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`)
}

const maxDateMs = 8.64e15
const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
