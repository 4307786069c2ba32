// The transactional ids that this agent coordinates: each request is decided in the database, and what it ended is published before it is answered.
import { KafkaError } from '@local-kafka-service/protocol'
import { type Incarnation, partitionKey, type TopicPartition } from '../core/ids.ts'
import { decideTransaction, type TransactionRejection } from '../core/transaction/transaction.ts'
import type { ProducerEpoch, TransactionResult, TransactionRow } from '../core/transaction/transaction-row.ts'
import type { DecidedTransaction, FoundTransaction, TransactionalRequest, TransactionStore } from '../metadata/transaction-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import { retriable } from './stored-groups.ts'

export interface TransactionCoordinatorParts {
  readonly store: Pick<TransactionStore, 'decide' | 'find'>
  readonly owners: Pick<Owners, 'ofName'>
  readonly tails: Pick<Tails, 'publish' | 'forget'>
  readonly incarnation: Incarnation
  readonly emit: EventHook
  /** A producer id that was never used. */
  readonly newProducerId: () => Promise<number>
}

/** `row`: undefined if the id has no row now. */
export type TransactionAnswer =
  | { readonly kind: 'ok'; readonly row: TransactionRow | undefined }
  | { readonly kind: 'rejected'; readonly error: TransactionRejection }

/** What a transaction gets, or must have. */
export interface PartsOfTransaction {
  readonly partitions?: readonly TopicPartition[]
  readonly groupIds?: readonly string[]
}

/** Unless they say otherwise, its methods reject with a KafkaError: NOT_COORDINATOR (another agent owns the slot of the id), COORDINATOR_NOT_AVAILABLE (the database is unavailable). */
export class TransactionCoordinator {
  readonly #parts: TransactionCoordinatorParts

  constructor(parts: TransactionCoordinatorParts) {
    this.#parts = parts
  }

