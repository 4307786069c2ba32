// The state of an idempotent producer in one partition: its epoch, its last five batches, and the check of its next batch.

/** Kafka's ProducerStateEntry.NUM_BATCHES_TO_RETAIN: the number of batches that a client may have in flight. */
export const batchesRemembered = 5

export interface ProducerWindow {
  readonly epoch: number
  /** At most five, oldest first. Empty after a marker that raised the epoch: the next sequence is 0. */
  readonly batches: readonly RememberedBatch[]
  /** The first offset of the producer's open transaction in this partition; absent if none is open. */
  readonly transactionFirstOffset?: number
}

export interface RememberedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly timestamp: number
}

/** A batch of an idempotent or transactional producer. */
export interface SequencedBatch {
  readonly producerEpoch: number
  readonly baseSequence: number
  /** lastOffsetDelta + 1. */
  readonly offsets: number
  readonly maxTimestamp: number
  /** Present if the batch is part of a transaction; core/transaction/ decides whether it may be. */
  readonly transaction?: object
}

export type SequenceDecision =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number }
  | { readonly kind: 'rejected'; readonly reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'INVALID_PRODUCER_EPOCH' | 'INVALID_TXN_STATE' }

/**
 * Checks in the order of Kafka's ProducerAppendInfo: the epoch, then duplicates, then the sequence, then that no batch lies outside the producer's open transaction. Without a window Kafka accepts any sequence, and so do
 * we, except under `mustBeginAtZero`: the id is recent and newer than the log, so any sequence but 0 means that an earlier batch was lost.
 */
export function admit(
  window: ProducerWindow | undefined,
  batch: SequencedBatch,
  rule: { readonly mustBeginAtZero: boolean },
): SequenceDecision {
  if (window === undefined) return batch.baseSequence !== 0 && rule.mustBeginAtZero ? outOfOrder : next
  if (batch.producerEpoch < window.epoch) return { kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' }
  const isNewEpoch = batch.producerEpoch > window.epoch
  const newest = isNewEpoch ? undefined : window.batches.at(-1)
  if (!isNewEpoch) {
    const lastSequence = lastSequenceOf(batch)
    const same = window.batches.find((known) => known.baseSequence === batch.baseSequence && known.lastSequence === lastSequence)
    if (same !== undefined) return { kind: 'duplicate', baseOffset: same.baseOffset, timestamp: same.timestamp }
  }
  if (batch.baseSequence !== (newest === undefined ? 0 : sequenceAfter(newest.lastSequence, 1))) return outOfOrder
  return window.transactionFirstOffset !== undefined && batch.transaction === undefined ? outsideTransaction : next
}

/** The window after the batch was appended at `baseOffset`. A new epoch starts a new window. */
export function remember(window: ProducerWindow | undefined, batch: SequencedBatch, baseOffset: number): ProducerWindow {
  const before = window?.epoch === batch.producerEpoch ? window.batches : []
  const remembered: RememberedBatch = {
    baseSequence: batch.baseSequence,
    lastSequence: lastSequenceOf(batch),
    baseOffset,
    timestamp: batch.maxTimestamp,
  }
  const batches = [...before, remembered].slice(-batchesRemembered)
  // The marker of a transaction is appended before its producer's epoch rises, so an open transaction is of the same epoch.
  const transactionFirstOffset = batch.transaction && (window?.transactionFirstOffset ?? baseOffset)
  return { epoch: batch.producerEpoch, batches, ...(transactionFirstOffset !== undefined && { transactionFirstOffset }) }
}

/** The window after a marker of the epoch: no transaction is open. A new epoch starts a new window. */
export function rememberMarker(window: ProducerWindow | undefined, producerEpoch: number): ProducerWindow {
  return { epoch: producerEpoch, batches: window?.epoch === producerEpoch ? window.batches : [] }
}

/**
 * The window after the log was cut at `fromOffset`, without the batches after it. Undefined if nothing is left; the same window if nothing was cut. An open
 * transaction that began before the cut stays open.
 */
export function cutWindow(window: ProducerWindow, fromOffset: number): ProducerWindow | undefined {
  const { epoch, transactionFirstOffset } = window
  const batches = window.batches.filter(({ baseOffset }) => baseOffset < fromOffset)
  if (batches.length === window.batches.length) return window
  const isOpen = transactionFirstOffset !== undefined && transactionFirstOffset < fromOffset
  if (batches.length === 0 && !isOpen) return undefined
  return { epoch, batches, ...(isOpen && { transactionFirstOffset }) }
}

/** Sequences are 31 bits: after 2^31 - 1 comes 0. */
export function sequenceAfter(sequence: number, steps: number): number {
  return (sequence + steps) % 2 ** 31
}

function lastSequenceOf(batch: SequencedBatch): number {
  return sequenceAfter(batch.baseSequence, batch.offsets - 1)
}

const next: SequenceDecision = { kind: 'next' }
const outOfOrder: SequenceDecision = { kind: 'rejected', reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
const outsideTransaction: SequenceDecision = { kind: 'rejected', reason: 'INVALID_TXN_STATE' }
