// One pass of log compaction over one partition: it learns the keys of the dirty part, and then writes the log again from its start, swap by swap.
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { ClusterId, Incarnation, TopicPartition } from '../core/ids.ts'
import type { CompactionSource, RunSoFar } from '../core/log/compaction/pass-steps.ts'
import { controlBatch } from '../core/log/control-batch.ts'
import { objectKey } from '../core/object-key.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { LogIndex, Segment } from '../metadata/metadata-store.ts'
import type { CompactionState, SwapStore } from '../metadata/swap-store.ts'
import type { AbortedTransaction, TransactionStore } from '../metadata/transaction-store.ts'
import { encodeObject } from '../objects/object-format.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { CompactionWork } from './compaction-work.ts'
import type { Pace } from './storage-walk.ts'

export interface CompactionPassParts {
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
  readonly crc32c: Checksum
  /** The present `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs: () => number
  readonly limits: Pick<Limits, 'segmentBytes' | 'compactionMapBytes' | 'compactionObjectBytes' | 'readersGraceMs'>
}

export interface PassOf extends TopicPartition {
  readonly state: CompactionState
  /** The epoch of the partition's slot. */
  readonly epoch: number
  /** `delete.retention.ms`. */
  readonly deleteRetentionMs: number
  readonly job: Incarnation
  /** The pass ends it. */
  readonly work: CompactionWork
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
    try {
      return await this.#run()
    } finally {
      await this.#of.work.end()
    }
  }

  async #run(): Promise<PassEnd> {
    const { topicId, partition, state } = this.#of
    const { logId, cleanableOffset } = state
    for (let { cleanedOffset } = state; cleanedOffset < cleanableOffset; ) {
      const endOffset = await this.#learn(cleanedOffset)
      if (endOffset === undefined) return 'damaged'
      const end = await this.#rewrite(endOffset)
      if (end !== 'compacted') return end
      await this.#parts.swaps.saveCleaned({ topicId, partition, logId, cleanedOffset: endOffset })
      cleanedOffset = endOffset
    }
    return 'compacted'
  }

  /** Learns the keys from the offset on, as many as there is memory for. Returns the offset before which all are known. */
  async #learn(fromOffset: number): Promise<number | undefined> {
    const { limits } = this.#parts
    const { state, work } = this.#of
    const { cleanableOffset } = state
    await work.step('beginLearning', { maxBytes: limits.compactionMapBytes, maxKeys: cleanableOffset - fromOffset })
    let endOffset = fromOffset
    for await (const { segment, stored } of this.#stored(fromOffset, cleanableOffset)) {
      // Its offsets were skipped, or it is a marker.
      if (segment.sizeBytes > 0) {
        if (stored === undefined) return undefined
        const learnt = await work.step('learn', stored)
        endOffset = Math.max(endOffset, learnt)
        if (learnt <= segment.lastOffset) break
      }
      endOffset = Math.min(segment.lastOffset + 1, cleanableOffset)
    }
    return endOffset
  }

  async #rewrite(endOffset: number): Promise<PassEnd> {
    const { swaps, now, producerIdExpirationMs, limits } = this.#parts
    const { topicId, partition, state, deleteRetentionMs, work } = this.#of
    const producers = await swaps.lastOffsets({ topicId, partition, expirationMs: producerIdExpirationMs() })
    const markerRetentionMs = Math.max(deleteRetentionMs, limits.readersGraceMs)
    await work.step('beginRewriting', { endOffset, nowMs: now(), deleteRetentionMs, markerRetentionMs, producers })
    let run: RunOfSegments | undefined
    for await (const { segment, stored } of this.#stored(state.logStartOffset, endOffset)) {
      // Skipped offsets keep their segment, which says that they are damaged.
      if (segment.sizeBytes === 0 && segment.marker === undefined) {
        const end = await this.#swap(run)
        if (end !== 'swapped') return end
        run = undefined
        continue
      }
      if (stored === undefined) return 'damaged'
      const soFar: RunSoFar = await work.step('compact', stored)
      run ??= { sources: [], soFar }
      run.sources.push(segment)
      run.soFar = soFar
      if (!isFull(run, limits)) continue
      const end = await this.#swap(run)
      if (end !== 'swapped') return end
      run = undefined
    }
    const end = await this.#swap(run)
    return end === 'swapped' ? 'compacted' : end
  }

  /** Stores what is left of the run, and swaps it in, unless nothing would change. */
  async #swap(run: RunOfSegments | undefined): Promise<'swapped' | Exclude<PassEnd, 'compacted'>> {
    if (run === undefined) return 'swapped'
    const { clusterId, swaps, objects, onSwapped, crc32c } = this.#parts
    const { topicId, partition, epoch, job, signal, work } = this.#of
    const nextOffset = must(run.sources.at(-1), 'the last segment of a run').lastOffset + 1
    const { segments, pieces, batchCount, removedAborts } = await work.step('finishRun', { nextOffset })
    // Fewer rows are worth a swap, too.
    if (!run.soFar.differs && run.sources.length < 2 * segments.length) return 'swapped'
    signal.throwIfAborted()
    const sequence = this.#of.nextSequence()
    const groups = [{ topicId, partition, epoch, chunks: pieces, batches: batchCount }]
    const encoded = encodeObject({ clusterId, incarnation: job, sequence, groups }, crc32c)
    const start = must(encoded.starts[0], 'the start of the only group')
    // The swap removes bytes that were on the disk, so these must be, whatever the durability of new records is.
    await objects.put(objectKey(clusterId, job, sequence), Object.assign(encoded.chunks, { mustBeDurable: true as const }), signal)
    // The collector would free them some time later, and meanwhile the thread fills as much memory again.
    for (const piece of pieces) piece.buffer.transfer(0)
    const placed = segments.map((segment) => ({ ...segment, byteStart: start + segment.byteStart }))
    const result = await swaps.swap({
      incarnation: job,
      sequence,
      object: { sizeBytes: encoded.sizeBytes, checksum: encoded.checksum },
      logs: [{ topicId, partition, sources: run.sources, segments: placed, removedAborts }],
    })
    if (result !== 'swapped') return result
    this.meters.swaps += 1
    this.meters.bytesWritten += encoded.sizeBytes
    onSwapped({ topicId, partition }, nextOffset)
    return 'swapped'
  }

  /**
   * The segments from `fromOffset` up to `untilOffset` with their bytes; undefined: they are damaged. Some are read ahead, so that neither the store nor the work
   * waits for the other.
   */
  async *#stored(
    fromOffset: number,
    untilOffset: number,
  ): AsyncGenerator<{ readonly segment: Segment; readonly stored: CompactionSource | undefined }> {
    const { pace } = this.#of
    const { compactionAheadBytes, compactionReadsAhead } = fixedLimits
    const ahead: { readonly segment: Segment; readonly read: Promise<CompactionSource | undefined> }[] = []
    try {
      let aheadBytes = 0
      for await (const segment of this.#segments(fromOffset, untilOffset)) {
        while (ahead.length > compactionReadsAhead || (ahead.length > 1 && aheadBytes + segment.sizeBytes > compactionAheadBytes)) {
          const { segment: first, read } = must(ahead.shift(), 'the first segment that is read ahead')
          aheadBytes -= first.sizeBytes
          yield { segment: first, stored: await read }
        }
        if (segment.sizeBytes > 0) await pace(segment.sizeBytes)
        const read = this.#read(segment)
        // The error goes to what takes the segment, which may be later.
        read.catch(() => undefined)
        ahead.push({ segment, read })
        aheadBytes += segment.sizeBytes
      }
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) yield { segment: next.segment, stored: await next.read }
    } finally {
      await Promise.allSettled(ahead.map(({ read }) => read))
    }
  }

  async #read(segment: Segment): Promise<CompactionSource | undefined> {
    const { topicId, partition, signal } = this.#of
    const { baseOffset, sizeBytes, marker, maxTimestamp } = segment
    // No object has the bytes of the marker: the next one that the pass stores will.
    if (marker !== undefined) {
      const bytes = controlBatch(marker, { offset: baseOffset, timestamp: maxTimestamp }, this.#parts.crc32c)
      return { bytes, baseOffset, aborted: [] }
    }
    if (sizeBytes === 0) return { bytes: new Uint8Array(0), baseOffset, aborted: [] }
    const bytes = await this.#parts.readSegment({ topicId, partition }, segment, signal)
    this.meters.bytesRead += sizeBytes
    return bytes && { bytes, baseOffset, aborted: await this.#aborted(segment) }
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
}

/** Consecutive segments that one swap replaces. */
interface RunOfSegments {
  readonly sources: Segment[]
  soFar: RunSoFar
}

function isFull(
  { sources, soFar: { sizeBytes, removedAbortCount } }: RunOfSegments,
  { compactionObjectBytes }: Pick<Limits, 'compactionObjectBytes'>,
): boolean {
  return sizeBytes >= compactionObjectBytes || sources.length + removedAbortCount >= fixedLimits.compactionSourcesPerSwap
}
