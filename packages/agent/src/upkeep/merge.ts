// Merges: small objects of many partitions become larger ones that are sorted by partition, so that a partition can be read with few requests and few rows.
import { must } from '../core/assert.ts'
import { type Incarnation, type Nonce, partitionKey, type Sequence, type TopicPartition } from '../core/ids.ts'
import { bytesOf, type LogCandidates, type MergedRun, mergeDueInMs, planFirstMerge, withMarkers } from '../core/log/merge/merge-plan.ts'
import type { MergedSegmentBounds } from '../core/log/merge/merged-segments.ts'
import { dueSecondMerges, planSecondMerge, type SecondMergeShare } from '../core/log/merge/second-merge.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import { MetadataError, type Topic, type Topics } from '../metadata/metadata-store.ts'
import type { MergedLog, MergedTo, MergeSource, MergeState, SwapStore } from '../metadata/swap-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock, Random } from '../time/clock.ts'
import type { Slots } from '../time/slots.ts'
import type { Grown, GrownPartitions } from '../view/grown-partitions.ts'
import type { Owners } from '../view/owners.ts'
import type { JobReport } from './job-report.ts'
import { allTwice, endOf, mergedTwice, savedFor, skippedOf, unmoved } from './merge-place.ts'
import { MergeSize } from './merge-size.ts'
import { type MergedLogOf, type MergedObjectParts, mergeIntoObject } from './merged-object.ts'
import { makePasses } from './passes.ts'
import { pacer } from './storage-walk.ts'

export interface SegmentMergeParts extends MergedObjectParts {
  readonly topics: Pick<Topics, 'list'>
  readonly swaps: SwapStore
  readonly owners: Owners
  /** Those that this agent knows to have grown since the last look. */
  readonly grown: Pick<GrownPartitions, 'take'>
  readonly boundsOf: (topic: Topic) => MergedSegmentBounds
  /** Called after a swap, with the first offset after the new segments. */
  readonly onSwapped: (of: TopicPartition, nextOffset: number) => void
  /** Of the jobs that hold an object in memory, one works at a time. */
  readonly rewrites: Slots
  /** The clock of the looks. */
  readonly clock: Clock
  /** The clock of the pauses between reads. */
  readonly ioClock: Clock
  readonly random: Pick<Random, 'bytes'>
  readonly emit: EventHook
  readonly limits: Pick<
    Limits,
    'mergeObjectBytes' | 'mergeSegmentBytes' | 'mergeSources' | 'mergeQuietMs' | 'mergeTwiceBytes' | 'readersGraceMs'
  >
  /** The name of the job's incarnations: one for each agent. */
  readonly job: string
  /** `storage.merge.interval.ms`. 0 or less: never. */
  readonly intervalMs: number
  /** `storage.merge.max.age.ms`. */
  readonly maxAgeMs: number
  readonly report?: JobReport
}

/** What the agent has not merged yet, as of its last look. */
export interface MergeBacklog {
  readonly partitions: number
  readonly segments: number
  readonly bytes: number
}

/** One pass. */
interface MergeRun {
  readonly job: () => Promise<Incarnation>
  readonly nextSequence: () => Sequence
  readonly pace: (bytes: number) => Promise<void>
  readonly signal: AbortSignal
  /** Whether nothing was written to the partition since the last look at all of them. */
  readonly isIdle: (of: TopicPartition) => boolean
  /** The job was fenced: an agent of the same name has begun it again. */
  isOver: boolean
}

type TopicBounds = ReadonlyMap<string, MergedSegmentBounds>
type MergeCandidates = readonly LogCandidates<MergeState, MergeSource>[]
type MergeRuns = readonly MergedRun<MergeState, MergeSource>[]

/** What a look leaves in a page of partitions. */
interface LeftInPage {
  readonly backlog: MergeBacklog
  /** A later look asks for these again. */
  readonly waiting: readonly TopicPartition[]
  /** If nothing grows, no look finds anything to merge before so many milliseconds have passed. */
  readonly dueInMs: number
}

