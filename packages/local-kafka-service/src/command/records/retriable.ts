// Which errors of a cluster pass by themselves, and the pause before it is asked again.
import { setTimeout as sleep } from 'node:timers/promises'
import { findErrorBy } from '@platformatic/kafka'

/** False for what stays wrong however often it is tried: no permission, no such topic, a request that the broker does not understand. */
export function isRetriable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && findErrorBy(error, 'canRetry', false) === null
}

/** Ends early when the client was closed, which is looked at now and then. */
export async function pauseUnlessClosed(ms: number, client: { readonly closed: boolean }): Promise<void> {
  if (!client.closed) await sleep(ms)
}
