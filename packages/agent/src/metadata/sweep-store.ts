// The part of the Metadata Service for the sweep: released objects, the proof that no segment names them, and the removal of their rows.
import type { ObjectKey } from '../core/ids.ts'
import type { ObjectId } from './recovery-store.ts'

/** Called by upkeep/sweep.ts. */
export interface SweepStore {
  /** A page of the released objects, those that lost a segment since they were last looked at, in the order of their keys, after `after`. */
  released(input: { readonly after?: ObjectId; readonly maxObjects: number }): Promise<readonly ReleasedObject[]>
  /** Those of the objects whose `releasedAtMs` is still the same: none of their segments was touched since. A primary read. */
  unchanged(objects: readonly ReleasedObject[]): Promise<readonly ReleasedObject[]>
  /**
   * Reads the segments of one page of keys and returns those of the objects that they name. An object that is in none of the pages, and is `unchanged` after the last one, is named by
   * no segment, and never will be: a segment names an object only from the object's commit on, or because it replaces another that does.
   */
  namedIn(input: NamedInPage): Promise<NamedObjects>
  /** Removes the rows of objects that the store has removed. Idempotent. */
  forget(objects: readonly ReleasedObject[]): Promise<void>
  /** Segments still name these objects: they are not listed again before their next release. */
  keep(objects: readonly ReleasedObject[]): Promise<void>
}

export interface ReleasedObject extends ObjectId {
  readonly key: ObjectKey
  readonly sizeBytes: number
  /** By the database's clock; here only a version of the row. */
  readonly releasedAtMs: number
}

export interface NamedInPage {
  readonly objects: readonly ObjectId[]
  /** The end of the page before. */
  readonly after?: SegmentKey
  readonly maxSegments: number
}

export interface SegmentKey {
  readonly log: number
  readonly lastOffset: number
}

export interface NamedObjects {
  readonly named: readonly ObjectId[]
  /** Absent: this was the last page. */
  readonly next?: SegmentKey
}
