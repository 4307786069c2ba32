// A record as one line of JSON, and back: text if its bytes are UTF-8, otherwise marked base64, as in our HTTP answers.
import { isUtf8 } from 'node:buffer'
import { errorText } from '@local-kafka-service/agent/native-error'
import type { ConsumedHeader, ConsumedRecord } from './consumed-record.ts'

/** The output of `consume -o json` and the input of `produce --json`, which ignores `topic` and `offset`. */
export function recordLine({ topic, partition, offset, timestamp, key, value, headers }: ConsumedRecord): string {
  // Offsets and timestamps are written as digits: an int64 does not fit in a JavaScript number.
  const fields = [
    `"topic":${JSON.stringify(topic)}`,
    `"partition":${partition}`,
    `"offset":${offset}`,
    `"timestamp":${timestamp}`,
    bytesField('key', key),
    bytesField('value', value),
    `"headers":[${headers.map((header) => `{${bytesField('key', header.key)},${bytesField('value', header.value)}}`).join(',')}]`,
  ]
  return `{${fields.join(',')}}`
}

/** A record to write. Without a partition the key decides; without a timestamp the current time applies. */
export interface RecordToWrite {
  readonly partition: number | undefined
  readonly timestamp: bigint | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly ConsumedHeader[]
}

export type ParsedRecord = { readonly kind: 'record'; readonly record: RecordToWrite } | { readonly kind: 'wrong'; readonly why: string }

/** Every field except `value` is optional; an unknown field is an error. */
export function parseRecordLine(line: Buffer): ParsedRecord {
  if (!isUtf8(line)) return wrong('it is not UTF-8')
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString())
  } catch (error) {
    return wrong(`it is not valid JSON: ${errorText(error)}`)
  }
  if (!isObject(parsed)) return wrong('it is not a JSON object')
  const unknown = Object.keys(parsed).find((name) => !recordFields.has(name))
  if (unknown !== undefined) return wrong(`a record has no field ${JSON.stringify(unknown)}, only ${[...recordFields].join(', ')}`)
  if (!('value' in parsed)) return wrong('it has no value; "value": null is a tombstone')
  const partition = integer(parsed, 'partition', 2 ** 31 - 1)
  const timestamp = integer(parsed, 'timestamp', Number.MAX_SAFE_INTEGER)
  const key = bytesOf(parsed, 'key')
  const value = bytesOf(parsed, 'value')
  const headers = headersOf(parsed.headers)
  if (typeof partition === 'string') return wrong(partition)
  if (typeof timestamp === 'string') return wrong(timestamp)
  if (typeof key === 'string') return wrong(key)
  if (typeof value === 'string') return wrong(value)
  if (typeof headers === 'string') return wrong(headers)
  return { kind: 'record', record: { partition, timestamp: timestamp === undefined ? undefined : BigInt(timestamp), key, value, headers } }
}

const recordFields = new Set(['topic', 'partition', 'offset', 'timestamp', 'key', 'keyEncoding', 'value', 'valueEncoding', 'headers'])
const headerFields = new Set(['key', 'keyEncoding', 'value', 'valueEncoding'])

// A byte order mark is part of the text: the bytes must not change.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function bytesField(name: 'key' | 'value', bytes: Buffer | null): string {
  if (bytes === null) return `"${name}":null`
  if (isUtf8(bytes)) return `"${name}":${JSON.stringify(utf8.decode(bytes))}`
  return `"${name}":"${bytes.toString('base64')}","${name}Encoding":"base64"`
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(why: string): ParsedRecord {
  return { kind: 'wrong', why }
}

/** Undefined if the field is absent; a string that says what is wrong if it is not valid. */
function integer(object: JsonObject, name: string, most: number): number | undefined | string {
  const value = object[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= (name === 'timestamp' ? -1 : 0) && value <= most) return value
  return `its ${name} is not an integer of at least 0: ${JSON.stringify(value)}`
}

function bytesOf(object: JsonObject, name: 'key' | 'value'): Buffer | null | string {
  const value = object[name]
  const encoding = object[`${name}Encoding`]
  if (encoding !== undefined && encoding !== 'base64') return `its ${name}Encoding is ${JSON.stringify(encoding)}; only "base64" is known`
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') return `its ${name} is not a string: quote JSON inside a record, as in {"value": "{\\"a\\": 1}"}`
  if (encoding === undefined) {
    // An unpaired surrogate has no bytes in UTF-8; Node would replace it.
    return value.isWellFormed() ? Buffer.from(value) : `its ${name} cannot be written in UTF-8: it contains an unpaired surrogate`
  }
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes : `its ${name} is not valid base64`
}

function headersOf(headers: unknown): readonly ConsumedHeader[] | string {
  if (headers === undefined) return []
  if (!Array.isArray(headers)) return 'its headers are not a list of {"key": …, "value": …}'
  const read: ConsumedHeader[] = []
  for (const header of headers as readonly unknown[]) {
    if (!isObject(header) || Object.keys(header).some((name) => !headerFields.has(name))) return 'a header is not {"key": …, "value": …}'
    const key = bytesOf(header, 'key')
    const value = bytesOf(header, 'value')
    if (typeof key === 'string') return `in a header, ${key}`
    if (typeof value === 'string') return `in a header, ${value}`
    if (key === null) return 'a header has no key'
    read.push({ key, value })
  }
  return read
}
