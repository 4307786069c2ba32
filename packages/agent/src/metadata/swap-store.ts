// The part of the Metadata Service for jobs that write segments again: their incarnations, the swap of segments, and how far each log is compacted and merged.
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
   * Replaces segments of one or more logs by others that cover the same offsets, in one transaction that locks them. A log is left as it is unless all of its sources
   * are as they were read; the others do not wait for it. The logs' other rows are not locked, so it never waits for a commit. The objects of the old segments stay:
   * readers that found them still read them.
   */
  swap(input: SwapSegments): Promise<SwapResult>
  /** What log compaction has to know of each partition, in the order of the request. A primary read. Absent partition: undefined. */
  compactions(asks: readonly CompactionAsk[]): Promise<readonly (CompactionState | undefined)[]>
  /** The producers that the partition remembers. A primary read. */
  lastOffsets(input: TopicPartition & { readonly expirationMs: number }): Promise<readonly ProducerEnd[]>
  /** All offsets before `cleanedOffset` are compacted. Never goes back; without effect if the log is gone. */
  saveCleaned(input: CleanedLog): Promise<void>
  /** How far the logs are merged: those of the partitions that have something to merge, or something that waits for its second merge. A primary read. */
  mergeStates(partitions: readonly TopicPartition[]): Promise<readonly MergeState[]>
  /** The next segments of each log, in the order of the request and of their offsets. A primary read. */
  mergeSources(asks: readonly MergeAsk[]): Promise<readonly (readonly MergeSource[])[]>
  /** For segments that a merge leaves as they are. Never goes back; without effect if the log is gone. */
  saveMerged(logs: readonly MergedLog[]): Promise<void>
}

export interface CleanedLog extends TopicPartition {
  readonly logId: LogId
  readonly cleanedOffset: number
}

export interface SwapSegments {
  /** The job's. */
  readonly incarnation: Incarnation
  /** Of the stored object, in the job's chain. Larger than that of every earlier swap. */
  readonly sequence: Sequence
  readonly object: {
    readonly sizeBytes: number
    readonly checksum: number
    /** The age of its records, for retention of those without timestamps. Default: they are new. */
    readonly ageMs?: number
  }
  /** Each log once. */
  readonly logs: readonly SwappedLog[]
}

export interface SwappedLog extends TopicPartition {
  /** In order, without a gap. */
  readonly sources: readonly Segment[]
  /** In order, without a gap, over the same offsets. `byteStart` is the place in the object. */
  readonly segments: readonly NewSegment[]
  /** The offsets of markers that abort something, and that the sources have and the segments do not. Default: none. */
  readonly removedAborts?: readonly number[]
  /** What becomes true of the log with this swap. */
  readonly merged?: MergedTo
}

/** How far a log is merged. Segments are merged at most twice, so a byte is written at most three times. */
export interface MergedTo {
  /** All offsets before it were merged once, or need not be. */
  readonly onceOffset: number
  /** The same, for the second merge. Not above `onceOffset`. */
  readonly twiceOffset: number
  /** The bytes and segments that were added to those between the two offsets, or taken from them: the second merge begins when there are enough. */
  readonly waitingBytes: number
  readonly waitingSegments: number
}

export interface MergedLog extends TopicPartition, MergedTo {}

export interface MergeState extends TopicPartition {
  readonly logId: LogId
  readonly logStartOffset: number
  readonly nextOffset: number
  /** Not below the start of the log. */
  readonly onceOffset: number
  readonly twiceOffset: number
  readonly waitingBytes: number
  readonly waitingSegments: number
}

export interface MergeAsk {
  readonly logId: LogId
  readonly fromOffset: number
  readonly maxSegments: number
}

export interface MergeSource extends Segment {
  /** The time since its object was committed, by the database's clock. */
  readonly ageMs: number
  /** Of a marker: see MergeableSegment. */
  readonly beside?: { readonly objectKey: string; readonly ageMs: number }
}

/** `changed`: none of the logs has all of its segments any more. `fenced`: the job has ended. Nothing was done then. `swapped`: at least one was. */
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
  /** The end of the part that may be compacted now: never beyond the last stable offset. */
  readonly cleanableOffset: number
  readonly cleanBytes: number
  /** From `cleanedOffset` to `cleanableOffset`. */
  readonly dirtyBytes: number
  /** The age of the oldest record in the dirty part, by the database's clock. Undefined: there is none, or it has no timestamp. */
  readonly dirtyAgeMs: number | undefined
  /** The offset of the last marker that aborted records of the log, -1 if there is none. */
  readonly lastAbortOffset: number
}

export interface ProducerEnd {
  readonly producerId: number
  readonly producerEpoch: number
  /** The last offset of its last batch. Undefined: it has sent none in this epoch. */
  readonly lastOffset?: number | undefined
}