  /** InitProducerId. `expected`: the id and epoch with which the producer goes on. */
  async init(
    transactionalId: string,
    { timeoutMs, expected }: { readonly timeoutMs: number; readonly expected: ProducerEpoch | undefined },
  ): Promise<TransactionAnswer> {
    this.check(transactionalId)
    return await retriable(this.#decide({ transactionalId, request: { kind: 'init', timeoutMs, expected } }))
  }

  /** Begins a transaction, or goes on with the open one. Any agent may do it: the group's coordinator adds its group. */
  async add(transactionalId: string, producer: ProducerEpoch, added: PartsOfTransaction): Promise<TransactionAnswer> {
    return await retriable(this.#decide({ transactionalId, request: { kind: 'add', producer }, ...added }))
  }

  /** Whether the transaction is open and has the group. A primary read, which any agent may do. */
  async verifyGroup(transactionalId: string, producer: ProducerEpoch, groupId: string): Promise<TransactionAnswer> {
    const found = await this.find(transactionalId)
    const error = verifyError(found, producer, found?.groupIds.includes(groupId) === true)
    return error === undefined ? { kind: 'ok', row: found?.row } : { kind: 'rejected', error }
  }

  /** Whether the transaction is open and has the partitions: undefined, or the error of each, in their order. A primary read, which any agent may do. */
  async verifyPartitions(
    transactionalId: string,
    producer: ProducerEpoch,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (TransactionRejection | undefined)[]> {
    const found = await this.find(transactionalId)
    const has = new Set(found?.partitions.map(({ topicId, partition }) => partitionKey(topicId, partition)))
    const [ofAdded, ofMissing] = [verifyError(found, producer, true), verifyError(found, producer, false)]
    return partitions.map(({ topicId, partition }) => (has.has(partitionKey(topicId, partition)) ? ofAdded : ofMissing))
  }

  /** EndTxn. When it settles, readers of this agent find the markers. `signal`: the client's connection. */
  async end(
    transactionalId: string,
    ending: { readonly producer: ProducerEpoch; readonly outcome: TransactionResult; readonly transactionVersion: 1 | 2 },
    signal: AbortSignal,
  ): Promise<TransactionAnswer> {
    this.check(transactionalId)
    if (ending.transactionVersion === 2) return await retriable(this.#decide({ transactionalId, request: { kind: 'end', ...ending } }))
    // The transaction that the request is about: in the older protocol the next one has the same epoch.
    const found = await this.find(transactionalId)
    // The producer may have repeated its request on another connection, and begun the next transaction while this one was read.
    if (signal.aborted) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    // Without a row the request is rejected before its number counts.
    const transactionNumber = found?.row.transactionNumber ?? 0
    return await retriable(this.#decide({ transactionalId, request: { kind: 'end', ...ending, transactionNumber } }))
  }

  /** Aborts the open transaction, if there is one: its producer has to go on with a new epoch. Any agent may do it, because Kafka's tool asks the owner of a partition. */
  async abort(transactionalId: string): Promise<TransactionAnswer> {
    return await retriable(this.#decide({ transactionalId, request: { kind: 'fence' } }))
  }

  /** Aborts the open transaction if it has timed out; false if it has not. Rejects as the database does. */
  async abortTimedOut(transactionalId: string): Promise<boolean> {
    const answer = await this.#decide({ transactionalId, request: { kind: 'fence' }, onlyIf: { kind: 'timed out' } })
    return answer.kind === 'ok' && answer.row?.state === 'CompleteAbort'
  }

  /** Removes an id that was not changed for `unusedMs`, unless a transaction is open. Rejects as the database does. */
  async expire(transactionalId: string, unusedMs: number): Promise<void> {
    await this.#decide({ transactionalId, request: { kind: 'expire' }, onlyIf: { kind: 'unused', unusedMs } })
  }

  /** The present row of an id, and what its open transaction has. A primary read, which any agent may do. Undefined: the id is not known. */
  async find(transactionalId: string): Promise<FoundTransaction | undefined> {
    return await retriable(this.#parts.store.find(transactionalId))
  }

  /** Throws a KafkaError if this agent does not coordinate the id. */
  check(transactionalId: string): void {
    if (!this.isMine(transactionalId)) throw new KafkaError('NOT_COORDINATOR')
  }

  isMine(transactionalId: string): boolean {
    return this.#parts.owners.ofName(transactionalId).mine
  }

  async #decide(asked: Omit<TransactionalRequest, 'incarnation' | 'newProducerId'>): Promise<TransactionAnswer> {
    const { store, incarnation, newProducerId } = this.#parts
    const input = { ...asked, incarnation }
    let answer = await store.decide(input)
    while (answer.kind === 'needs producer id') answer = await store.decide({ ...input, newProducerId: await newProducerId() })
    if (answer.kind === 'not owner') throw new KafkaError('NOT_COORDINATOR')
    if (answer.kind === 'rejected') return answer
    this.#publish(answer.grown)
    this.#report(answer.committed)
    return { kind: 'ok', row: answer.row }
  }

  #publish(grown: DecidedTransaction['grown']): void {
    const { tails } = this.#parts
    // An attempt whose answer was lost may have written markers: readers load the ends of all partitions again.
    if (grown === 'unknown') tails.forget(() => true)
    else tails.publish(grown)
  }

  #report(committed: DecidedTransaction['committed']): void {
    const { emit } = this.#parts
    if (committed === 'unknown') emit({ kind: 'offsets committed', groupId: null, partitions: 0 })
    else for (const { groupId, offsets } of committed) emit({ kind: 'offsets committed', groupId, partitions: offsets })
  }
}

function verifyError(found: FoundTransaction | undefined, producer: ProducerEpoch, isAdded: boolean): TransactionRejection | undefined {
  // Without a row the request is rejected before its number counts.
  const transactionNumber = found?.row.transactionNumber ?? 0
  const decision = decideTransaction(found?.row, { kind: 'verify', producer, isAdded, transactionNumber }, undefined)
  return decision.kind === 'rejected' ? decision.error : undefined
}
