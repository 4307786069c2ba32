// Retries for errors of a cluster that is unavailable, starting, or moving its leaders.
import { isConnectFailure } from './connect-failure.ts'
import { Patience, type PatienceOptions } from './patience.ts'
import { isRetriable } from './retriable.ts'

export function patienceWith(options: Pick<PatienceOptions, 'waitMs' | 'signal' | 'tell'>): Patience {
  return new Patience({ ...options, pauseMs, passes: isRetriable, unreachedMs, isUnreached: isConnectFailure })
}

const pauseMs = 250
/** Long enough for a broker to start. */
const unreachedMs = 10_000
