// Retention: how far the start of a log moves forward when its oldest segments are too old, or too many.
import type { OwnConfigs } from '../config/config-changes.ts'

/** -1: no bound. */
export interface RetentionRule {
  readonly retentionMs: number
  readonly retentionBytes: number
}

/** The configs that decide, by Kafka's names: those of a topic, or the agent's for topics without their own. */
export type RetentionConfigs = Readonly<Record<'cleanup.policy' | 'retention.ms' | 'retention.bytes', string>>

/** A segment, as retention sees it. */
export interface AgingSegment {
  readonly lastOffset: number
  readonly sizeBytes: number
  /** The largest timestamp of its records; -1: they have none. */
  readonly maxTimestamp: number
  /** When its object was committed, by the database's clock. */
  readonly committedAtMs: number
}

/** Only a policy with `delete` removes records. */
export function retentionRule(own: OwnConfigs, agents: RetentionConfigs): RetentionRule {
  const { 'cleanup.policy': policies, 'retention.ms': ms, 'retention.bytes': bytes } = { ...agents, ...own }
  if (!policies.split(',').includes('delete')) return { retentionMs: -1, retentionBytes: -1 }
  return { retentionMs: Number(ms), retentionBytes: Number(bytes) }
}

/**
 * The number of segments to remove, from the first of `segments`, which are the oldest of a log, in order. As in Kafka, a segment goes if its largest timestamp
 * is older than `retentionMs`, and holds all later segments otherwise; and a segment goes if the rest of the log still has `retentionBytes`.
 */
export function expiredCount(
  segments: readonly AgingSegment[],
  { retentionMs, retentionBytes }: RetentionRule,
  { nowMs, logBytes }: { readonly nowMs: number; readonly logBytes: number },
): number {
  let surplusBytes = retentionBytes < 0 ? -1 : logBytes - retentionBytes
  const kept = segments.findIndex((segment) => {
    surplusBytes -= segment.sizeBytes
    const isSurplus = retentionBytes >= 0 && surplusBytes >= 0
    return !isSurplus && (retentionMs < 0 || nowMs - newestOf(segment) <= retentionMs)
  })
  return kept < 0 ? segments.length : kept
}

/** Like Kafka, which takes the time of the file if no record has a timestamp. */
function newestOf({ maxTimestamp, committedAtMs }: AgingSegment): number {
  return maxTimestamp >= 0 ? maxTimestamp : committedAtMs
}
