// Retention: now and then removes the records of this agent's partitions that are too old, or too many, and the rows of records that a client deleted.
import type { TopicPartition } from '../core/ids.ts'
import type { RetentionConfigs } from '../core/log/retention.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { Topic, Topics } from '../metadata/metadata-store.ts'
import type { RetainedLog, RetentionStore } from '../metadata/retention-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import type { JobReport } from './job-report.ts'
import { makePasses } from './passes.ts'

export interface LogRetentionParts {
  readonly topics: Pick<Topics, 'list'>
  readonly store: RetentionStore
  readonly owners: Owners
  readonly tails: Pick<Tails, 'forget'>
  /** Called after a start was moved. */
  readonly publishStart: (partition: TopicPartition, logStartOffset: number) => void
  /** What counts for topics without configs of their own, now. */
  readonly defaults: () => RetentionConfigs
  /** The clock that stamps records: their age is measured by it, and it times the passes. */
  readonly clock: Clock
  /** Measures how long steps take, and times the pauses between them. */
  readonly ioClock: Clock
  readonly limits: Pick<Limits, 'retentionFirstMs'>
  /** `log.retention.check.interval.ms`. */
  readonly checkMs: number
  readonly emit: EventHook
  readonly report?: JobReport
}

/** A pass can end anywhere: each of its steps is one transaction, and the next pass finds what is left. */
export class LogRetention {
  readonly #parts: LogRetentionParts

  constructor(parts: LogRetentionParts) {
    this.#parts = parts
  }

  /** Makes a pass soon after the start, and then one each interval, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits, checkMs, emit, report } = this.#parts
    const firstMs = Math.min(limits.retentionFirstMs, checkMs)
    await makePasses(
      { clock, firstMs, everyMs: checkMs, where: 'retention', emit, ...(report && { report }) },
      () => this.#pass(signal),
      signal,
    )
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { topics, store, emit, ioClock } = this.#parts
    const beganMs = ioClock.monotonic()
    const removed = { partitions: new Set<string>(), segments: 0, bytes: 0 }
    for (const page of pagesOf(this.#ownPartitions(await topics.list()), fixedLimits.namesPerRead)) {
      signal.throwIfAborted()
      const due = await store.due({ ...this.#asked(), partitions: page })
      for (const some of pagesOf(due, fixedLimits.retentionLogsPerStep))
        for await (const { topicId, partition, segments, bytes } of this.#steps(some, signal)) {
          if (segments > 0) removed.partitions.add(`${topicId}/${partition}`)
          removed.segments += segments
          removed.bytes += bytes
        }
    }
    const { partitions, segments, bytes } = removed
    if (segments > 0)
      emit({ kind: 'records removed', partitions: partitions.size, segments, bytes, durationMs: ioClock.monotonic() - beganMs })
  }

  /** Steps until nothing is left to remove from these logs. */
  async *#steps(partitions: readonly TopicPartition[], signal: AbortSignal): AsyncGenerator<RetainedLog, void> {
    const { ioClock } = this.#parts
    for (let left = partitions; left.length > 0; ) {
      const beganMs = ioClock.monotonic()
      const logs = await this.#step(left)
      yield* logs
      left = logs.filter(({ more }) => more)
      if (left.length > 0) await sleep(ioClock, fixedLimits.retentionPauses * (ioClock.monotonic() - beganMs), signal)
    }
  }

  async #step(partitions: readonly TopicPartition[]): Promise<readonly RetainedLog[]> {
    const { store, tails, publishStart } = this.#parts
    try {
      const logs = await store.step({ ...this.#asked(), partitions })
      for (const { topicId, partition, logStartOffset } of logs) publishStart({ topicId, partition }, logStartOffset)
      return logs
    } catch (error) {
      // The starts may have moved: what is in memory is read again.
      tails.forget((one) => partitions.some(({ topicId, partition }) => topicId === one.topicId && partition === one.partition))
      throw error
    }
  }

  #asked() {
    const { owners, clock, defaults } = this.#parts
    return { owner: owners.incarnation.id, nowMs: clock.now(), defaults: defaults() }
  }

  *#ownPartitions(topics: readonly Topic[]): Iterable<TopicPartition> {
    for (const { topicId, partitions } of topics)
      for (let partition = 0; partition < partitions; partition += 1)
        if (this.#parts.owners.ofPartition(topicId, partition).mine) yield { topicId, partition }
  }
}

function* pagesOf<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let page: T[] = []
  for (const item of items) {
    page.push(item)
    if (page.length < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}
