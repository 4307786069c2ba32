// Transactional ids for people: all of the cluster, one with the parts of its open transaction, and an abort of a transaction that hangs.
import { errors, type Outcome } from '@local-kafka-service/protocol'
import type { TransactionCoordinator } from '../coordinate/transactions.ts'
import { must } from '../core/assert.ts'
import type { TransactionState } from '../core/transaction/transaction-row.ts'
import type { FoundTransaction, ListedTransaction, TransactionStore } from '../metadata/transaction-store.ts'
import type { Turns } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { TopicOperations } from './topics.ts'

export interface TransactionOperationsParts {
  readonly transactions: Pick<TransactionCoordinator, 'find' | 'abort'>
  readonly transactionStore: Pick<TransactionStore, 'list'>
  readonly topics: Pick<TopicOperations, 'findById'>
  readonly owners: Pick<Owners, 'ofName'>
  readonly turns: Turns
}

export interface TransactionListing {
  readonly transactionalId: string
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** How many transactions the id has begun. */
  readonly transactionNumber: number
  /** When its open transaction began, in milliseconds since the epoch; undefined if none is open. */
  readonly beganAtMs: number | undefined
  /** The broker id of its coordinator; undefined while the slot has no owner that lives. */
  readonly coordinator: number | undefined
}

export interface TransactionDescription extends TransactionListing {
  /** The partitions of the open transaction, both in order. */
  readonly topics: readonly TopicOfTransaction[]
  /** The groups whose offsets it commits, in order. */
  readonly groups: readonly string[]
}

export interface TopicOfTransaction {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface TransactionFilter {
  /** Absent: all states. */
  readonly state?: TransactionState
  /** Only transactions that have been open for longer. */
  readonly openForMs?: number
  readonly maySee: (transactionalId: string) => boolean
}

/** Any agent answers for the whole cluster, by primary reads. Its methods reject with a KafkaError, COORDINATOR_NOT_AVAILABLE, while the database is unavailable. */
export class TransactionOperations {
  readonly #parts: TransactionOperationsParts

  constructor(parts: TransactionOperationsParts) {
    this.#parts = parts
  }

  /** All transactional ids, in order. */
  async list({ state, openForMs, maySee }: TransactionFilter): Promise<readonly TransactionListing[]> {
    const { transactionStore, turns } = this.#parts
    const listed: TransactionListing[] = []
    for await (const { transactionalId, row, beganAtMs, openMs } of everyTransaction(transactionStore, turns)) {
      if (state !== undefined && row.state !== state) continue
      if (openForMs !== undefined && (row.state !== 'Ongoing' || openMs <= openForMs)) continue
      if (maySee(transactionalId)) listed.push(this.#listing(transactionalId, { row, beganAtMs }))
    }
    return listed
  }

  async describe(
    transactionalId: string,
    { maySeeTopic }: { readonly maySeeTopic: (topic: string) => boolean },
  ): Promise<Outcome<TransactionDescription>> {
    const { transactions, topics } = this.#parts
    const found = await transactions.find(transactionalId)
    if (found === undefined) return unknownId(transactionalId)
    const partitions = await topicsOfTransaction(found, topics, maySeeTopic)
    return { kind: 'ok', value: { ...this.#listing(transactionalId, found), topics: partitions, groups: found.groupIds } }
  }

  /** Aborts the open transaction, and resolves with true; with false if none is open. Its producer can go on with a new epoch, as after a time-out. */
  async abort(transactionalId: string): Promise<Outcome<boolean>> {
    const { transactions } = this.#parts
    const before = await transactions.find(transactionalId)
    if (before === undefined) return unknownId(transactionalId)
    if (before.row.state !== 'Ongoing') return { kind: 'ok', value: false }
    const answer = await transactions.abort(transactionalId)
    return { kind: 'ok', value: answer.kind === 'ok' && answer.row?.state === 'CompleteAbort' }
  }

  #listing(
    transactionalId: string,
    { row, beganAtMs }: Pick<FoundTransaction & ListedTransaction, 'row' | 'beganAtMs'>,
  ): TransactionListing {
    const { state, producerId, producerEpoch, timeoutMs, transactionNumber } = row
    const coordinator = this.#parts.owners.ofName(transactionalId).leader
    return {
      transactionalId,
      state,
      producerId,
      producerEpoch,
      timeoutMs,
      transactionNumber,
      beganAtMs: state === 'Ongoing' ? beganAtMs : undefined,
      coordinator,
    }
  }
}

/** All transactional ids, in order, in turns. Rejects as the database does. */
export async function* everyTransaction(store: Pick<TransactionStore, 'list'>, turns: Turns): AsyncGenerator<ListedTransaction> {
  const slice = turns.slice()
  for (let after: string | undefined; ; ) {
    const page = await store.list(after)
    after = page.at(-1)?.transactionalId
    if (after === undefined) return
    for (const one of page) {
      yield one
      if (slice.spent(1)) await slice.next()
    }
  }
}

/** The partitions that an open transaction has, by topic in order of name. A topic that was deleted has no name. */
export async function topicsOfTransaction(
  { partitions }: Pick<FoundTransaction, 'partitions'>,
  topics: Pick<TopicOperations, 'findById'>,
  maySee: (topic: string) => boolean,
): Promise<readonly TopicOfTransaction[]> {
  const byTopic = Map.groupBy(partitions, ({ topicId }) => topicId)
  const known = await topics.findById([...byTopic.keys()])
  return known
    .flatMap((outcome): TopicOfTransaction[] => {
      if (outcome.kind === 'error' || !maySee(outcome.value.name)) return []
      const { name, topicId } = outcome.value
      const of = must(byTopic.get(topicId), 'a topic of the transaction').map(({ partition }) => partition)
      return [{ topic: name, partitions: of.toSorted((a, b) => a - b) }]
    })
    .toSorted((a, b) => (a.topic < b.topic ? -1 : 1))
}

function unknownId(transactionalId: string): Outcome<never> {
  return { kind: 'error', code: errors.TRANSACTIONAL_ID_NOT_FOUND.code, message: `There is no transactional id '${transactionalId}'.` }
}
