// When a flush is sealed, from the settings and the cost of a PUT.
import { defaultLimits, type FlushPolicy, fixedLimits, number, type Settings } from '@local-kafka-service/agent'

const budgetSettings = ['flush.linger.ms', 'flush.puts.per.second', 'flush.puts.per.second.max'] as const

/**
 * If a PUT is free, group commit: at once when idle, otherwise when the previous flush is done; only much data from producers in closed loops waits a moment for more. If it costs money or time, or if the user has set the
 * budget: many PUTs in parallel, as often as the budget allows, and more often while producers wait in closed loops; a lone request still goes at once.
 */
export function flushPolicy(settings: Settings, { putsCost }: { readonly putsCost: boolean }): FlushPolicy {
  const maxBytes = number(settings, 'flush.bytes')
  const budgeted = putsCost || budgetSettings.some((name) => settings.values.get(name)?.source !== 'default')
  if (!budgeted) {
    const gather = { fromBytes: fixedLimits.gatherFromBytes, toBytes: fixedLimits.gatherToBytes }
    return { maxBytes, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1, gather }
  }
  const putsPerSecond = number(settings, 'flush.puts.per.second')
  const putsPerSecondMax = number(settings, 'flush.puts.per.second.max')
  return {
    maxBytes,
    lingerMs: number(settings, 'flush.linger.ms'),
    flushesInFlight: defaultLimits.putsInFlight,
    putsPerSecond,
    ...(putsPerSecondMax > putsPerSecond && { putsPerSecondMax }),
    burst: Math.max(1, Math.round(putsPerSecond)),
    rowsPerSecond: fixedLimits.segmentRowsPerSecond,
  }
}
