// The part of the Metadata Service for what goes: segments that retention removes, and deleted topics, in steps.
import type { IncarnationId, TopicPartition } from '../core/ids.ts'
import type { RetentionConfigs } from '../core/log/retention.ts'

/** Called by upkeep/log-retention.ts and upkeep/topic-purge.ts. */
export interface RetentionStore {
  /** Those of the partitions that have segments to remove, in any order. Changes nothing. Name at most `fixedLimits.namesPerRead`. */
  due(input: Retain): Promise<readonly TopicPartition[]>
  /**
   * Moves the starts of logs past segments that retention removes, under the partitions' locks and by the configs that the topics have now, and removes the rows of
   * segments that lie before the starts: at most `fixedLimits.retentionSegmentsPerStep`. Partitions that the agent does not own are left out of the answer.
   * Idempotent; a later step does what is left.
   */
  step(input: Retain): Promise<readonly RetainedLog[]>
  /** Purges a part of the topic that was deleted first, if that was at least `undeleteMs` ago by the database's clock. From then on it cannot be brought back. */
  purge(input: { readonly undeleteMs: number }): Promise<PurgedStep>
}

export interface PurgedStep {
  /** Segments whose rows were removed, and their bytes. */
  readonly segments: number
  readonly bytes: number
  /** 1: nothing is left of a topic. */
  readonly topics: number
  /** There may be more to purge. */
  readonly more: boolean
}

export interface Retain {
  /** The agent that owns the partitions. */
  readonly owner: IncarnationId
  readonly partitions: readonly TopicPartition[]
  /** By the clock that stamps records. */
  readonly nowMs: number
  /** What counts for topics without configs of their own. */
  readonly defaults: RetentionConfigs
}

export interface RetainedLog extends TopicPartition {
  readonly logStartOffset: number
  /** Segments whose rows were removed, and their bytes. */
  readonly segments: number
  readonly bytes: number
  /** There may be more to remove. */
  readonly more: boolean
}
