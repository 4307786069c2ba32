// The purge of deleted topics: after the time in which they can be brought back, their rows go in steps, and the sweep removes their objects.
import { fixedLimits, type Limits } from '../limits.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import type { RetentionStore } from '../metadata/retention-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { every } from '../time/every.ts'
import { sleep } from '../time/sleep.ts'

export interface TopicPurgeParts {
  readonly store: Pick<RetentionStore, 'purge'>
  /** Of several agents, one purges. Two that do harm nothing. */
  readonly isMine: () => boolean
  readonly clock: Clock
  /** Measures how long steps take, and times the pauses between them. */
  readonly ioClock: Clock
  readonly limits: Pick<Limits, 'retentionFirstMs'>
  /** `log.retention.check.interval.ms`. */
  readonly checkMs: number
  /** `topic.undelete.ms`. */
  readonly undeleteMs: number
  readonly emit: EventHook
}

/** A pass can end anywhere: each of its steps is one transaction, and the next pass finds what is left. */
export class TopicPurge {
  readonly #parts: TopicPurgeParts

  constructor(parts: TopicPurgeParts) {
    this.#parts = parts
  }

  /** Makes a pass after the start, and then one each interval, until the signal aborts. A pass that the database interrupts is tried again at the next interval. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, checkMs } = this.#parts
    try {
      await sleep(clock, Math.min(limits.retentionFirstMs, checkMs), signal)
      await this.#tryPass(signal)
      for await (const _ of every(clock, checkMs, signal)) await this.#tryPass(signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #tryPass(signal: AbortSignal): Promise<void> {
    try {
      if (this.#parts.isMine()) await this.#pass(signal)
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { store, ioClock, undeleteMs, emit } = this.#parts
    const purged = { topics: 0, segments: 0, bytes: 0 }
    for (let more = true; more; ) {
      signal.throwIfAborted()
      const beganMs = ioClock.monotonic()
      const step = await store.purge({ undeleteMs })
      purged.topics += step.topics
      purged.segments += step.segments
      purged.bytes += step.bytes
      more = step.more
      if (step.segments > 0) await sleep(ioClock, fixedLimits.retentionPauses * (ioClock.monotonic() - beganMs), signal)
    }
    if (purged.topics > 0) emit({ kind: 'topics purged', ...purged })
  }
}
