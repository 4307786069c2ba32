// rpk's offsets: where to begin reading and where to stop, as written on the command line.
import { parseInstant } from '../instants.ts'

/** A position in every partition; each partition resolves it to its own offset. */
export type Position =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  /** A number of offsets after the first existing one. */
  | { readonly kind: 'after start'; readonly count: bigint }
  /** A number of offsets before the end. */
  | { readonly kind: 'before end'; readonly count: bigint }
  /** The first record that is not older, by timestamp. */
  | { readonly kind: 'time'; readonly ms: number }

export interface OffsetRange {
  readonly from: Position
  /** Exclusive, and at most the end at the moment of resolving. Undefined: no end, the reader follows. */
  readonly until: Position | undefined
}

export type ParsedRange = { readonly kind: 'range'; readonly range: OffsetRange } | { readonly kind: 'wrong'; readonly why: string }

/**
 * `start`, `end`, `7` (exactly), `+5` (after the start), `-10` (before the end), `@TIME`; a second one after `:` says where to stop.
 * `:end` is from the start to the current end, `7:9` is 7 and 8, `@-1h:end` is the last hour, `@2026-01-01:1h` is an hour of that day.
 */
export function parseOffsetRange(text: string, { nowMs }: { readonly nowMs: number }): ParsedRange {
  return text.startsWith('@') ? parseTimes(text.slice(1), nowMs) : parseOffsets(text)
}

/** The offset of a position in one partition. `byTime`: the offset of the first record that is not older; undefined if there is none. It may be out of range. */
export function offsetAt(
  position: Position,
  { start, end, byTime }: { readonly start: bigint; readonly end: bigint; readonly byTime: bigint | undefined },
): bigint {
  switch (position.kind) {
    case 'start':
      return start
    case 'end':
      return end
    case 'offset':
      return position.offset
    case 'after start':
      return start + position.count
    case 'before end':
      return end - position.count < start ? start : end - position.count
    case 'time':
      return byTime ?? end
  }
}

export const offsetForms =
  'write start, end, 7 (an offset), +5 (after the start), -10 (before the end), @-1h or @2026-01-31 (a time), and after a colon where to stop: 7:9, :end, @-1h:end'

function parseOffsets(text: string): ParsedRange {
  const [first = '', second, ...more] = text.split(':')
  if (more.length > 0 || text === '' || text === ':')
    return { kind: 'wrong', why: `${text === '' ? "''" : text} is not a valid offset; ${offsetForms}` }
  const from = first === '' ? ({ kind: 'start' } as const) : place(first)
  const until = second === undefined || second === '' ? undefined : place(second)
  if (from === undefined) return { kind: 'wrong', why: `${first} is not a valid offset; ${offsetForms}` }
  if (until === undefined && second !== undefined && second !== '')
    return { kind: 'wrong', why: `${second} is not a valid offset; ${offsetForms}` }
  if (until?.kind === 'start') return { kind: 'wrong', why: 'a range cannot end at the start' }
  if (from.kind === 'offset' && until?.kind === 'offset' && until.offset <= from.offset) {
    return { kind: 'wrong', why: `${text} is empty: it stops before ${until.offset}, and begins at ${from.offset}` }
  }
  return { kind: 'range', range: { from, until } }
}

function place(text: string): Position | undefined {
  if (text === 'start' || text === 'oldest' || text === 'beginning') return { kind: 'start' }
  if (text === 'end' || text === 'newest') return { kind: 'end' }
  const number = /^([+-]?)(\d{1,18})$/.exec(text)
  if (number === null) return undefined
  const count = BigInt(number[2] ?? '')
  if (number[1] === '+') return { kind: 'after start', count }
  if (number[1] === '-') return { kind: 'before end', count }
  return { kind: 'offset', offset: count }
}

/** Times contain colons, so the first time is split off by its format. */
function parseTimes(text: string, nowMs: number): ParsedRange {
  const [, first = '', second] = /^([^:]*?(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)(?::(.*))?$/.exec(text) ?? [
    undefined,
    text,
  ]
  const from = first === '' ? undefined : parseInstant(first, { baseMs: nowMs })
  if (from?.kind === 'wrong') return from
  const start: Position = from === undefined ? { kind: 'start' } : { kind: 'time', ms: from.ms }
  if (from === undefined && (second === undefined || second === '')) return { kind: 'wrong', why: `@${text} needs a time; ${offsetForms}` }
  if (second === undefined || second === '') return { kind: 'range', range: { from: start, until: undefined } }
  if (second === 'end') return { kind: 'range', range: { from: start, until: { kind: 'end' } } }
  // `@2026-01-01:1h` is an hour of that day; both times of `@-2h:-1h` are relative to now.
  const until = parseInstant(second, { baseMs: second.startsWith('-') || from === undefined ? nowMs : from.ms })
  if (until.kind === 'wrong') return until
  if (from !== undefined && until.ms <= from.ms) return { kind: 'wrong', why: `@${text} is empty: it stops at or before its begin` }
  return { kind: 'range', range: { from: start, until: { kind: 'time', ms: until.ms } } }
}
