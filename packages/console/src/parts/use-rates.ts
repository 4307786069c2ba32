// Rates from counters that only grow: the last values of each, for charts.
import { useRef } from 'preact/hooks'
import { chartLength } from './chart.tsx'

/** Name → its rates a second, the newest last. */
export type Rates = Readonly<Record<string, readonly number[]>>

interface Seen {
  readonly atMs: number
  readonly totals: Readonly<Record<string, number>>
}

/** `totals`: the counters of one answer; undefined until there is one. The same object twice counts once. */
export function useRates(totals: Readonly<Record<string, number>> | undefined): Rates {
  const seen = useRef<Seen | undefined>(undefined)
  const rates = useRef<Rates>({})
  if (totals !== undefined && totals !== seen.current?.totals) {
    const atMs = performance.now()
    const before = seen.current
    if (before !== undefined) rates.current = extended(rates.current, before, { atMs, totals })
    seen.current = { atMs, totals }
  }
  return rates.current
}

function extended(rates: Rates, before: Seen, now: Seen): Rates {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000)
  return Object.fromEntries(
    Object.entries(now.totals).map(([name, total]) => {
      // A counter begins at 0 again when the server is restarted, and a topic that is deleted takes its records with it.
      const grown = Math.max(0, total - (before.totals[name] ?? total))
      return [name, [...(rates[name] ?? []), grown / seconds].slice(-chartLength)]
    }),
  )
}
