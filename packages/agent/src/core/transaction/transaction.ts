// What one request does to a transactional id: a pure function from its row and the request to the next row and the effects. docs/specs/transactions.md has its rules.
import { assert } from '../assert.ts'
import { lastEpochOfProducerId, type ProducerEpoch, type TransactionResult, type TransactionRow } from './transaction-row.ts'

export type TransactionRequest =
  /** InitProducerId. `expected`: the producer already has an id, and goes on with it. */
  | { readonly kind: 'init'; readonly timeoutMs: number; readonly expected: ProducerEpoch | undefined }
  /** AddPartitionsToTxn, AddOffsetsToTxn, Produce 12 and later, TxnOffsetCommit 5: what is added are rows beside this one. */
  | { readonly kind: 'add'; readonly producer: ProducerEpoch }
  /**
   * Produce before 12, TxnOffsetCommit before 5: the partition or group must have been added. `transactionNumber` is that of the row when the request arrived, so a
   * request that was delayed over the end of its transaction does not become part of the next one.
   */
  | { readonly kind: 'verify'; readonly producer: ProducerEpoch; readonly isAdded: boolean; readonly transactionNumber: number }
  /**
   * EndTxn. `transactionVersion` 2 is EndTxn 5, which raises the epoch (KIP-890); 1 is any earlier one. It has the `transactionNumber` of the row when the request
   * arrived: one that is delayed or repeated over the end of its transaction does not end the next one.
   */
  | {
      readonly kind: 'end'
      readonly producer: ProducerEpoch
      readonly outcome: TransactionResult
      readonly transactionVersion: 1 | 2
      readonly transactionNumber?: number
    }
  /** The transaction has timed out, or a person aborts it. */
  | { readonly kind: 'fence' }
  /** The id was not used for `transactional.id.expiration.ms`. */
  | { readonly kind: 'expire' }

/** The names of Kafka's error codes. Produce answers PRODUCER_FENCED as INVALID_PRODUCER_EPOCH, and so do old versions of the other APIs. */
export type TransactionRejection = 'INVALID_PRODUCER_ID_MAPPING' | 'PRODUCER_FENCED' | 'INVALID_TXN_STATE' | 'TRANSACTION_ABORTABLE'

/** A transaction ends: each of its partitions gets a marker of this producer, and its offsets are applied, or dropped on abort. */
export interface TransactionEnd extends ProducerEpoch {
  readonly outcome: TransactionResult
}

export type TransactionDecision =
  | { readonly kind: 'rejected'; readonly error: TransactionRejection }
  /** The row did not change, and there is nothing else to do. */
  | { readonly kind: 'unchanged' }
  /** `begins`: the time-out counts from now. */
  | { readonly kind: 'changed'; readonly row: TransactionRow; readonly begins: boolean; readonly ends: TransactionEnd | undefined }
  /** The row goes, and with it the transactional id. */
  | { readonly kind: 'removed' }
  /** Decide again with a producer id that was never used. */
  | { readonly kind: 'needs producer id' }

/** `row`: undefined if the transactional id is not known. `newProducerId`: an id for the case that one is needed. */
export function decideTransaction(
  row: TransactionRow | undefined,
  request: TransactionRequest,
  newProducerId: number | undefined,
): TransactionDecision {
  assert(row === undefined || row.producerEpoch <= lastEpochOfProducerId, 'no row has an epoch that only a marker may have')
  switch (request.kind) {
    case 'init':
      return init(row, request, newProducerId)
    case 'add':
      return ofProducer(row, request.producer, begin)
    case 'verify':
      return ofProducer(row, request.producer, (known) => verify(known, request))
    case 'end':
      return request.transactionVersion === 1
        ? ofProducer(row, request.producer, (known) => endInEpoch(known, request))
        : endEpoch(row, request, newProducerId)
    case 'fence':
      return row?.state === 'Ongoing' ? nextEpoch(row, 'abort', newProducerId) : unchanged
    case 'expire':
      return row === undefined || row.state === 'Ongoing' ? unchanged : { kind: 'removed' }
  }
}

type RequestOfKind<Kind extends TransactionRequest['kind']> = Extract<TransactionRequest, { readonly kind: Kind }>

/** The producer gets an epoch that no other has, and what an earlier producer left open is aborted. */
function init(
  row: TransactionRow | undefined,
  { timeoutMs, expected }: RequestOfKind<'init'>,
  newProducerId: number | undefined,
): TransactionDecision {
  if (row === undefined) {
    if (newProducerId === undefined) return needsProducerId
    return changed({
      producerId: newProducerId,
      producerEpoch: 0,
      state: 'Empty',
      lastProducerId: -1,
      lastProducerEpoch: -1,
      timeoutMs,
      transactionNumber: 0,
    })
  }
  if (expected !== undefined && !isSame(expected, row)) {
    // The answer to an earlier request was lost.
    const isRepeated = row.state !== 'Ongoing' && isLast(expected, row)
    return isRepeated ? changed({ ...row, state: 'Empty', timeoutMs }) : rejected('PRODUCER_FENCED')
  }
  const next = nextEpoch(row, row.state === 'Ongoing' ? 'abort' : undefined, newProducerId)
  if (next.kind !== 'changed') return next
  // Without an expected epoch the producer is a new one: no earlier producer may go on.
  const last = expected === undefined ? { lastProducerId: -1, lastProducerEpoch: -1 } : {}
  return { ...next, row: { ...next.row, ...last, state: 'Empty', timeoutMs } }
}

