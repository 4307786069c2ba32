// The part of the Metadata Service for damage: which objects to check and what lies in them, the ranges of offsets that were skipped, and how far the scrubber is.
import type { LogId, TopicId, TopicPartition } from '../core/ids.ts'
import type { CommittedObject, ObjectId } from './recovery-store.ts'
import type { Segment } from './segment.ts'

/** Called by upkeep/ (checks) and operations/damage.ts (skips). */
export interface DamageStore {
  /** A page of the committed objects, in the order of their keys, after `after`. An empty page ends the list. */
  objects(input: { readonly after?: ObjectId; readonly maxObjects: number }): Promise<readonly CommittedObject[]>
  /** Those of the named objects that are committed, in any order. */
  objectsAt(objects: readonly ObjectId[]): Promise<readonly CommittedObject[]>
  /** The number of all committed objects, and their bytes. */
  totals(): Promise<ObjectTotals>
  /** The segments of living topics in these objects, at most `fixedLimits.damageReports`. Reads the keys of all segments, page by page. */
  segmentsIn(objects: readonly ObjectId[]): Promise<readonly SegmentInObject[]>
  /**
   * Makes readers pass over damaged offsets, and records it. The segment is replaced by what is `kept` of it and a segment without bytes for the rest. `changed`:
   * the log no longer has this segment, so nothing was done. Idempotent: a repeated call answers `skipped`.
   */
  skip(input: SkipDamage): Promise<SkipResult>
  /** The skipped ranges of living topics, by log and offset: a page after `after`. An empty page ends the list. */
  skipped(input: { readonly after?: SkippedPlace }): Promise<readonly SkippedRange[]>
  /** Undefined: no pass of the scrubber was ever saved. */
  scrub(): Promise<ScrubState | undefined>
  saveScrub(state: SavedScrub): Promise<void>
}

export interface ObjectTotals {
  readonly objects: number
  readonly bytes: number
}

export interface SegmentInObject extends TopicPartition {
  readonly segment: Segment
}

export interface SkipDamage extends TopicPartition {
  /** As the log has it now. */
  readonly segment: Segment
  /** The offsets to pass over: part of the segment, or all of it. */
  readonly offset: number
  readonly lastOffset: number
  /** What is left of the segment before and after these offsets, in order. */
  readonly kept: readonly KeptPart[]
  /** Describes the damage, for people. */
  readonly reason: string
}

/** Batches of a segment that stay. `byteStart` is their place in the object. */
export type KeptPart = Omit<Segment, 'objectKey'>

export type SkipResult = 'skipped' | 'changed' | 'unknown partition'

export interface SkippedPlace {
  readonly log: LogId
  readonly lastOffset: number
}

export interface SkippedRange extends SkippedPlace {
  readonly topicId: TopicId
  readonly partition: number
  readonly offset: number
  readonly objectKey: string
  readonly reason: string
  /** Milliseconds since the epoch, by the database's clock. */
  readonly skippedAtMs: number
}

/** Where the scrubber is. It reads the objects in the order of their keys, again and again. */
export interface SavedScrub {
  /** The last object that it has read in this pass; undefined: it has not begun, or the pass is complete. */
  readonly after: ObjectId | undefined
  /** Whether the pass is complete. The next one begins an interval after this one began. */
  readonly complete: boolean
  /** Whether this call begins a pass. */
  readonly begins: boolean
  /** Objects that were found damaged, so that a restart looks at them first. */
  readonly damaged: readonly ObjectId[]
}

export interface ScrubState extends Omit<SavedScrub, 'begins'> {
  /** The age of the beginning of the pass, by the database's clock. */
  readonly begunAgoMs: number
}
