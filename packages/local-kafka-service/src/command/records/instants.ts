// Points in time as people write them: a day, a date with a time, a Unix time, or so long ago.

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
  const duration = parseDuration(text.replace(/^-/, ''))
  if (duration === undefined) return { kind: 'wrong', why: `${text === '' ? 'nothing' : text} is no time; ${instantForms}` }
  return { kind: 'instant', ms: text.startsWith('-') ? baseMs - duration : baseMs + duration, relative: true }
}

/** `1h30m` in milliseconds: whole or decimal numbers with ms, s, m, h, d or w. Undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return undefined
  let ms = 0
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)(ms|s|m|h|d|w)/g)) ms += Number(number) * (unitMs[unit] ?? 0)
  return Math.round(ms)
}

export const instantForms =
  'write 2026-01-31, 2026-01-31T08:15:00Z, a Unix time in seconds or milliseconds, or a duration such as 90s, 1h30m, 2d'

const dateWithTime = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
