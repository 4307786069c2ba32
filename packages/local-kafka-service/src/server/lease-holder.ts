// The holder of a lease as text, for the log and for errors.
import type { LeaseHolder } from '@local-kafka-service/agent'

/** `the agent 'web-1' on web-1 (127.0.0.1:9092, since 2026-01-31 12:00:00 UTC)` */
export function holderOf({ agent, machine, host, port, sinceMs }: LeaseHolder): string {
  const since = new Date(sinceMs).toISOString().slice(0, 19).replace('T', ' ')
  return `the agent '${agent}'${machine === null ? '' : ` on ${machine}`} (${host}:${port}, since ${since} UTC)`
}
