// The transactions of a flush: whether each of its transactional batches may be appended, and what the flush adds to their transactions.
import { partitionKey } from '../core/ids.ts'
import { decideTransaction, type TransactionRejection } from '../core/transaction/transaction.ts'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import type { BatchOfTransaction, CommitBatch, CommitRejection } from './metadata-store.ts'
import type { Call } from './sql.ts'
import {
  type AddedPartition,
  addPartitions,
  type HeldTransactionalId,
  rowOf,
  type TransactionalIdKey,
  transactionalIdKey,
  writeTransactionalIds,
} from './transaction-rows.ts'

/** The ids of the batches, each once. */
export function transactionalIdsOf(batches: readonly CommitBatch[]): readonly TransactionalIdKey[] {
  const ids = new Set(batches.flatMap(({ transaction }) => (transaction === undefined ? [] : [transaction.transactionalId])))
  return [...ids].map(transactionalIdKey)
}

/** The partitions of the transactional batches, each once for each id. */
export function placesOf(batches: readonly CommitBatch[]): readonly AddedPartition[] {
  const places = batches.flatMap(({ transaction, topicId, partition }) =>
    transaction === undefined ? [] : [{ ...transactionalIdKey(transaction.transactionalId), topicId, partition }],
  )
  return [...new Map(places.map((place) => [placeKey(place), place])).values()]
}

export class FlushTransactions {
  readonly #rows: ReadonlyMap<string, TransactionRow>
  /** The rows that this flush has changed. */
  readonly #begun = new Map<string, TransactionRow>()
  readonly #added: Set<string>
  readonly #adds: AddedPartition[] = []

  /** Both were read under the locks of the ids. */
  constructor(held: readonly HeldTransactionalId[], added: readonly AddedPartition[]) {
    this.#rows = new Map(held.map((row) => [row.transactionalId, rowOf(row)]))
    this.#added = new Set(added.map(placeKey))
  }

  /** Undefined: the batch may be appended, and its partition is part of the transaction now. */
  rejectionOf(batch: CommitBatch): CommitRejection | undefined {
    const { transaction, topicId, partition, producerId, producerEpoch } = batch
    if (transaction === undefined) return undefined
    const key = transactionalIdKey(transaction.transactionalId)
    const { transactionalId } = key
    const place = { ...key, topicId, partition }
    const isAdded = this.#added.has(placeKey(place))
    const row = this.#begun.get(transactionalId) ?? this.#rows.get(transactionalId)
    const decision = decideTransaction(row, requestOf(transaction, { producerId, producerEpoch }, isAdded), undefined)
    if (decision.kind === 'rejected') return produceError(decision.error)
    if (decision.kind === 'changed') this.#begun.set(transactionalId, decision.row)
    if (!isAdded) {
      this.#added.add(placeKey(place))
      this.#adds.push(place)
    }
    return undefined
  }

  writes(): readonly Call[] {
    const begun = [...this.#begun].map(([transactionalId, row]) => ({ transactionalId, ...row, begins: 1 as const }))
    return [writeTransactionalIds(begun), addPartitions(this.#adds)]
  }
}

function requestOf(
  { transactionNumber }: BatchOfTransaction,
  producer: { readonly producerId: number; readonly producerEpoch: number },
  isAdded: boolean,
): Parameters<typeof decideTransaction>[1] {
  return transactionNumber === null ? { kind: 'add', producer } : { kind: 'verify', producer, isAdded, transactionNumber }
}

/** Producers know PRODUCER_FENCED only from the coordinator. */
function produceError(error: TransactionRejection): CommitRejection {
  return error === 'PRODUCER_FENCED' ? 'INVALID_PRODUCER_EPOCH' : error
}

function placeKey({ transactionalId, topicId, partition }: AddedPartition): string {
  return `${partitionKey(topicId, partition)}/${transactionalId}`
}
