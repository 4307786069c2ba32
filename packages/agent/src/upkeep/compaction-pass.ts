// One pass of log compaction over one partition: it learns the keys of the dirty part, and then writes the log again from its start, swap by swap.
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { ClusterId, Incarnation, TopicPartition } from '../core/ids.ts'
import type { CompactionRules } from '../core/log/compaction/compact-batch.ts'
import { addSegmentKeys, compactSegment, type IntactSegment } from '../core/log/compaction/compact-segment.ts'
import { CompactedSegments } from '../core/log/compaction/compacted-segments.ts'
import { KeyOffsets } from '../core/log/compaction/key-offsets.ts'
import type { BatchReaders } from '../core/log/validate.ts'
import { objectKey } from '../core/object-key.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { LogIndex, Segment } from '../metadata/metadata-store.ts'
import type { CompactionState, SwapStore } from '../metadata/swap-store.ts'
import type { AbortedTransaction, TransactionStore } from '../metadata/transaction-store.ts'
import { encodeObject } from '../objects/object-format.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { Turns } from '../time/turns.ts'
import type { Pace } from './storage-walk.ts'

export interface CompactionPassParts extends BatchReaders {
  readonly clusterId: ClusterId
  readonly log: Pick<LogIndex, 'find'>
  readonly swaps: Pick<SwapStore, 'swap' | 'lastOffsets' | 'saveCleaned'>
  readonly objects: Pick<ObjectStore, 'put'>
  readonly transactions: Pick<TransactionStore, 'aborted'>
  /** The bytes of a segment, checked. Undefined: they are damaged. */
  readonly readSegment: (of: TopicPartition, segment: Segment, signal: AbortSignal) => Promise<Uint8Array | undefined>
  /** Called after a swap, with the first offset after the new segments. */
  readonly onSwapped: (of: TopicPartition, nextOffset: number) => void
  readonly now: () => number
  readonly turns: Turns
  readonly crc32c: Checksum
  readonly producerIdExpirationMs: number
  readonly limits: Pick<Limits, 'segmentBytes' | 'compactionMapBytes' | 'compactionObjectBytes'>
}

export interface PassOf extends TopicPartition {
  readonly state: CompactionState
  /** The epoch of the partition's slot. */
  readonly epoch: number
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number
  readonly job: Incarnation
  /** The sequence of the job's next object. */
  readonly nextSequence: () => number
  readonly pace: Pace
  readonly signal: AbortSignal
}

/** `changed`: another job has replaced segments of the log, or the topic is gone. `damaged`: a segment cannot be read. A later pass does the rest. */
export type PassEnd = 'compacted' | 'changed' | 'damaged' | 'fenced'

export interface PassMeters {
  bytesRead: number
  bytesWritten: number
  swaps: number
}

/**
 * The keys of the dirty part may need more memory than there is: then the pass learns a part of them at a time, and writes the log again for each part, as
 * Kafka's cleaner does. Every swap leaves a log that is right, so a pass may end after each. Rejects as the stores do, and with the signal's reason.
 */
export class CompactionPass {
  readonly #parts: CompactionPassParts
  readonly #of: PassOf
  readonly meters: PassMeters = { bytesRead: 0, bytesWritten: 0, swaps: 0 }

  constructor(parts: CompactionPassParts, of: PassOf) {
    this.#parts = parts
    this.#of = of
  }

  async run(): Promise<PassEnd> {
    const { topicId, partition, state } = this.#of
    const { logId, cleanableOffset } = state
    for (let { cleanedOffset } = state; cleanedOffset < cleanableOffset; ) {
      const known = await this.#learn(cleanedOffset)
      if (known === undefined) return 'damaged'
      const end = await this.#rewrite(known)
      if (end !== 'compacted') return end
      await this.#parts.swaps.saveCleaned({ topicId, partition, logId, cleanedOffset: known.endOffset })
      cleanedOffset = known.endOffset
    }
    return 'compacted'
  }

