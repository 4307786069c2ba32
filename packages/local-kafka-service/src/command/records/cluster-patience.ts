// Patience with the errors of a cluster that is away, starts, or moves its leaders.
import { isConnectFailure } from './connect-failure.ts'
import { Patience, type PatienceOptions } from './patience.ts'
import { isRetriable } from './retriable.ts'

export function patienceWith(options: Pick<PatienceOptions, 'waitMs' | 'signal' | 'tell'>): Patience {
  return new Patience({ ...options, pauseMs, passes: isRetriable, unreachedMs, isUnreached: isConnectFailure })
}

const pauseMs = 250
/** Long enough for a broker that is just starting. */
const unreachedMs = 10_000
