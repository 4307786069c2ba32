// The part of the Metadata Service for stored objects that no commit has named: what the database knows of each object that a list of the store found.
import type { Incarnation, Sequence } from '../core/ids.ts'

/** Called by upkeep/orphan-sweep.ts. */
export interface OrphanStore {
  /**
   * What the database knows of each object, in the order of the input; at most `fixedLimits.sweptKeysPerStep`. One statement of a primary read answers for each object, after the
   * list of the store that found it: of `uncommitted` objects no part is or ever will be committed.
   */
  standings(objects: readonly ObjectInStore[]): Promise<readonly Standing[]>
}

/** An object by its key. */
export interface ObjectInStore {
  readonly incarnation: Incarnation
  readonly sequence: Sequence
}

export type Standing =
  /** The object has a row. It goes by another way: after its last segment. */
  | { readonly kind: 'committed' }
  /** It has no row, and its incarnation may still commit it. */
  | { readonly kind: 'open' }
  /** It has no row, and its incarnation was fenced or has committed a later flush. `lastSequence` is that of the incarnation's last commit. */
  | { readonly kind: 'uncommitted'; readonly lastSequence: Sequence }
  /** The database has no such incarnation, or another one under its number: it is older than the object, if it is the right database. */
  | { readonly kind: 'unknown' }
