// Spans of time as people write them: `8d`, `1h30m`, `250ms`, `1.5s`.
import type { Duration } from './faults/fault-types.ts'

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

const spans = /^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/
const span = /(\d+(?:\.\d+)?)(ms|[dhms])/g

/** In milliseconds; a number is milliseconds already, also as text. NaN for what is no span of time. */
export function durationOf(given: Duration): number {
  const text = String(given)
  if (!spans.test(text)) return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  let sum = 0
  // The cast: the pattern has these units only.
  for (const [, amount, unit] of text.matchAll(span)) sum += Number(amount) * unitsMs[unit as keyof typeof unitsMs]
  return Math.round(sum)
}
