// Retries for errors of a cluster that is unavailable, starting, or moving its leaders.
import { isConnectFailure } from './connect-failure.ts'
import { isRetriable } from './retriable.ts'
import { Retries, type RetryOptions } from './retries.ts'

export function clusterRetries(options: Pick<RetryOptions, 'waitMs' | 'signal' | 'report'>): Retries {
  return new Retries({ ...options, pauseMs, passes: isRetriable, unreachedMs, isUnreached: isConnectFailure })
}

const pauseMs = 250
/** Long enough for a broker to start. */
const unreachedMs = 10_000
