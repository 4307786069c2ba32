// The end of one log inside one commit: assigns offsets or another verdict to each batch of a flush, and collects the segments.
import { assert } from '../assert.ts'
import { admit, type ProducerWindow, remember, type SequenceDecision } from './producer-window.ts'

export interface LogEnd {
  readonly nextOffset: number
  /** The largest timestamp of the log, -1 when it is empty. */
  readonly maxTimestamp: number
  /** The first offset of the transactions that are open in the log, null if none is. */
  readonly firstUnstableOffset: number | null
}

export interface AppendBatch {
  readonly offsets: number
  readonly maxTimestamp: number
  readonly byteStart: number
  readonly sizeBytes: number
  /** -1: not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Present if the batch is part of a transaction. */
  readonly transaction?: TransactionalBatch
}

export interface TransactionalBatch {
  /** The number of the transaction in which the batch arrived, from a producer that adds partitions itself; null: the batch adds its partition (Produce 12 and later). */
  readonly transactionNumber: number | null
}

/** A contiguous run of accepted batches in the object, and the largest timestamp of the log up to its end. */
export interface SegmentRun {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  readonly runningMaxTimestamp: number
}

export type AppendVerdict = { readonly kind: 'appended'; readonly baseOffset: number } | Exclude<SequenceDecision, { kind: 'next' }>

/** The state of a producer before the commit. */
export interface KnownProducer {
  readonly window: ProducerWindow | undefined
  readonly mustBeginAtZero: boolean
}

export class LogAppend {
  readonly #known: (producerId: number) => KnownProducer
  readonly #segmentBytes: number
  readonly #changed = new Map<number, ProducerWindow>()
  readonly #runs: SegmentRun[] = []
  #nextOffset: number
  #maxTimestamp: number
  #firstUnstableOffset: number | null

  /** `segmentBytes`: a segment of several batches is at most so large. */
  constructor(end: LogEnd, known: (producerId: number) => KnownProducer, segmentBytes: number) {
    this.#nextOffset = end.nextOffset
    this.#maxTimestamp = end.maxTimestamp
    this.#firstUnstableOffset = end.firstUnstableOffset
    this.#known = known
    this.#segmentBytes = segmentBytes
  }

  get end(): LogEnd {
    return { nextOffset: this.#nextOffset, maxTimestamp: this.#maxTimestamp, firstUnstableOffset: this.#firstUnstableOffset }
  }

  /** In order of offsets; empty if no batch was appended. */
  get runs(): readonly SegmentRun[] {
    return this.#runs
  }

  /** The windows of the producers that appended, by producer id. */
  get windows(): ReadonlyMap<number, ProducerWindow> {
    return this.#changed
  }

  /** Call it with the batches in the order of their admission. */
  append(batch: AppendBatch): AppendVerdict {
    const { producerId, transaction } = batch
    assert(transaction === undefined || producerId >= 0, 'a batch of a transaction has a producer')
    if (producerId >= 0) {
      const changed = this.#changed.get(producerId)
      const { window, mustBeginAtZero } = changed === undefined ? this.#known(producerId) : { window: changed, mustBeginAtZero: false }
      // Like Kafka: the first batch of a transactional producer that adds partitions itself cannot be a later one.
      const admission = admit(window, batch, { mustBeginAtZero: mustBeginAtZero || transaction?.transactionNumber === null })
      if (admission.kind !== 'next') return admission
      this.#changed.set(producerId, remember(window, batch, this.#nextOffset))
    }
    const baseOffset = this.#nextOffset
    if (transaction !== undefined) this.#firstUnstableOffset ??= baseOffset
    this.#nextOffset += batch.offsets
    this.#maxTimestamp = Math.max(this.#maxTimestamp, batch.maxTimestamp)
    this.#extend(baseOffset, batch)
    return { kind: 'appended', baseOffset }
  }

  /** Extends the last run if the batch's bytes follow it directly and it stays small enough to serve as a seek index; otherwise starts a new run. */
  #extend(baseOffset: number, batch: AppendBatch): void {
    const last = this.#runs.at(-1)
    const joins =
      last !== undefined && last.byteStart + last.sizeBytes === batch.byteStart && last.sizeBytes + batch.sizeBytes <= this.#segmentBytes
    if (joins) this.#runs.pop()
    this.#runs.push({
      baseOffset: joins ? last.baseOffset : baseOffset,
      lastOffset: this.#nextOffset - 1,
      byteStart: joins ? last.byteStart : batch.byteStart,
      sizeBytes: joins ? last.sizeBytes + batch.sizeBytes : batch.sizeBytes,
      maxTimestamp: joins ? Math.max(last.maxTimestamp, batch.maxTimestamp) : batch.maxTimestamp,
      runningMaxTimestamp: this.#maxTimestamp,
    })
  }
}
