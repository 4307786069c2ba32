// When a flush is sealed, from the settings and from what a PUT costs where the objects go.
import { type FlushPolicy, limits, number, type Settings } from '@local-kafka-service/agent'

const budgetSettings = ['flush.linger.ms', 'flush.puts.per.second'] as const

/**
 * Where a PUT costs nothing, group commit: at once when idle, else when the flush before is done. Where it costs money or time, or where somebody set the
 * budget, many PUTs at a time, as often as the budget allows; a lone request still goes at once.
 */
export function flushPolicy(settings: Settings, { putsCost }: { readonly putsCost: boolean }): FlushPolicy {
  const maxBytes = number(settings, 'flush.bytes')
  const budgeted = putsCost || budgetSettings.some((name) => settings.values.get(name)?.source !== 'default')
  if (!budgeted) return { maxBytes, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1 }
  const putsPerSecond = number(settings, 'flush.puts.per.second')
  return {
    maxBytes,
    lingerMs: number(settings, 'flush.linger.ms'),
    flushesInFlight: limits.putsInFlight,
    putsPerSecond,
    burst: Math.max(1, Math.round(putsPerSecond)),
    rowsPerSecond: limits.segmentRowsPerSecond,
  }
}
