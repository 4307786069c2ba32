// Durations as people write them, in options, on the command line and in tests: `8d`, `1h30m`, `250ms`, `1.5s`.

/** An integer or decimal number with ms, s, m, h, d or w, or several of these. In whole milliseconds; undefined for an invalid text. */
export function spanMs(text: string): number | undefined {
  if (!spans.test(text)) return undefined
  let ms = 0
  for (const [, amount, unit = ''] of text.matchAll(span)) ms += Number(amount) * (unitsMs[unit] ?? 0)
  return Math.round(ms)
}

/** Like `spanMs`, in whole milliseconds, because Kafka's fields hold integers; a number without a unit is in milliseconds. */
export function durationMs(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text)) : spanMs(text)
}

const spans = /^(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+$/
const span = /(\d+(?:\.\d+)?)(ms|[wdhms])/g
const unitsMs: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
