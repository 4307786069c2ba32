// The row of one transactional id: its producer, and the state of its newest transaction.

/**
 * Kafka's names. The states PrepareCommit, PrepareAbort and PrepareEpochFence do not exist here, because the database transaction that ends a transaction
 * writes its markers, too. A transactional id without a row has the state Dead.
 */
export type TransactionState = 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'

export type TransactionResult = 'commit' | 'abort'

/** A producer id with one of its epochs. */
export interface ProducerEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface TransactionRow extends ProducerEpoch {
  readonly state: TransactionState
  /** The producer id before the last change of the id, -1 if it never changed. */
  readonly lastProducerId: number
  /** A producer that still has this epoch may go on with the present one. -1: no producer may. */
  readonly lastProducerEpoch: number
  /** `transaction.timeout.ms` of the producer. */
  readonly timeoutMs: number
  /** How many transactions this id has begun: the number of the transaction that is open, or was the last. */
  readonly transactionNumber: number
}

/** Kafka's Short.MAX_VALUE - 1: a producer id has no epoch after it. Only a marker may have the next one. */
export const lastEpochOfProducerId = 32_766
