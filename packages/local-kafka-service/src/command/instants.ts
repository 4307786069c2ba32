// Points in time as people write them: a day, a date with a time, a Unix time, or so long ago.
import { spanMs } from '../duration.ts'

/** Either milliseconds since the epoch, or what is wrong, in words. */
export type ParsedInstant =
  | { readonly kind: 'instant'; readonly ms: number; readonly relative: boolean }
  | { readonly kind: 'wrong'; readonly why: string }

/**
 * `2026-01-31`, `2026-01-31T08:15[:30[.250]][Z|+02:00]` (both UTC unless they say otherwise), 13 digits of milliseconds, 10 digits of seconds,
 * or a duration: `-1h30m` is so long before `baseMs`, `1h30m` as long after it.
 */
export function parseInstant(text: string, { baseMs }: { readonly baseMs: number }): ParsedInstant {
  if (/^\d{13}$/.test(text)) return { kind: 'instant', ms: Number(text), relative: false }
  if (/^\d{10}$/.test(text)) return { kind: 'instant', ms: Number(text) * 1_000, relative: false }
  const date = dateWithTime.exec(text)
  if (date !== null) {
    const [, day = '', time = '', zone = ''] = date
    const ms = Date.parse(`${day}T${time === '' ? '00:00' : time}${zone === '' ? 'Z' : zone}`)
    // JavaScript takes 31 February for a day of March.
    if (Number.isNaN(ms) || new Date(`${day}T00:00Z`).toISOString().slice(0, 10) !== day) {
      return { kind: 'wrong', why: `there is no such day or time: ${text}` }
    }
    return { kind: 'instant', ms, relative: false }
  }
  const duration = spanMs(text.replace(/^-/, ''))
  if (duration === undefined || duration > longestMs)
    return { kind: 'wrong', why: `${text === '' ? 'nothing' : text} is no time; ${instantForms}` }
  // Before the epoch there is nothing, and a negative time means something else to a cluster.
  return { kind: 'instant', ms: text.startsWith('-') ? Math.max(0, baseMs - duration) : baseMs + duration, relative: true }
}

export const instantForms =
  'write 2026-01-31, 2026-01-31T08:15:00Z, a Unix time in seconds or milliseconds, or a duration such as 90s, 1h30m, 2d'

const dateWithTime = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/
/** As far from the epoch as a date goes. */
const longestMs = 8.64e15
