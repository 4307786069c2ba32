// Exponential back-off with jitter: how long a retry waits.
import type { Random } from './clock.ts'

export interface BackOff {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * The wait after the attempt with this number, from 1: `firstMs`, doubled after each further attempt, at most `maxMs`. The random half of it keeps clients
 * that failed together from coming back together.
 */
export function backOffMs(attempt: number, { firstMs, maxMs }: BackOff, random: Pick<Random, 'next'>): number {
  return Math.min(firstMs * 2 ** (attempt - 1), maxMs) * (0.5 + random.next() / 2)
}
