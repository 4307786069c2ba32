// Records for people over several lines: their JSON indented, every digit and character of it kept.
import { isUtf8 } from 'node:buffer'
import type { CommandOption } from '../client-command.ts'
import { type ConsumedRecord, recordName } from './consumed-record.ts'
import { recordLine } from './record-json.ts'
import { bytesView, headersView, timeView } from './record-view.ts'

export const prettyOption: CommandOption = {
  name: 'pretty',
  doc: 'Each record over several lines, with JSON indented; also with --output json.',
}

/** The place, time, key and headers in one line, then the value; without the line feed at the end. */
export function prettyRecord(record: ConsumedRecord): string {
  const { key, value, headers, timestamp } = record
  const first = [recordName(record), timeView(timestamp)]
  if (key !== null) first.push(bytesView(key))
  if (headers.length > 0) first.push(`{${headersView(record)}}`)
  const text = value === null ? '(tombstone)' : (indentedValue(value) ?? bytesView(value))
  const lines = text.split('\n').map((line) => `  ${line}`)
  return [first.join('  '), ...lines].join('\n')
}

/** The object of `-o json`, byte for byte, over several lines. */
export function prettyJson(record: ConsumedRecord): string {
  return indented(recordLine(record))
}

/** Undefined: it is not a JSON object or list. Control characters are escaped. */
function indentedValue(value: Buffer): string | undefined {
  if (!isUtf8(value)) return undefined
  const text = value.toString()
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return indented(text)
    .split('\n')
    .map((line) => bytesView(Buffer.from(line)))
    .join('\n')
}

/** Valid JSON with other white space. It is not parsed: a number may have more digits than JavaScript keeps. */
function indented(json: string): string {
  let depth = 0
  let out = ''
  const lineBreak = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    const isEmpty = (token === '}' || token === ']') && /[{[]$/.test(out)
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
    const closes = (token === '}' || token === ']') && !isEmpty
    const begins = token !== ',' && token !== ':' && !closes && !isEmpty && /[{[,]$/.test(out)
    // A bracket that opens has already deepened the lines after it, not its own.
    const own = token === '{' || token === '[' ? `\n${'  '.repeat(depth - 1)}` : lineBreak()
    out += `${closes ? lineBreak() : begins ? own : ''}${token}${token === ':' ? ' ' : ''}`
  }
  return out
}
