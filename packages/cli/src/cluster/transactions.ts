// Transactional ids of a cluster: lists and describes them, and aborts open transactions.
import { UserError } from 'local-kafka-service/internal/user-error'
import { noTransaction, rejection, unserved } from './client-errors.ts'
import type { ClusterClient } from './cluster-client.ts'
import { clusterState } from './cluster-metadata.ts'
import { type CoordinatorBroker, coordinatorOf } from './coordinator.ts'

export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'PrepareEpochFence',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
] as const
export type NamedTransactionState = (typeof transactionStates)[number]

export interface DescribedTransaction {
  readonly id: string
  readonly state: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Milliseconds since the epoch. Undefined: it has begun none since its last producer came. */
  readonly startedAtMs: number | undefined
  readonly coordinator: CoordinatorBroker
  /** Of its open transaction. */
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

export interface ListedTransactions {
  readonly states: readonly NamedTransactionState[]
  /** Only transactions that have been open for longer. */
  readonly openForMs: number | undefined
}

/** Sorted by id. Asks every broker for the transactional ids that it coordinates. */
export async function listTransactions(
  cluster: ClusterClient,
  { states, openForMs }: ListedTransactions,
): Promise<readonly DescribedTransaction[]> {
  const { brokers } = await clusterState(cluster, [])
  const { async: list, version } = cluster.version('ListTransactions', cluster.library.listTransactionsV2.api)
  // An older broker would leave the filter out.
  if (openForMs !== undefined && version < durationsFrom) throw unserved('a list of transactions by duration (ListTransactions 1)')
  const filter = openForMs === undefined ? states : (['Ongoing'] as const)
  const found = await Promise.all(
    brokers.map(async (broker) => {
      const connection = await cluster.connectionTo(broker)
      const listed = await cluster.withRetries(() => list(connection, [...filter], [], BigInt(openForMs ?? -1), null))
      const ids = listed.transactionStates.map(({ transactionalId }) => transactionalId)
      return await described(cluster, broker, ids)
    }),
  )
  return found.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Throws a UserError if the cluster does not know the id. */
export async function describeTransaction(cluster: ClusterClient, id: string): Promise<DescribedTransaction> {
  const coordinator = await coordinatorOf(cluster, 'TRANSACTION', id)
  const [found] = await described(cluster, coordinator, [id])
  if (found === undefined) throw noTransaction(id)
  return found
}

/**
 * Aborts the open transaction as a new producer of the id would: its producer is fenced, and fails for good. Throws a UserError if none is open.
 * Kafka's name for this request is `Admin.fenceProducers`.
 */
export async function abortTransaction(cluster: ClusterClient, id: string): Promise<void> {
  const { state, timeoutMs, coordinator } = await describeTransaction(cluster, id)
  if (state !== 'Ongoing')
    throw new UserError('LKS-4019', {
      what: `transactional id '${id}' has no open transaction`,
      why: `its state is ${state}`,
      fix: ['list the open transactions: lks transaction list --state Ongoing'],
    })
  const connection = await cluster.connectionTo(coordinator)
  const { async: init } = cluster.version('InitProducerId', cluster.library.initProducerIdV5.api)
  // Until it has aborted the transaction, Apache Kafka answers CONCURRENT_TRANSACTIONS.
  await cluster.withRetries(() => init(connection, id, timeoutMs))
}

const durationsFrom = 1
/** Ids in one request. */
const idsPerRequest = 500

/** Those that the coordinator still has. */
async function described(
  cluster: ClusterClient,
  coordinator: CoordinatorBroker,
  ids: readonly string[],
): Promise<readonly DescribedTransaction[]> {
  const { async: describe } = cluster.version('DescribeTransactions', cluster.library.describeTransactionsV0.api)
  const connection = await cluster.connectionTo(coordinator)
  const found: DescribedTransaction[] = []
  for (let from = 0; from < ids.length; from += idsPerRequest) {
    const asked = ids.slice(from, from + idsPerRequest)
    const { transactionStates: states } = await cluster.withRetries(() => cluster.partial(describe(connection, asked)))
    for (const one of states) {
      const { id: error, message } = cluster.errorOf(one.errorCode)
      if (error === 'TRANSACTIONAL_ID_NOT_FOUND') continue
      if (one.errorCode !== 0) throw rejection(error, `transactional id '${one.transactionalId}': ${message}`)
      const startedAtMs = Number(one.transactionStartTimeMs)
      found.push({
        id: one.transactionalId,
        state: one.transactionState,
        producerId: Number(one.producerId),
        producerEpoch: one.producerEpoch,
        timeoutMs: one.transactionTimeoutMs,
        startedAtMs: startedAtMs < 0 ? undefined : startedAtMs,
        coordinator,
        topics: one.topics,
      })
    }
  }
  return found
}