/**
 * Segments are merged at most twice. The first merge takes all partitions of what was written at about the same time, the second takes those of a topic when they have enough for a large
 * object. So a byte is written three times at most, and in the end a topic has large objects with a few full segments of each partition. Each merged object is one swap, and the place of
 * each log is saved with it: a pass can end anywhere, and the next one goes on there.
 */
export class SegmentMerge {
  readonly #parts: SegmentMergeParts
  readonly #size: MergeSize
  #backlog: MergeBacklog = { partitions: 0, segments: 0, bytes: 0 }
  /** What the last look has left, or could not look at. */
  #left: Grown = new Map()
  /** Before it, what was left need not be looked at again if nothing has grown. */
  #leftDueMs = 0
  #lookedAtAllMs = Number.NEGATIVE_INFINITY
  /** Since the last look at all. */
  #grown: Grown = 'all'

  constructor(parts: SegmentMergeParts) {
    this.#parts = parts
    this.#size = new MergeSize({ objects: parts.objects, clock: parts.ioClock, maxBytes: parts.limits.mergeObjectBytes })
  }

  get backlog(): MergeBacklog {
    return this.#backlog
  }

  /** Merges what is due until the signal aborts. A store that is away delays it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, emit, report } = this.#parts
    if (intervalMs <= 0) return
    await makePasses(
      { clock, firstMs: intervalMs, everyMs: intervalMs, where: 'merge', emit, ...(report && { report }) },
      () => this.#pass(signal),
      signal,
    )
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { topics, swaps, random, job, ioClock } = this.#parts
    const nowMs = this.#parts.clock.monotonic()
    const { asked, idle } = this.#asked(nowMs)
    if (asked === undefined) return
    this.#left = asked
    this.#leftDueMs = 0
    let begun: Promise<Incarnation> | undefined
    let sequence = 0
    const running: MergeRun = {
      // Most looks find nothing to do, and need no incarnation.
      job: () => (begun ??= swaps.beginJob({ job, nonce: Buffer.from(random.bytes(8)).toString('hex') as Nonce })),
      nextSequence: () => ++sequence,
      pace: pacer(ioClock, { bytesPerSecond: fixedLimits.mergeBytesPerSecond, signal }),
      signal,
      isIdle: idle,
      isOver: false,
    }
    const backlog = { partitions: 0, segments: 0, bytes: 0 }
    try {
      const bounds = new Map<string, MergedSegmentBounds>()
      const waiting = new Map<string, TopicPartition>()
      let dueInMs = Number.POSITIVE_INFINITY
      for (const page of this.#ownPartitions(await topics.list(), asked, bounds)) {
        let left = await this.#first(page, bounds, running)
        while (left === 'more') left = await this.#first(page, bounds, running)
        backlog.partitions += left.backlog.partitions
        backlog.segments += left.backlog.segments
        backlog.bytes += left.backlog.bytes
        let second = await this.#second(page, bounds, running)
        while (!running.isOver && second === 'more') second = await this.#second(page, bounds, running)
        if (running.isOver) return
        dueInMs = second === 'later' ? 0 : Math.min(dueInMs, left.dueInMs)
        for (const one of second === 'later' ? page : left.waiting) waiting.set(partitionKey(one.topicId, one.partition), one)
      }
      this.#left = waiting.size > fixedLimits.grownPartitions ? 'all' : waiting
      this.#leftDueMs = nowMs + dueInMs
      this.#backlog = backlog
    } finally {
      // Without it, the next start of this job fences the incarnation.
      const incarnation = await begun?.catch(() => undefined)
      if (incarnation !== undefined)
        await swaps.endJob(incarnation).catch((error: unknown) => {
          if (!(error instanceof MetadataError)) throw error
        })
    }
  }

  /** What may have something to merge: all now and then, and in between what has grown or was left. Undefined: nothing has. */
  #asked(nowMs: number): { readonly asked: Grown | undefined; readonly idle: MergeRun['isIdle'] } {
    const { grown, maxAgeMs } = this.#parts
    const taken = grown.take()
    this.#grown = taken === 'all' || this.#grown === 'all' ? 'all' : new Map([...this.#grown, ...taken])
    if (taken !== 'all' && this.#left !== 'all' && nowMs - this.#lookedAtAllMs < maxAgeMs) {
      const isSame = taken.size === 0 && (this.#left.size === 0 || nowMs < this.#leftDueMs)
      return { asked: isSame ? undefined : new Map([...this.#left, ...taken]), idle: () => false }
    }
    this.#lookedAtAllMs = nowMs
    const since = this.#grown
    this.#grown = new Map()
    return { asked: 'all', idle: ({ topicId, partition }) => since !== 'all' && !since.has(partitionKey(topicId, partition)) }
  }

  /** The logs of each object of the second merge. */
  #dueTwice(states: readonly MergeState[], { isIdle }: MergeRun): readonly (readonly SecondMergeShare<MergeState>[])[] {
    const { mergeSegmentBytes, mergeSources, mergeTwiceBytes } = this.#parts.limits
    const { objectBytes } = this.#size
    return dueSecondMerges(
      states.filter(({ waitingBytes, waitingSegments }) => waitingBytes > 0 || waitingSegments > 0),
      (state) => state.onceOffset >= state.nextOffset && isIdle(state),
      {
        objectBytes,
        segmentBytes: Math.min(mergeSegmentBytes, objectBytes),
        bytes: mergeTwiceBytes,
        segments: Math.max(2, Math.floor(mergeSources / fixedLimits.mergeTwiceParts)),
        idleBytes: Math.min(fixedLimits.mergeOwnObjectBytes, mergeTwiceBytes / 2),
        duePart: fixedLimits.mergeDuePart,
      },
    )
  }

  /** One object of the first merge. Returns what is left if there is not enough for another one. */
  async #first(page: readonly TopicPartition[], bounds: TopicBounds, running: MergeRun): Promise<'more' | LeftInPage> {
    const { limits, maxAgeMs, swaps, ioClock } = this.#parts
    const lookedAtMs = ioClock.monotonic()
    const waiting = (await swaps.mergeStates(page)).filter(({ onceOffset, nextOffset }) => onceOffset < nextOffset)
    const candidates = await this.#candidates(waiting, ({ onceOffset }) => onceOffset, running)
    const skipped = skippedOf(candidates)
    if (skipped.length > 0) {
      await swaps.saveMerged(skipped.map(({ log, sources }) => savedFor(log, { ...unmoved(log), onceOffset: endOf(sources) })))
      return 'more'
    }
    const { mergeSegmentBytes: segmentBytes, mergeSources: sources, mergeQuietMs: quietMs } = limits
    const { objectBytes } = this.#size
    const { runs, isDue, objectCount } = planFirstMerge(candidates, { objectBytes, segmentBytes, sources, quietMs, maxAgeMs })
    const left = candidates.flatMap(({ segments }) => segments)
    const dueInMs = candidates.some(({ hasMore }) => hasMore) ? 0 : mergeDueInMs(left, { quietMs, maxAgeMs })
    const backlog = { backlog: { partitions: candidates.length, segments: left.length, bytes: bytesOf(left) }, waiting, dueInMs }
    if (!isDue || runs.length === 0) return backlog
    const isLarge = runs.reduce((sum, { sources: own }) => sum + bytesOf(own), 0) >= objectBytes * fixedLimits.mergeLargePart
    const merged =
      (state: MergeState): MergedLogOf['merged'] =>
      (own, segments) =>
        this.#mergedOnce(state, { sources: own, segments, isLarge })
    // One object has nothing to be merged with.
    if (objectCount > 1) return (await this.#merge(runs, merged, { bounds, running, lookedAtMs })) ? 'more' : { ...backlog, dueInMs: 0 }
    await swaps.saveMerged(
      runs.map(({ log, sources: own }) => savedFor(log, this.#mergedOnce(log, { sources: own, segments: own, isLarge }))),
    )
    return 'more'
  }

  /** One object of the second merge. `later`: something was first, and the next look does the rest. */
  async #second(page: readonly TopicPartition[], bounds: TopicBounds, running: MergeRun): Promise<'more' | 'none' | 'later'> {
    for (const shares of this.#dueTwice(await this.#parts.swaps.mergeStates(page), running)) {
      const end = await this.#secondOf(shares, bounds, running)
      if (end !== 'none') return end
    }
    return 'none'
  }

  async #secondOf(
    shares: readonly SecondMergeShare<MergeState>[],
    bounds: TopicBounds,
    running: MergeRun,
  ): Promise<'more' | 'none' | 'later'> {
    const { limits, swaps, ioClock } = this.#parts
    const lookedAtMs = ioClock.monotonic()
    const bytesOfLog = new Map(shares.map(({ log, maxBytes }) => [log, maxBytes]))
    const found = await this.#candidates([...bytesOfLog.keys()], ({ twiceOffset }) => twiceOffset, running)
    const candidates = found.map(({ log, segments, hasMore }) => {
      const once = segments.filter(({ lastOffset }) => lastOffset < log.onceOffset)
      return { log, segments: once, hasMore: hasMore && once.length === segments.length, maxBytes: must(bytesOfLog.get(log), 'its share') }
    })
    const skipped = skippedOf(candidates)
    if (skipped.length > 0) {
      await swaps.saveMerged(skipped.map(({ log, sources }) => savedFor(log, mergedTwice(log, sources))))
      return 'more'
    }
    // What waited is gone: records were removed.
    const gone = candidates.filter(({ segments }) => segments.length === 0)
    if (gone.length > 0) await swaps.saveMerged(gone.map(({ log }) => savedFor(log, allTwice(log))))
    const objects = planSecondMerge(candidates, { objectBytes: this.#size.objectBytes, sources: limits.mergeSources })
    const merged =
      (state: MergeState): MergedLogOf['merged'] =>
      (sources) =>
        mergedTwice(state, sources)
    for (const runs of objects) {
      const sources = runs.flatMap((run) => run.sources)
      const isOneObject = sources.every(({ objectKey, marker }) => marker === undefined && objectKey === sources[0]?.objectKey)
      // One object has nothing to be merged with.
      if (!isOneObject) {
        if (!(await this.#merge(runs, merged, { bounds, running, lookedAtMs }))) return 'later'
      } else await swaps.saveMerged(runs.map(({ log, sources: own }) => savedFor(log, mergedTwice(log, own))))
    }
    return objects.length > 0 ? 'more' : 'none'
  }

  /** A log with full segments in a large object needs no second merge. */
  #mergedOnce(
    state: MergeState,
    {
      sources,
      segments,
      isLarge,
    }: {
      readonly sources: readonly MergeSource[]
      readonly segments: readonly { readonly sizeBytes: number; readonly lastOffset: number }[]
      readonly isLarge: boolean
    },
  ): MergedTo {
    const onceOffset = endOf(sources)
    const bytes = bytesOf(sources)
    const isFull = isLarge && bytes >= segments.length * this.#parts.limits.mergeSegmentBytes * fixedLimits.mergeFullPart
    if (isFull && state.waitingSegments <= fixedLimits.mergeFewSegments) return allTwice({ ...state, onceOffset })
    return { onceOffset, twiceOffset: state.twiceOffset, waitingBytes: bytes, waitingSegments: segments.length }
  }

  /** False: another job or a deletion was first, and the next look does the rest. */
  async #merge(
    runs: MergeRuns,
    merged: (state: MergeState) => MergedLogOf['merged'],
    { bounds, running, lookedAtMs }: { readonly bounds: TopicBounds; readonly running: MergeRun; readonly lookedAtMs: number },
  ): Promise<boolean> {
    const { owners, rewrites, swaps, emit, ioClock, onSwapped, limits } = this.#parts
    const stateOf = new Map<MergedLogOf, MergeState>()
    const asked = runs.flatMap(({ log: state, sources }) => {
      const { topicId, partition } = state
      const own = bounds.get(topicId)
      if (own === undefined) return []
      const log = { topicId, partition, epoch: owners.ofPartition(topicId, partition).epoch, bounds: own, merged: merged(state) }
      stateOf.set(log, state)
      return [{ log, sources }]
    })
    return await rewrites.run(async () => {
      const beganMs = ioClock.monotonic()
      // Log compaction has worked for so long that it, or another agent, may have replaced the sources, and the sweep removed them: that would look like damage.
      if (beganMs - lookedAtMs > limits.readersGraceMs / 2) return false
      const done = await mergeIntoObject({ ...this.#parts, objects: this.#size }, { ...running, runs: asked, job: await running.job() })
      const { end, segmentCount, bytesRead, bytesWritten } = done
      const sources = done.runs.flatMap((run) => run.sources)
      emit({
        kind: 'segments merged',
        end,
        objects: new Set(sources.flatMap(({ objectKey, marker }) => (marker === undefined ? [objectKey] : []))).size,
        partitions: done.runs.filter((run) => run.sources.length > 0).length,
        sources: sources.length,
        segments: segmentCount,
        bytesRead,
        bytesWritten,
        durationMs: ioClock.monotonic() - beganMs,
      })
      if (end === 'fenced') running.isOver = true
      if (end === 'changed' || end === 'fenced') return false
      const damaged: MergedLog[] = []
      for (const [index, { log, sources: own }] of done.runs.entries()) {
        if (own.length > 0) onSwapped(log, endOf(own))
        // A damaged segment stays as it is: its damage must be neither spread nor hidden.
        const first = asked[index]?.sources.slice(0, 1) ?? []
        const state = stateOf.get(log)
        if (own.length === 0 && state !== undefined) damaged.push(savedFor(state, log.merged(first, first)))
      }
      if (damaged.length > 0) await swaps.saveMerged(damaged)
      return true
    }, running.signal)
  }

  /** The next segments of these logs, as many as two swaps replace. Those that say which offsets are damaged have no bytes, and are passed over. */
  async #candidates(states: readonly MergeState[], fromOf: (state: MergeState) => number, { signal }: MergeRun): Promise<MergeCandidates> {
    const found = states.map((log) => ({ log, from: fromOf(log), segments: [] as MergeSource[], hasMore: true }))
    let left = 2 * this.#parts.limits.mergeSources
    for (let open = found; open.length > 0 && left > 0; open = open.filter(({ hasMore }) => hasMore)) {
      const maxSegments = Math.max(1, Math.min(fixedLimits.mergeSegmentsPerRead, Math.floor(left / open.length)))
      const logsPerRead = Math.max(1, Math.floor(fixedLimits.mergeSegmentsPerRead / maxSegments))
      for (let first = 0; first < open.length; first += logsPerRead) {
        signal.throwIfAborted()
        const page = open.slice(first, first + logsPerRead)
        const read = await this.#parts.swaps.mergeSources(
          page.map(({ log: { logId }, from }) => ({ logId, fromOffset: from, maxSegments })),
        )
        for (const [index, one] of page.entries()) {
          // One list for each log of the page.
          const segments = read[index] ?? []
          one.segments.push(...segments)
          one.hasMore = segments.length === maxSegments
          one.from = segments.length === 0 ? one.from : endOf(segments)
          left -= segments.length
        }
      }
    }
    return found.map((one) => ({ ...one, segments: withMarkers(one.segments) }))
  }

  /** Pages of those of the partitions that are this agent's. Adds the bounds of their topics to `bounds`. */
  *#ownPartitions(topics: readonly Topic[], asked: Grown, bounds: Map<string, MergedSegmentBounds>): Iterable<readonly TopicPartition[]> {
    const { owners, boundsOf } = this.#parts
    const askedTopics = asked === 'all' ? undefined : new Set(Array.from(asked.values(), ({ topicId }) => topicId))
    let page: TopicPartition[] = []
    for (const topic of topics.toSorted((a, b) => (a.topicId < b.topicId ? -1 : 1))) {
      const { topicId } = topic
      if (askedTopics?.has(topicId) === false) continue
      bounds.set(topicId, boundsOf(topic))
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        if (asked !== 'all' && !asked.has(partitionKey(topicId, partition))) continue
        if (!owners.ofPartition(topicId, partition).mine) continue
        page.push({ topicId, partition })
        if (page.length < fixedLimits.namesPerRead) continue
        yield page
        page = []
      }
    }
    if (page.length > 0) yield page
  }
}
