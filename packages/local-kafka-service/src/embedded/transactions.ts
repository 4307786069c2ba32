// The transactional ids of an embedded server, as its tests see them.
import type { AgentOperations, TransactionListing } from '@local-kafka-service/agent'
import { errors } from '@local-kafka-service/protocol'
import { rejectionOf, valueOf, withRejections } from './rejections.ts'
import type { KafkaTransaction } from './transaction.ts'

type Operations = Pick<AgentOperations, 'transactions'>

const seesAll = { maySee: () => true, maySeeTopic: () => true }

export class TransactionsOfTests {
  readonly #operations: Operations
  /** What the ids were at the last reset. Their producers may still be connected, so the ids stay, and are seen again when they are used. */
  #before: ReadonlyMap<string, string> = new Map()

  constructor(operations: Operations) {
    this.#operations = operations
  }

  /** All transactional ids that were used since the last reset, in order. */
  async list(): Promise<KafkaTransaction[]> {
    const { transactions } = this.#operations
    const found: KafkaTransaction[] = []
    for (const listing of await withRejections(transactions.list(seesAll))) {
      const { transactionalId } = listing
      if (this.#before.get(transactionalId) === useOf(listing)) continue
      const described = await withRejections(transactions.describe(transactionalId, seesAll))
      // It has expired since it was listed.
      if (described.kind === 'error' && described.code === errors.TRANSACTIONAL_ID_NOT_FOUND.code) continue
      const { beganAtMs, topics, groups, transactionNumber: _, ...same } = valueOf(described)
      const partitions = topics.flatMap(({ topic, partitions: numbers }) => numbers.map((partition) => ({ topic, partition })))
      found.push({ ...same, startedAt: beganAtMs === undefined ? undefined : new Date(beganAtMs), partitions, groups })
    }
    return found
  }

  /** Aborts every open transaction. */
  async reset(): Promise<void> {
    const { transactions } = this.#operations
    for (const { transactionalId } of await withRejections(transactions.list({ ...seesAll, state: 'Ongoing' }))) {
      const aborted = await withRejections(transactions.abort(transactionalId))
      if (aborted.kind === 'error' && aborted.code !== errors.TRANSACTIONAL_ID_NOT_FOUND.code) throw rejectionOf(aborted)
    }
    const left = await withRejections(transactions.list(seesAll))
    this.#before = new Map(left.map((listing) => [listing.transactionalId, useOf(listing)]))
  }
}

/** It changes with each request that changes the id. */
function useOf({ state, producerId, producerEpoch, transactionNumber }: TransactionListing): string {
  return `${state}/${producerId}/${producerEpoch}/${transactionNumber}`
}
