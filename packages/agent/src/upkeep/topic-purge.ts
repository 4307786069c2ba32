// The purge of deleted topics: after the time in which they can be brought back, their rows go in steps, and the sweep removes their objects.
import { fixedLimits, type Limits } from '../limits.ts'
import type { RetentionStore } from '../metadata/retention-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import type { JobReport } from './job-report.ts'
import { makePasses } from './passes.ts'

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
  readonly report?: JobReport
}

/** A pass can end anywhere: each of its steps is one transaction, and the next pass finds what is left. */
export class TopicPurge {
  readonly #parts: TopicPurgeParts

  constructor(parts: TopicPurgeParts) {
    this.#parts = parts
  }

  /** Makes a pass soon after the start, and then one each interval, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, checkMs, emit, report } = this.#parts
    const firstMs = Math.min(limits.retentionFirstMs, checkMs)
    await makePasses(
      { clock, firstMs, everyMs: checkMs, where: 'the purge', emit, ...(report && { report }) },
      () => this.#pass(signal),
      signal,
    )
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { store, isMine, ioClock, undeleteMs, emit } = this.#parts
    if (!isMine()) return
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
