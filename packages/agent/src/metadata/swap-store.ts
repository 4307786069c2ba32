// The part of the Metadata Service for jobs that write segments again: their incarnations, the swap of segments, and how far each log is compacted.
import type { Incarnation, LogId, Nonce, Sequence, TopicPartition } from '../core/ids.ts'
import type { NewSegment } from '../core/log/compaction/compacted-segments.ts'
import type { Segment } from './segment.ts'

/** Called by upkeep/. */
export interface SwapStore {
  /** Begins an incarnation of the job, and fences the earlier ones of the same name: an agent that was killed left one. Repeating the call with the same nonce gives the same answer. */
  beginJob(input: { readonly job: string; readonly nonce: Nonce }): Promise<Incarnation>
  /** Fences the incarnation: nothing that it has stored and not swapped in will ever be referred to. Idempotent. */
  endJob(incarnation: Incarnation): Promise<void>
  /**
   * Replaces segments by others that cover the same offsets, in one transaction that locks them and needs all of them to be as they were read. The log's other
   * rows are not locked, so it never waits for a commit. The objects of the old segments stay: readers that found them still read them.
   */
  swap(input: SwapSegments): Promise<SwapResult>
  /** What log compaction has to know of each partition, in the order of the request. A primary read. Absent partition: undefined. */
  compactions(asks: readonly CompactionAsk[]): Promise<readonly (CompactionState | undefined)[]>
  /** The last offset of each producer that the partition remembers, by producer id. A primary read. */
  lastOffsets(input: TopicPartition & { readonly expirationMs: number }): Promise<readonly ProducerEnd[]>
  /** All offsets before `cleanedOffset` are compacted. Never goes back; without effect if the log is gone. */
  saveCleaned(input: CleanedLog): Promise<void>
}

export interface CleanedLog extends TopicPartition {
  readonly logId: LogId
  readonly cleanedOffset: number
}

export interface SwapSegments extends TopicPartition {
  /** The job's. */
  readonly incarnation: Incarnation
  /** Of the stored object, in the job's chain. Larger than that of every earlier swap. */
  readonly sequence: Sequence
  readonly object: { readonly sizeBytes: number; readonly checksum: number }
  /** In order, without a gap. */
  readonly sources: readonly Segment[]
  /** In order, without a gap, over the same offsets. `byteStart` is the place in the object. */
  readonly segments: readonly NewSegment[]
}

/** `changed`: the log does not have all of these segments any more. `fenced`: the job has ended. Nothing was done then. */
export type SwapResult = 'swapped' | 'changed' | 'fenced'

/** What bounds the part of the log that compaction leaves alone. */
export interface CompactionAsk extends TopicPartition {
  /** `segment.ms`: later segments are active … */
  readonly segmentMs: number
  /** `segment.bytes`: … unless so many bytes follow them. */
  readonly segmentBytes: number
  /** `min.compaction.lag.ms`: segments with later records are left alone, however many bytes follow. */
  readonly minLagMs: number
}

export interface CompactionState {
  readonly logId: LogId
  readonly logStartOffset: number
  /** The end of the part that earlier passes have compacted. */
  readonly cleanedOffset: number
  /** The end of the part that may be compacted now. */
  readonly cleanableOffset: number
  readonly cleanBytes: number
  /** From `cleanedOffset` to `cleanableOffset`. */
  readonly dirtyBytes: number
  /** The age of the oldest record in the dirty part, by the database's clock. Undefined: there is none, or it has no timestamp. */
  readonly dirtyAgeMs: number | undefined
}

export interface ProducerEnd {
  readonly producerId: number
  /** The last offset of its last batch. */
  readonly lastOffset: number
}
