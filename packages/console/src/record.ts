// A record as people read it: what its bytes are, and how to show them.
import type { Operations } from './api/operations.ts'

export type RecordJson = Operations['queryMessages']['answer']['records'][number]

/** What a key or a value is. `hex` lines have 16 bytes. */
export type Contents =
  | { readonly kind: 'null' }
  | { readonly kind: 'json'; readonly text: string; readonly pretty: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly text: string; readonly hex: string; readonly sizeBytes: number }

/** Longer JSON is shown as it is: laying it out would stop the page. */
const prettyLength = 1_000_000

export function contentsOf(text: string | null, encoding: 'base64' | undefined): Contents {
  if (text === null) return { kind: 'null' }
  if (encoding === 'base64') return binary(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  if (/^\s*[[{]/.test(text) && text.length <= prettyLength) {
    const pretty = prettyJson(text)
    if (pretty !== undefined) return { kind: 'json', text, pretty }
  }
  return { kind: 'text', text }
}

/** The beginning of the contents on one line. */
export function preview(contents: Contents): string {
  return contents.kind === 'null' ? '' : contents.text.slice(0, 400).replaceAll(/\s+/g, ' ')
}

/** The name of a record in its topic, which never changes. */
export function placeOf({ partition, offset }: Pick<RecordJson, 'partition' | 'offset'>): string {
  return `${partition}:${offset}`
}

/** Undefined if the text is not JSON. Numbers keep their digits: JavaScript's own would be rounded. */
function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return laidOut(text)
}

/** Valid JSON with line breaks, token by token. */
function laidOut(json: string): string {
  let depth = 0
  let out = ''
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g)) {
    if (token === '{' || token === '[') {
      depth += 1
      out += token + line()
    } else if (token === '}' || token === ']') {
      depth -= 1
      out = /[{[]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token
    } else if (token === ',') out += token + line()
    else out += token === ':' ? ': ' : token
  }
  return out
}

function binary(bytes: Uint8Array): Contents {
  const shown = bytes.subarray(0, 4096)
  const lines: string[] = []
  for (let at = 0; at < shown.length; at += 16) {
    const row = [...shown.subarray(at, at + 16)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  if (shown.length < bytes.length) lines.push(`… and ${bytes.length - shown.length} more bytes`)
  return {
    kind: 'binary',
    text: [...bytes.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    hex: lines.join('\n'),
    sizeBytes: bytes.length,
  }
}
