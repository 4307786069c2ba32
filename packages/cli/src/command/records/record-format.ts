// kcat's format strings: the output of `-f '%t[%p]@%o %k: %s\n'` for a record, byte for byte.
import type { ConsumedRecord } from './consumed-record.ts'

/** Either the parts of a format, or the reason why it is not valid. */
export type ParsedFormat =
  | { readonly kind: 'format'; readonly parts: readonly FormatPart[] }
  | { readonly kind: 'wrong'; readonly why: string }

/** Literal bytes, or a field of the record. */
export type FormatPart = Buffer | ((record: ConsumedRecord) => Buffer)

/** The fields by the letter after `%`. */
export const formatFields: ReadonlyMap<string, { readonly doc: string; readonly of: (record: ConsumedRecord) => Buffer }> = new Map([
  ['t', { doc: 'topic', of: ({ topic }: ConsumedRecord) => Buffer.from(topic) }],
  ['p', { doc: 'partition', of: ({ partition }: ConsumedRecord) => text(partition) }],
  ['o', { doc: 'offset', of: ({ offset }: ConsumedRecord) => text(offset) }],
  ['T', { doc: 'timestamp in milliseconds', of: ({ timestamp }: ConsumedRecord) => text(timestamp) }],
  ['k', { doc: 'key', of: ({ key }: ConsumedRecord) => key ?? nothing }],
  ['K', { doc: 'length of the key, -1 for null', of: ({ key }: ConsumedRecord) => text(key?.length ?? -1) }],
  ['s', { doc: 'value', of: ({ value }: ConsumedRecord) => value ?? nothing }],
  ['S', { doc: 'length of the value, -1 for null', of: ({ value }: ConsumedRecord) => text(value?.length ?? -1) }],
  ['R', { doc: 'length of the value in four bytes, big endian', of: ({ value }: ConsumedRecord) => int32(value?.length ?? -1) }],
  ['h', { doc: 'headers as name=value, with commas between them', of: headersOf }],
])

/** Fields as in kcat, `%%`, and the escapes \n \r \t \\ \xNN and \NNN (decimal; octal after a 0). */
export function parseFormat(format: string): ParsedFormat {
  const parts: FormatPart[] = []
  for (const [piece, letter, escape] of format.matchAll(pieces)) {
    const field = formatFields.get(letter ?? '')
    if (field !== undefined) parts.push(field.of)
    else if (letter === '') return { kind: 'wrong', why: 'the format ends with a single %; %% prints one' }
    else if (letter !== undefined && letter !== '%')
      return { kind: 'wrong', why: `%${letter} is not a known field; use ${knownFields} and %%` }
    else if (escape === undefined) parts.push(Buffer.from(letter ?? (piece === '\\' ? '' : piece)))
    else {
      const byte = byteOf(escape)
      if (byte > 255) return { kind: 'wrong', why: `${piece} is not a valid byte: it is above 255` }
      parts.push(Buffer.from([byte]))
    }
  }
  return { kind: 'format', parts }
}

/** Text with the escapes of a format as bytes, or the reason why it is not valid. Nothing is a field in it. */
export function escapedBytes(
  escaped: string,
): { readonly kind: 'bytes'; readonly bytes: Buffer } | Extract<ParsedFormat, { kind: 'wrong' }> {
  const parsed = parseFormat(escaped.replaceAll('%', '%%'))
  if (parsed.kind === 'wrong') return parsed
  return { kind: 'bytes', bytes: Buffer.concat(parsed.parts.filter((part) => typeof part !== 'function')) }
}

/** The pieces that the format prints for a record; keys and values are not copied. */
export function formatted(parts: readonly FormatPart[], record: ConsumedRecord): readonly Buffer[] {
  return parts.map((part) => (typeof part === 'function' ? part(record) : part))
}

/** A field with its letter, an escape for a byte, or text. A backslash before any other character is removed, as in kcat. */
const pieces = /%(.?)|\\(x[0-9a-fA-F]{1,2}|0[0-7]{0,3}|[1-9][0-9]{0,2}|[nrt\\])|\\(?=.)|[^%\\]+|\\$/gsu
const nothing = Buffer.alloc(0)
const knownFields = [...formatFields.keys()].map((letter) => `%${letter}`).join(' ')
const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '\\': 92 }

function byteOf(escape: string): number {
  if (escape.startsWith('x')) return Number.parseInt(escape.slice(1), 16)
  return escapes[escape] ?? Number.parseInt(escape, escape.startsWith('0') ? 8 : 10)
}

function headersOf({ headers }: ConsumedRecord): Buffer {
  return Buffer.concat(
    headers.flatMap(({ key, value }, index) => [Buffer.from(index === 0 ? '' : ','), key, Buffer.from('='), value ?? Buffer.from('NULL')]),
  )
}

function text(number: number | bigint): Buffer {
  return Buffer.from(String(number))
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}
