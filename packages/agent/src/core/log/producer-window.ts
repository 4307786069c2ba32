// The state of an idempotent producer in one partition: its epoch, its last five batches, and the check of its next batch.

/** Kafka's ProducerStateEntry.NUM_BATCHES_TO_RETAIN: the number of batches that a client may have in flight. */
export const batchesRemembered = 5

export interface ProducerWindow {
  readonly epoch: number
  /** At most five, oldest first, never empty. */
  readonly batches: readonly RememberedBatch[]
}

export interface RememberedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly timestamp: number
}

/** A batch of an idempotent producer. */
export interface SequencedBatch {
  readonly producerEpoch: number
  readonly baseSequence: number
  /** lastOffsetDelta + 1. */
  readonly offsets: number
  readonly maxTimestamp: number
}

export type SequenceDecision =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number }
  | { readonly kind: 'rejected'; readonly reason: 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'INVALID_PRODUCER_EPOCH' }

/**
 * Checks in the order of Kafka's ProducerAppendInfo: the epoch, then duplicates, then the sequence. Without a window Kafka accepts any sequence, and so do
 * we, except under `mustBeginAtZero`: the id is recent and newer than the log, so any sequence but 0 means that an earlier batch was lost.
 */
export function admit(
  window: ProducerWindow | undefined,
  batch: SequencedBatch,
  rule: { readonly mustBeginAtZero: boolean },
): SequenceDecision {
  if (window === undefined) return batch.baseSequence !== 0 && rule.mustBeginAtZero ? outOfOrder : next
  if (batch.producerEpoch < window.epoch) return { kind: 'rejected', reason: 'INVALID_PRODUCER_EPOCH' }
  if (batch.producerEpoch > window.epoch) return batch.baseSequence === 0 ? next : outOfOrder
  const lastSequence = lastSequenceOf(batch)
  const same = window.batches.find((known) => known.baseSequence === batch.baseSequence && known.lastSequence === lastSequence)
  if (same !== undefined) return { kind: 'duplicate', baseOffset: same.baseOffset, timestamp: same.timestamp }
  const newest = window.batches.at(-1)
  return newest === undefined || batch.baseSequence === sequenceAfter(newest.lastSequence, 1) ? next : outOfOrder
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
  return { epoch: batch.producerEpoch, batches: [...before, remembered].slice(-batchesRemembered) }
}

/** The window after the log was cut at `fromOffset`, without the batches after it. Undefined if no batch is left; the same window if none was cut. */
export function cutWindow(window: ProducerWindow, fromOffset: number): ProducerWindow | undefined {
  const batches = window.batches.filter(({ baseOffset }) => baseOffset < fromOffset)
  if (batches.length === window.batches.length) return window
  return batches.length === 0 ? undefined : { ...window, batches }
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
