// WriteTxnMarkers aborts the transactions of producers: Kafka's admin client sends it for a transaction that hangs. The whole transaction is aborted, not only in the partitions of the request.
// - Versions: 1–2.
// - KIPs: 98, 664 (Admin.abortTransaction), 890 (2).
// - A producer without an open transaction in a partition is answered without an error, and nothing is written.
// - Left out: commits, which only Kafka's brokers send to one another. They are INVALID_REQUEST.
import { errors, WriteTxnMarkers, type WriteTxnMarkersRequest } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { ListedTransaction } from '../metadata/transaction-store.ts'
import { everyTransaction } from '../operations/transactions.ts'
import type { Services } from '../services.ts'
import { placeErrorCode, topicsByName } from './access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'transactions' | 'transactionStore' | 'topics' | 'turns' | 'gate'>
type AskedMarker = WriteTxnMarkersRequest['markers'][number]

export const writeTxnMarkers = handler({
  api: WriteTxnMarkers,
  access: { operation: 'CLUSTER_ACTION', resource: 'cluster' },
  async handle({ markers: asked }, context, services: Uses) {
    const open = await openTransactions(new Set(asked.map(({ producerId }) => producerId)), services)
    const markers = []
    for (const marker of asked) markers.push(await written(marker, open.get(marker.producerId), { context, services }))
    return { kind: 'now', response: { markers } }
  },
  reject: ({ markers }, { code }) => ({
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode: code })),
      })),
    })),
  }),
})

/** The open transactions of these producers, by producer id. It reads all transactional ids: such requests are rare. */
async function openTransactions(
  producerIds: ReadonlySet<number>,
  { transactionStore, turns }: Pick<Uses, 'transactionStore' | 'turns'>,
): Promise<ReadonlyMap<number, ListedTransaction>> {
  const open = new Map<number, ListedTransaction>()
  for await (const one of everyTransaction(transactionStore, turns))
    if (one.row.state === 'Ongoing' && producerIds.has(one.row.producerId)) open.set(one.row.producerId, one)
  return open
}

async function written(
  { producerId, producerEpoch, transactionResult, topics }: AskedMarker,
  open: ListedTransaction | undefined,
  scope: RequestScope<Uses>,
): Promise<{
  readonly producerId: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}> {
  const { transactions } = scope.services
  const names = topics.map(({ name }) => name)
  const found = await topicsByName(names, { operation: 'WRITE', ...scope })
  const parts = open && (await transactions.find(open.transactionalId))
  const has = new Set(parts?.partitions.map(({ topicId, partition }) => `${topicId}/${partition}`))
  let ends = false
  const answers = topics.map(({ name, partitionIndexes }) => {
    const topic = must(found.get(name), 'each name asked for')
    const partitions = partitionIndexes.map((partitionIndex) => {
      const missing = placeErrorCode(topic, partitionIndex)
      if (missing !== 0 || topic.kind === 'error') return { partitionIndex, errorCode: missing }
      if (transactionResult) return { partitionIndex, errorCode: errors.INVALID_REQUEST.code }
      if (open === undefined || !has.has(`${topic.value.topicId}/${partitionIndex}`)) return { partitionIndex, errorCode: 0 }
      if (producerEpoch < open.row.producerEpoch) return { partitionIndex, errorCode: errors.INVALID_PRODUCER_EPOCH.code }
      ends = true
      return { partitionIndex, errorCode: 0 }
    })
    return { name, partitions }
  })
  if (ends && open !== undefined) await transactions.abort(open.transactionalId)
  return { producerId, topics: answers }
}
