// A segment: where the batches of some offsets of one log are.
import type { ObjectKey } from '../core/ids.ts'

/**
 * A contiguous run of accepted batches of one log inside one object. Their base offsets follow from the batches' own lengths, one after another. A segment
 * without bytes covers damaged offsets that were skipped: readers go on after them.
 */
export interface Segment {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly objectKey: ObjectKey
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
}
