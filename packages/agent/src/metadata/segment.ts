// A segment: where the batches of some offsets of one log are, and the segments by which a partition has grown.
import type { ObjectKey, TopicPartition } from '../core/ids.ts'
import type { Marker } from '../core/log/marker.ts'

/**
 * A contiguous run of accepted batches of one log inside one object. Their base offsets follow from the batches' own lengths, one after another. A segment
 * without bytes is a marker, or covers damaged offsets that were skipped: readers go on after them.
 */
export interface Segment {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly objectKey: ObjectKey
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  /** The end of a transaction, at the one offset of the segment. Its time is `maxTimestamp`; its bytes are made when it is read, and no object has them. */
  readonly marker?: Marker
}

/** A partition after a commit or the end of a transaction, with the segments that were written. */
export interface GrownPartition extends TopicPartition {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly segments: readonly Segment[]
}
