// What errors of the client library mean here: the broker's error in them, and whether they pass by themselves.
import { findErrorBy } from '@platformatic/kafka'
import { Patience, type PatienceOptions } from './patience.ts'

/** A broker answered with one of these, by Kafka's names: `OFFSET_OUT_OF_RANGE`. */
export function hasApiError(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.some((name) => findErrorBy(error, 'apiId', name) !== null)
}

/** Patience with the errors of a cluster that is away, starts, or moves its leaders. */
export function patienceWith(options: Pick<PatienceOptions, 'waitMs' | 'signal' | 'tell'>): Patience {
  return new Patience({ ...options, pauseMs, passes })
}

/** False for what stays wrong however often it is tried: no permission, no such topic, a request that the broker does not understand. */
export function passes(error: unknown): boolean {
  return error instanceof Error && 'code' in error && findErrorBy(error, 'canRetry', false) === null
}

const pauseMs = 250
