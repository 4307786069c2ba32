// When a log is compacted, by its topic's configs: as Kafka's LogCleanerManager decides.

export interface CompactionConfigs {
  /** `min.cleanable.dirty.ratio`. */
  readonly minDirtyRatio: number
  /** `max.compaction.lag.ms`. */
  readonly maxLagMs: number
  /** `min.compaction.lag.ms`. */
  readonly minLagMs: number
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number
  /** The age at which a segment is not active any more: `segment.ms`, or `max.compaction.lag.ms` if that is less. */
  readonly segmentMs: number
  /** `segment.bytes`. */
  readonly segmentBytes: number
}

/** What is known of a log, in bytes that earlier passes have compacted and bytes that have changed since. */
export interface Dirtiness {
  readonly cleanBytes: number
  readonly dirtyBytes: number
  /** The age of the oldest record in the dirty part. Undefined: none has a timestamp. */
  readonly dirtyAgeMs: number | undefined
}

export function dirtyRatio({ cleanBytes, dirtyBytes }: Pick<Dirtiness, 'cleanBytes' | 'dirtyBytes'>): number {
  return dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
}

/** A log is compacted if enough of it is dirty, or if a record has waited for too long. */
export function isDue(log: Dirtiness, { minDirtyRatio, maxLagMs }: Pick<CompactionConfigs, 'minDirtyRatio' | 'maxLagMs'>): boolean {
  if (log.dirtyBytes === 0) return false
  return dirtyRatio(log) > minDirtyRatio || (log.dirtyAgeMs !== undefined && log.dirtyAgeMs > maxLagMs)
}

/** The configs of a topic; undefined if its `cleanup.policy` does not compact it. `valueOf` gives the value of a config by its Kafka name. */
export function compactionConfigs(valueOf: (name: CompactionConfigName) => string): CompactionConfigs | undefined {
  if (!isCompacted(valueOf('cleanup.policy'))) return undefined
  const [segmentMs, maxLagMs] = [bounded(valueOf('segment.ms')), bounded(valueOf('max.compaction.lag.ms'))]
  return {
    minDirtyRatio: Number(valueOf('min.cleanable.dirty.ratio')),
    maxLagMs,
    minLagMs: bounded(valueOf('min.compaction.lag.ms')),
    deleteRetentionMs: bounded(valueOf('delete.retention.ms')),
    segmentMs: Math.min(segmentMs, maxLagMs),
    segmentBytes: bounded(valueOf('segment.bytes')),
  }
}

export type CompactionConfigName =
  | 'cleanup.policy'
  | 'delete.retention.ms'
  | 'max.compaction.lag.ms'
  | 'min.cleanable.dirty.ratio'
  | 'min.compaction.lag.ms'
  | 'segment.bytes'
  | 'segment.ms'

/** Whether a value of `cleanup.policy` names log compaction. */
export function isCompacted(cleanupPolicy: string): boolean {
  return cleanupPolicy.split(',').some((policy) => policy.trim() === 'compact')
}

/** Kafka's longs exceed what a number holds exactly. A period of 142,000 years is as good as any longer one. */
function bounded(value: string): number {
  return Math.min(Number(value), 2 ** 52)
}
