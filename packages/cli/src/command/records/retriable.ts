// Which errors of a cluster are transient, and the pause before the next attempt.
import { setTimeout as sleep } from 'node:timers/promises'
import { findErrorBy } from '@platformatic/kafka'

/** False for permanent errors: no permission, no such topic, a request that the broker does not understand. */
export function isRetriable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && findErrorBy(error, 'canRetry', false) === null
}

/** Ends early when the client was closed, which it checks repeatedly. */
export async function pauseUnlessClosed(ms: number, client: { readonly closed: boolean }): Promise<void> {
  if (!client.closed) await sleep(ms)
}
