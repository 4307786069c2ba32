// A time in a query: an instant, or an age that ends now.
import { epochMsOf } from './iso-time.ts'
import { Problem } from './problem.ts'

/** Milliseconds since the epoch. Throws a problem that names the parameter. */
export function timeOf(name: string, text: string, nowMs: number): number {
  const [, length, unit = ''] = /^(\d{1,10})(ms|s|m|h|d)$/.exec(text) ?? []
  if (length !== undefined) return Math.max(0, nowMs - Number(length) * (ageUnitsMs[unit] ?? 0))
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const ms = epochMsOf(text)
  if (ms === undefined)
    throw new Problem(
      'badRequest',
      `The query parameter '${name}' must be milliseconds since the epoch, a time such as 2030-01-31T12:00:00Z, or a time before now such as 1h (ms, s, m, h, d).`,
    )
  return ms
}

/** The lengths of a time that ends now. */
const ageUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