  /** Learns the keys from the offset on, as many as there is memory for. */
  async #learn(fromOffset: number): Promise<{ readonly latest: KeyOffsets; readonly endOffset: number } | undefined> {
    const { limits, codecs } = this.#parts
    const { cleanableOffset } = this.#of.state
    const latest = new KeyOffsets({ maxBytes: limits.compactionMapBytes, maxKeys: cleanableOffset - fromOffset })
    let endOffset = fromOffset
    for await (const segment of this.#segments(fromOffset, cleanableOffset)) {
      // Its offsets were skipped.
      if (segment.sizeBytes > 0) {
        const intact = await this.#read(segment)
        if (intact === undefined) return undefined
        const learnt = await this.#inTurns(addSegmentKeys(intact, latest, { codecs }))
        endOffset = Math.max(endOffset, learnt)
        if (learnt <= segment.lastOffset) break
      }
      endOffset = Math.min(segment.lastOffset + 1, cleanableOffset)
    }
    return { latest, endOffset }
  }

  async #rewrite({ latest, endOffset }: { readonly latest: KeyOffsets; readonly endOffset: number }): Promise<PassEnd> {
    const { swaps, now, producerIdExpirationMs } = this.#parts
    const { topicId, partition, state, deleteRetentionMs } = this.#of
    const producers = await swaps.lastOffsets({ topicId, partition, expirationMs: producerIdExpirationMs })
    const lastOffsets = new Map(producers.map(({ producerId, lastOffset }) => [producerId, lastOffset]))
    const rules: CompactionRules = {
      latest,
      endOffset,
      nowMs: now(),
      deleteRetentionMs,
      lastOffsetOfProducer: (producerId) => lastOffsets.get(producerId),
    }
    let run: RunOfSegments | undefined
    for await (const segment of this.#segments(state.logStartOffset, endOffset)) {
      // Skipped offsets keep their segment, which says that they are damaged.
      if (segment.sizeBytes === 0) {
        const end = await this.#swap(run)
        if (end !== 'swapped') return end
        run = undefined
        continue
      }
      const intact = await this.#read(segment)
      if (intact === undefined) return 'damaged'
      run ??= this.#newRun(segment)
      const differs = await this.#inTurns(compactSegment(intact, rules, this.#parts, run.into))
      run.sources.push(segment)
      run.differs ||= differs
      if (!isFull(run, this.#parts.limits)) continue
      const end = await this.#swap(run)
      if (end !== 'swapped') return end
      run = undefined
    }
    const end = await this.#swap(run)
    return end === 'swapped' ? 'compacted' : end
  }

  #newRun({ baseOffset }: Segment): RunOfSegments {
    const { limits, crc32c } = this.#parts
    return { sources: [], into: new CompactedSegments({ baseOffset, segmentBytes: limits.segmentBytes, crc32c }), differs: false }
  }

  /** Stores what is left of the run, and swaps it in, unless nothing would change. */
  async #swap(run: RunOfSegments | undefined): Promise<'swapped' | Exclude<PassEnd, 'compacted'>> {
    if (run === undefined) return 'swapped'
    const { clusterId, swaps, objects, onSwapped, crc32c } = this.#parts
    const { topicId, partition, epoch, job, signal } = this.#of
    const nextOffset = must(run.sources.at(-1), 'the last segment of a run').lastOffset + 1
    const { segments, chunks, batchCount } = run.into.finish(nextOffset)
    // Fewer rows are worth a swap, too.
    if (!run.differs && run.sources.length < 2 * segments.length) return 'swapped'
    signal.throwIfAborted()
    const sequence = this.#of.nextSequence()
    const groups = [{ topicId, partition, epoch, chunks, batches: batchCount }]
    const encoded = encodeObject({ clusterId, incarnation: job, sequence, groups }, crc32c)
    const start = must(encoded.starts[0], 'the start of the only group')
    // The swap removes bytes that were on the disk, so these must be, whatever the durability of new records is.
    await objects.put(objectKey(clusterId, job, sequence), Object.assign(encoded.chunks, { mustBeDurable: true as const }), signal)
    const placed = segments.map((segment) => ({ ...segment, byteStart: start + segment.byteStart }))
    const result = await swaps.swap({
      incarnation: job,
      sequence,
      object: { sizeBytes: encoded.sizeBytes, checksum: encoded.checksum },
      logs: [{ topicId, partition, sources: run.sources, segments: placed }],
    })
    if (result !== 'swapped') return result
    this.meters.swaps += 1
    this.meters.bytesWritten += encoded.sizeBytes
    onSwapped({ topicId, partition }, nextOffset)
    return 'swapped'
  }

  async #read(segment: Segment): Promise<IntactSegment | undefined> {
    const { topicId, partition, pace, signal } = this.#of
    await pace(segment.sizeBytes)
    const bytes = await this.#parts.readSegment({ topicId, partition }, segment, signal)
    this.meters.bytesRead += segment.sizeBytes
    if (bytes === undefined) return undefined
    const { baseOffset } = segment
    const aborted = await this.#aborted(segment)
    if (aborted.length === 0) return { bytes, baseOffset }
    const isAborted = (producerId: number, offset: number): boolean =>
      aborted.some((one) => one.producerId === producerId && one.firstOffset <= offset && offset < one.markerOffset)
    return { bytes, baseOffset, isAborted }
  }

  /** Every transaction in the segment has ended, because the pass ends at the last stable offset. */
  async #aborted({ baseOffset, lastOffset }: Segment): Promise<readonly AbortedTransaction[]> {
    const { topicId, partition, state } = this.#of
    if (baseOffset > state.lastAbortOffset) return []
    const [aborted] = await this.#parts.transactions.aborted([{ topicId, partition, fromOffset: baseOffset, untilOffset: lastOffset + 1 }])
    return must(aborted, 'the aborted transactions of a segment')
  }

  /** The segments with offsets from `fromOffset` up to `untilOffset`, page by page. The rows may change between two pages; a swap notices that. */
  async *#segments(fromOffset: number, untilOffset: number): AsyncGenerator<Segment> {
    const { topicId, partition } = this.#of
    for (let offset = fromOffset; offset < untilOffset; ) {
      const maxSegments = fixedLimits.compactionSegmentsPerRead
      const [found] = await this.#parts.log.find([{ topicId, partition, offset, maxBytes: Number.MAX_SAFE_INTEGER, maxSegments }])
      if (found?.kind !== 'found' || found.segments.length === 0) return
      for (const segment of found.segments) {
        if (segment.baseOffset >= untilOffset) return
        yield segment
        offset = segment.lastOffset + 1
      }
    }
  }

  /** Other work of the event loop runs between two slices. */
  async #inTurns<T>(steps: Generator<number, T>): Promise<T> {
    const slice = this.#parts.turns.slice()
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value
      if (!slice.spent(1 + step.value / fixedLimits.compactedBytesPerUnit)) continue
      this.#of.signal.throwIfAborted()
      await slice.next()
    }
  }
}

/** Consecutive segments that one swap replaces. */
interface RunOfSegments {
  readonly sources: Segment[]
  readonly into: CompactedSegments
  differs: boolean
}

function isFull({ sources, into }: RunOfSegments, { compactionObjectBytes }: Pick<Limits, 'compactionObjectBytes'>): boolean {
  return into.sizeBytes >= compactionObjectBytes || sources.length >= fixedLimits.compactionSourcesPerSwap
}
