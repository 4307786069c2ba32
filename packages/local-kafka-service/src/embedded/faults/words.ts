// A fault as text, for `faults.list()`, `faults.seen()` and the requests that it affected.
import type { Duration } from './fault-types.ts'

interface WordedOptions {
  readonly topic?: string
  readonly clientId?: string
  readonly group?: string
  readonly times?: number
  readonly rate?: number
  readonly for?: Duration
  readonly when?: unknown
}

/** `, topic orders, 2 times`. */
export function optionWords({ topic, clientId, group, times, rate, for: lasting, when }: WordedOptions): string {
  return [
    topic !== undefined && `topic ${topic}`,
    clientId !== undefined && `client ${clientId}`,
    group !== undefined && `group ${group}`,
    times !== undefined && (times === 1 ? 'once' : `${times} times`),
    rate !== undefined && `rate ${rate}`,
    lasting !== undefined && `for ${durationWords(lasting)}`,
    when !== undefined && 'when its function says so',
  ]
    .filter((part) => part !== false)
    .map((part) => `, ${part}`)
    .join('')
}

export function durationWords(duration: Duration): string {
  return typeof duration === 'number' ? `${duration}ms` : duration
}
