// Points in time as people write them: a day, a date with a time, a Unix time, or a duration before now.
import { spanMs } from 'local-kafka-service/internal/duration'

/** Either milliseconds since the epoch, or the reason why the text is not valid. */
export type ParsedInstant =
  | { readonly kind: 'instant'; readonly ms: number; readonly relative: boolean }
  | { readonly kind: 'wrong'; readonly why: string }

/**
 * `2026-01-31`, `2026-01-31T08:15[:30[.250]][Z|+02:00]` (both UTC unless they name a zone), 13 digits of milliseconds, 10 digits of seconds,
 * or a duration: `-1h30m` is that long before `baseMs`, `1h30m` that long after it.
 */
export function parseInstant(text: string, { baseMs }: { readonly baseMs: number }): ParsedInstant {
  if (/^\d{13}$/.test(text)) return { kind: 'instant', ms: Number(text), relative: false }
  if (/^\d{10}$/.test(text)) return { kind: 'instant', ms: Number(text) * 1_000, relative: false }
  const date = dateWithTime.exec(text)
  if (date !== null) {
    const [, day = '', time = '', zone = ''] = date
    const ms = Date.parse(`${day}T${time === '' ? '00:00' : time}${zone === '' ? 'Z' : zone}`)
    // JavaScript reads 31 February as a day in March.
    if (Number.isNaN(ms) || new Date(`${day}T00:00Z`).toISOString().slice(0, 10) !== day) {
      return { kind: 'wrong', why: `${text} is not an existing day or time` }
    }
    return { kind: 'instant', ms, relative: false }
  }
  const duration = spanMs(text.replace(/^-/, ''))
  if (duration === undefined || duration > longestMs)
    return { kind: 'wrong', why: `${text === '' ? 'nothing' : text} is not a valid time; ${instantForms}` }
  // A time before the epoch has no records, and clusters give negative timestamps another meaning.
  return { kind: 'instant', ms: text.startsWith('-') ? Math.max(0, baseMs - duration) : baseMs + duration, relative: true }
}

/** `1h` and `-1h` are both an hour ago. */
export function instantAgo(text: string, nowMs: number): ParsedInstant {
  return parseInstant(/^\d{10}(\d{3})?$|^\d{4}-|^-/.test(text) ? text : `-${text}`, { baseMs: nowMs })
}

export const instantForms =
  'write 2026-01-31, 2026-01-31T08:15:00Z, a Unix time in seconds or milliseconds, or a duration such as 90s, 1h30m, 2d'

const dateWithTime = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/
/** The largest time of a Date. */
const longestMs = 8.64e15