/** A rejection unless the row is that of this producer in its present epoch. */
function ofProducer(
  row: TransactionRow | undefined,
  producer: ProducerEpoch,
  decide: (row: TransactionRow) => TransactionDecision,
): TransactionDecision {
  if (row === undefined || row.producerId !== producer.producerId) return rejected('INVALID_PRODUCER_ID_MAPPING')
  return row.producerEpoch === producer.producerEpoch ? decide(row) : rejected('PRODUCER_FENCED')
}

function begin(row: TransactionRow): TransactionDecision {
  if (row.state === 'Ongoing') return unchanged
  return { ...changed({ ...row, state: 'Ongoing', transactionNumber: row.transactionNumber + 1 }), begins: true }
}

function verify(row: TransactionRow, { isAdded, transactionNumber }: RequestOfKind<'verify'>): TransactionDecision {
  const isPart = row.state === 'Ongoing' && isAdded && row.transactionNumber === transactionNumber
  return isPart ? unchanged : rejected('TRANSACTION_ABORTABLE')
}

/** EndTxn before 5: the epoch stays, so a repeated request looks like the first one, and only the number tells two transactions apart. */
function endInEpoch(row: TransactionRow, { outcome, transactionNumber }: RequestOfKind<'end'>): TransactionDecision {
  const { producerId, producerEpoch } = row
  // Another attempt has ended that transaction: nothing else ends one without raising the epoch.
  if (transactionNumber !== undefined && transactionNumber !== row.transactionNumber) return unchanged
  if (row.state === 'Ongoing') return changed({ ...row, state: stateAfter(outcome) }, { producerId, producerEpoch, outcome })
  return row.state === stateAfter(outcome) ? unchanged : rejected('INVALID_TXN_STATE')
}

/** EndTxn 5: a request with the last epoch is repeated, one with the present epoch is about the next transaction. */
function endEpoch(
  row: TransactionRow | undefined,
  { producer, outcome }: RequestOfKind<'end'>,
  newProducerId: number | undefined,
): TransactionDecision {
  if (row !== undefined && isLast(producer, row)) {
    if (row.state === 'Ongoing' || row.state === 'Empty') return rejected('PRODUCER_FENCED')
    return row.state === stateAfter(outcome) ? unchanged : rejected('INVALID_TXN_STATE')
  }
  return ofProducer(row, producer, (known) => {
    if (known.state === 'Ongoing') return nextEpoch(known, outcome, newProducerId)
    // The producer does not know whether any of its records arrived, so it may abort a transaction that has none.
    return outcome === 'abort' ? nextEpoch(known, undefined, newProducerId) : rejected('INVALID_TXN_STATE')
  })
}

/** The row under its next epoch, or under a new producer id if there is none. The marker has the epoch after the present one, so that it fences the present one. */
function nextEpoch(row: TransactionRow, ends: TransactionResult | undefined, newProducerId: number | undefined): TransactionDecision {
  const { producerId, producerEpoch } = row
  const isExhausted = producerEpoch === lastEpochOfProducerId
  if (isExhausted && newProducerId === undefined) return needsProducerId
  const producer =
    isExhausted && newProducerId !== undefined
      ? { producerId: newProducerId, producerEpoch: 0, lastProducerId: producerId }
      : { producerId, producerEpoch: producerEpoch + 1 }
  const next: TransactionRow = { ...row, ...producer, lastProducerEpoch: producerEpoch, state: stateAfter(ends ?? 'abort') }
  return changed(next, ends && { producerId, producerEpoch: producerEpoch + 1, outcome: ends })
}

/** A producer that still has the last epoch, because the answer with the present one was lost. */
function isLast({ producerId, producerEpoch }: ProducerEpoch, row: TransactionRow): boolean {
  if (producerEpoch !== row.lastProducerEpoch) return false
  if (producerId === row.producerId) return producerEpoch + 1 === row.producerEpoch
  return producerId === row.lastProducerId && producerEpoch === lastEpochOfProducerId
}

function isSame(producer: ProducerEpoch, row: TransactionRow): boolean {
  return producer.producerId === row.producerId && producer.producerEpoch === row.producerEpoch
}

function stateAfter(outcome: TransactionResult): 'CompleteCommit' | 'CompleteAbort' {
  return outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort'
}

function changed(row: TransactionRow, ends?: TransactionEnd): Extract<TransactionDecision, { readonly kind: 'changed' }> {
  return { kind: 'changed', row, begins: false, ends }
}

function rejected(error: TransactionRejection): TransactionDecision {
  return { kind: 'rejected', error }
}

const unchanged: TransactionDecision = { kind: 'unchanged' }
const needsProducerId: TransactionDecision = { kind: 'needs producer id' }
