// Writes records as the JSON text of an answer, in pieces: a large value is never in memory as a whole, and is written only as fast as it is read.
import { isUtf8 } from 'node:buffer'
import { characterEnd, type LogRecord } from '@local-kafka-service/agent'
import { httpLimits } from './limits.ts'
import { recordJson } from './record-json.ts'

/** The same text as `JSON.stringify(recordJson(record))`. */
export function* recordText(record: LogRecord): Generator<string> {
  if (bytesOf(record) <= httpLimits.pieceBytes) {
    yield JSON.stringify(recordJson(record))
    return
  }
  const { partition, offset, timestamp, key, value, headers, cut } = record
  yield `{"partition":${partition},"offset":${offset},"timestamp":${timestamp},"key":`
  yield* part(key, 'key')
  yield ',"value":'
  yield* part(value, 'value')
  yield ',"headers":['
  for (const [index, header] of headers.entries()) {
    yield `${index === 0 ? '' : ','}{"key":${JSON.stringify(header.key)},"value":`
    yield* part(header.value, 'value')
    yield '}'
  }
  yield cut === undefined ? ']}' : `],"cut":${JSON.stringify(cut)}}`
}

/** Joins short pieces and leaves long ones as they are, so that each is worth a write. */
export function* joined(pieces: Iterable<string>): Generator<string> {
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < httpLimits.pieceBytes) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

function bytesOf({ key, value, headers }: LogRecord): number {
  return headers.reduce((sum, header) => sum + header.key.length + (header.value?.length ?? 0), (key?.length ?? 0) + (value?.length ?? 0))
}

// A byte order mark is part of the text, as in recordJson.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function* part(bytes: Uint8Array | null, name: 'key' | 'value'): Generator<string> {
  if (bytes === null) {
    yield 'null'
    return
  }
  yield '"'
  const isText = isUtf8(bytes)
  // Base64 of a multiple of three bytes needs no padding.
  const stepBytes = Math.floor(httpLimits.pieceBytes / 3) * 3
  for (let at = 0; at < bytes.length; ) {
    const end = isText ? characterEnd(bytes, at, stepBytes) : Math.min(bytes.length, at + stepBytes)
    const slice = bytes.subarray(at, end)
    yield isText
      ? JSON.stringify(utf8.decode(slice)).slice(1, -1)
      : Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength).toString('base64')
    at = end
  }
  yield isText ? '"' : `","${name}Encoding":"base64"`
}
