// How a line of input becomes a record: `-k`, `-K`, `-H`, `-Z` and `--json` of `lks produce`.
import { type ByteLine } from './byte-lines.ts'
import type { ConsumedHeader } from './consumed-record.ts'
import { type ParsedRecord, parseRecordLine } from './record-json.ts'

export interface LineForm {
  /** Lines are JSON records; of the options below only headers apply to them. */
  readonly json: boolean
  /** The key of every record. */
  readonly key: Buffer | undefined
  /** The separator between key and value; a line without it has no key. */
  readonly keySeparator: Buffer | undefined
  /** Added to every record, after its own headers. */
  readonly headers: readonly ConsumedHeader[]
  /** An empty value is null, which is a tombstone; an empty key is null. */
  readonly emptyIsNull: boolean
}

export function recordOfLine({ bytes }: ByteLine, form: LineForm): ParsedRecord {
  if (form.json) {
    const parsed = parseRecordLine(bytes)
    if (parsed.kind === 'wrong' || form.headers.length === 0) return parsed
    return { kind: 'record', record: { ...parsed.record, headers: [...parsed.record.headers, ...form.headers] } }
  }
  const { keySeparator, emptyIsNull } = form
  const at = keySeparator === undefined ? -1 : bytes.indexOf(keySeparator)
  const key = at < 0 || keySeparator === undefined ? (form.key ?? null) : bytes.subarray(0, at)
  const value = at < 0 || keySeparator === undefined ? bytes : bytes.subarray(at + keySeparator.length)
  const orNull = (part: Buffer | null): Buffer | null => (emptyIsNull && part?.length === 0 ? null : part)
  return {
    kind: 'record',
    record: { partition: undefined, timestamp: undefined, key: orNull(key), value: orNull(value), headers: form.headers },
  }
}

export type ParsedHeader = { readonly kind: 'header'; readonly header: ConsumedHeader } | { readonly kind: 'wrong'; readonly why: string }

/** `name=value`; the value is empty in `name=` and null in `name`. */
export function parseHeader(text: string): ParsedHeader {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (name === '') return { kind: 'wrong', why: `${JSON.stringify(text)} has no name before its =` }
  return { kind: 'header', header: { key: Buffer.from(name), value: at < 0 ? null : Buffer.from(text.slice(at + 1)) } }
}
