// Patience with the errors of a cluster that is away, starts, or moves its leaders.
import { findErrorBy } from '@platformatic/kafka'
import { Patience, type PatienceOptions } from './patience.ts'

export function patienceWith(options: Pick<PatienceOptions, 'waitMs' | 'signal' | 'tell'>): Patience {
  return new Patience({ ...options, pauseMs, passes })
}

/** False for what stays wrong however often it is tried: no permission, no such topic, a request that the broker does not understand. */
function passes(error: unknown): boolean {
  return error instanceof Error && 'code' in error && findErrorBy(error, 'canRetry', false) === null
}

const pauseMs = 250
