// Log compaction: finds the partitions that are dirty enough, and runs one pass after another, the dirtiest partition first.
import type { Incarnation, Nonce, TopicPartition } from '../core/ids.ts'
import { type CompactionConfigs, dirtyRatio, isDue } from '../core/log/compaction/compaction-due.ts'
import type { BatchReaders } from '../core/log/validate.ts'
import { fixedLimits } from '../limits.ts'
import { MetadataError, type Topic, type Topics } from '../metadata/metadata-store.ts'
import type { CompactionState, SwapStore } from '../metadata/swap-store.ts'
import { errorText } from '../native-error.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock, Random } from '../time/clock.ts'
import { every } from '../time/every.ts'
import type { Slots } from '../time/slots.ts'
import type { Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import { CompactionPass, type CompactionPassParts, type PassEnd } from './compaction-pass.ts'
import { CompactionThreadError, type CompactionWork, type RemoteCompaction, workInTurns } from './compaction-work.ts'
import type { JobReport } from './job-report.ts'
import { pacer } from './storage-walk.ts'

export interface CompactionParts extends Omit<CompactionPassParts, 'now'>, BatchReaders {
  readonly topics: Pick<Topics, 'list'>
  readonly swaps: SwapStore
  readonly owners: Owners
  /** Undefined: the topic is not compacted. */
  readonly configsOf: (topic: Topic) => CompactionConfigs | undefined
  /** The clock of records. */
  readonly clock: Clock
  /** The clock of the pauses between reads. */
  readonly ioClock: Clock
  readonly random: Pick<Random, 'bytes'>
  readonly turns: Turns
  /** Default: all work is done on the event loop. */
  readonly remoteCompaction?: RemoteCompaction
  readonly emit: EventHook
  /** The name of the job's incarnations: one for each agent. */
  readonly job: string
  /** The present `log.cleaner.backoff.ms`: the pause between two looks. */
  readonly checkMs: () => number
  readonly report?: JobReport
  /** Of the jobs that hold an object in memory, one works at a time. */
  readonly rewrites: Slots
}

/** What the agent still has to do, as of its last look. */
export interface CompactionBacklog {
  readonly dirtyPartitions: number
  readonly dirtyBytes: number
}

/** A partition that can be compacted, and how. */
interface Candidate extends TopicPartition {
  readonly topic: string
  readonly configs: CompactionConfigs
  readonly state: CompactionState
}

export class LogCompaction {
  readonly #parts: CompactionParts
  #backlog: CompactionBacklog = { dirtyPartitions: 0, dirtyBytes: 0 }

  constructor(parts: CompactionParts) {
    this.#parts = parts
  }

  get backlog(): CompactionBacklog {
    return this.#backlog
  }

  /** Compacts what is due until the signal aborts. A store that is away delays it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, checkMs, report } = this.#parts
    report?.nextIn(checkMs())
    for await (const _ of every(clock, checkMs, signal)) {
      try {
        report?.began()
        await this.#parts.rewrites.run(() => this.#compactDue(signal), signal)
        report?.ended()
      } catch (error) {
        if (signal.aborted) return
        report?.ended(errorText(error))
        const passes = error instanceof MetadataError || error instanceof ObjectStoreError || error instanceof CompactionThreadError
        if (!passes) throw error
        this.#parts.emit({ kind: 'compaction failed', message: error.message })
      }
      report?.nextIn(checkMs())
    }
  }

  /**
   * Compacts the partitions of the topic that this agent owns, up to their ends: also what its configs would leave alone as active or not dirty enough, but not
   * records that are younger than `min.compaction.lag.ms`. Rejects as the stores do. False: the topic is not compacted.
   */
  async compactNow(topic: Topic, signal: AbortSignal): Promise<boolean> {
    const configs = this.#parts.configsOf(topic)
    if (configs === undefined) return false
    await this.#parts.rewrites.run(async () => {
      const everything = { ...configs, segmentBytes: 0 }
      const candidates = await this.#candidates([topic], () => everything)
      await this.#compact(candidates, signal)
    }, signal)
    return true
  }

  async #compactDue(signal: AbortSignal): Promise<void> {
    const candidates = await this.#candidates(await this.#parts.topics.list(), this.#parts.configsOf)
    const due = candidates
      .filter(({ state, configs }) => isDue(state, configs))
      .toSorted((a, b) => dirtyRatio(b.state) - dirtyRatio(a.state))
    const dirty = candidates.filter(({ state }) => state.dirtyBytes > 0)
    this.#backlog = { dirtyPartitions: dirty.length, dirtyBytes: dirty.reduce((sum, { state }) => sum + state.dirtyBytes, 0) }
    await this.#compact(due, signal)
  }

  /** The partitions of this agent that have something to compact. */
  async #candidates(topics: readonly Topic[], configsOf: (topic: Topic) => CompactionConfigs | undefined): Promise<readonly Candidate[]> {
    const { swaps, owners } = this.#parts
    const asked = topics.flatMap((topic) => {
      const { topicId, name } = topic
      const configs = configsOf(topic)
      if (configs === undefined) return []
      const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
      return partitions
        .filter((partition) => owners.ofPartition(topicId, partition).mine)
        .map((partition) => ({ topic: name, topicId, partition, configs }))
    })
    const candidates: Candidate[] = []
    for (let first = 0; first < asked.length; first += fixedLimits.compactionsPerRead) {
      const page = asked.slice(first, first + fixedLimits.compactionsPerRead)
      const states = await swaps.compactions(
        page.map(({ topicId, partition, configs: { segmentMs, segmentBytes, minLagMs } }) => {
          return { topicId, partition, segmentMs, segmentBytes, minLagMs }
        }),
      )
      for (const [index, one] of page.entries()) {
        const state = states[index]
        if (state !== undefined && state.cleanableOffset > state.cleanedOffset) candidates.push({ ...one, state })
      }
    }
    return candidates
  }

  async #compact(candidates: readonly Candidate[], signal: AbortSignal): Promise<void> {
    if (candidates.length === 0) return
    const { swaps, random, job } = this.#parts
    const incarnation = await swaps.beginJob({ job, nonce: Buffer.from(random.bytes(8)).toString('hex') as Nonce })
    try {
      let sequence = 0
      for (const candidate of candidates) {
        signal.throwIfAborted()
        const end = await this.#pass(candidate, { job: incarnation, nextSequence: () => ++sequence, signal })
        if (end === 'fenced') return
      }
    } finally {
      // Without it, the next start of this job fences the incarnation.
      await swaps.endJob(incarnation).catch((error: unknown) => {
        if (!(error instanceof MetadataError)) throw error
      })
    }
  }

  async #pass(
    { topic, topicId, partition, configs, state }: Candidate,
    run: { readonly job: Incarnation; readonly nextSequence: () => number; readonly signal: AbortSignal },
  ): Promise<PassEnd> {
    const { clock, ioClock, owners, emit } = this.#parts
    const beganMs = ioClock.monotonic()
    const { work, bytesPerSecond } = this.#workFor(state)
    const pass = new CompactionPass(
      { ...this.#parts, now: () => clock.now() },
      {
        topicId,
        partition,
        state,
        epoch: owners.ofPartition(topicId, partition).epoch,
        deleteRetentionMs: configs.deleteRetentionMs,
        work,
        pace: pacer(ioClock, { bytesPerSecond, signal: run.signal }),
        ...run,
      },
    )
    const end = await pass.run()
    emit({ kind: 'log compacted', topic, partition, end, ...pass.meters, durationMs: ioClock.monotonic() - beganMs })
    return end
  }

  /** A thread takes longer to start than a small pass needs. */
  #workFor({ cleanBytes, dirtyBytes }: CompactionState): { readonly work: CompactionWork; readonly bytesPerSecond: number } {
    const { remoteCompaction: remote, limits } = this.#parts
    const { compactedInTurnsBytes, compactionBytesPerSecond, compactionThreadBytesPerSecond } = fixedLimits
    if (remote === undefined || cleanBytes + dirtyBytes <= compactedInTurnsBytes)
      return { work: workInTurns(this.#parts, limits), bytesPerSecond: compactionBytesPerSecond }
    return { work: remote({ segmentBytes: limits.segmentBytes }), bytesPerSecond: compactionThreadBytesPerSecond }
  }
}
