// The part of the Metadata Service for rows that no client needs any more: silent producers, old idempotency keys and producer ids, and ended incarnations.
import type { IncarnationId } from '../core/ids.ts'

/** Called by upkeep/expiry.ts and upkeep/orphan-sweep.ts. Every call is one bounded step; repeat it until it has removed fewer than it may. */
export interface ExpiryStore {
  /** Forgets producers that have been silent for longer and have no open transaction, in one page of rows after `after`. Commits treat them as unknown already. */
  expireProducers(input: ExpirePage<ProducerPlace>): Promise<ExpiredPage<ProducerPlace>>
  /** Forgets Idempotency-Keys that are older, in one page of rows after `after`: a later request with the key is stored again. */
  expireKeys(input: ExpirePage<string>): Promise<ExpiredPage<string>>
  /** Forgets when producer ids were allocated, if that was longer ago: commits treat all of these ids as old already. */
  expireProducerIds(input: { readonly olderThanMs: number }): Promise<{ readonly removed: number }>
  /**
   * Forgets incarnations that were fenced for so long, that no object, marker or skipped range in the database names, and that are not in `kept`: those that the store still has objects of. The
   * newest incarnation of each agent stays. A commit of a forgotten one is answered as fenced, as before; only a replay of its last one does not get its result any more.
   */
  forgetIncarnations(input: ForgetIncarnations): Promise<{ readonly removed: number }>
  /** Fences incarnations of jobs that began longer ago: an agent that ended without a successor of its name left them. A job that is fenced begins again. */
  fenceOldJobs(input: { readonly olderThanMs: number }): Promise<{ readonly fenced: number }>
}

export interface ExpirePage<Place> {
  readonly after?: Place
  readonly olderThanMs: number
  readonly maxRows: number
}

export interface ExpiredPage<Place> {
  readonly removed: number
  /** Absent: this was the last page. */
  readonly next?: Place
}

export interface ProducerPlace {
  readonly log: number
  readonly producerId: number
}

export interface ForgetIncarnations {
  readonly fencedForMs: number
  readonly kept: readonly IncarnationId[]
  readonly maxRows: number
}
