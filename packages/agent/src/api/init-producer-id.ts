// InitProducerId gives an idempotent producer a new id, with epoch 0, and a transactional one the next epoch of its transactional id.
// - Versions: 0–5.
// - KIPs: 98, 360 (the current id and epoch in the request, 3+), 588 (PRODUCER_FENCED, 4+), 679 (authorization).
// - An idempotent producer that already has an id gets a new one, as in Kafka: clients raise the epoch themselves.
// - An open transaction of the transactional id is aborted before the answer: it is never CONCURRENT_TRANSACTIONS.
import { InitProducerId, type InitProducerIdRequest, KafkaError } from '@local-kafka-service/protocol'
import type { ProducerEpoch } from '../core/transaction/transaction-row.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'
import { acceptedRow, checkTransactionalId } from './transactional-id.ts'

/** Clients before it know only INVALID_PRODUCER_EPOCH. */
const fencedFrom = 4

type Uses = Pick<Services, 'producerIds' | 'transactions' | 'gate' | 'settings'>

export const initProducerId = handler({
  api: InitProducerId,
  // Kafka also allows a client that may write to any topic (KIP-679), and asks for the transactional id instead if there is one: a gate with ACLs has to do the same.
  access: { operation: 'IDEMPOTENT_WRITE', resource: 'cluster' },
  async handle(request, context, services: Uses) {
    const { producerId, producerEpoch } = await initialized(request, { context, services })
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, producerId, producerEpoch } }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1, producerEpoch: -1 }),
})

async function initialized(
  { transactionalId, transactionTimeoutMs, producerId, producerEpoch }: InitProducerIdRequest,
  { context, services }: RequestScope<Uses>,
): Promise<ProducerEpoch> {
  if (transactionalId !== null) checkTransactionalId(transactionalId, { context, services })
  if ((producerId === -1) !== (producerEpoch === -1))
    throw new KafkaError('INVALID_REQUEST', `Producer id ${producerId} has epoch ${producerEpoch}: set both, or set both to -1.`)
  if (transactionalId === null) return { producerId: await services.producerIds.next(), producerEpoch: 0 }
  const longestMs = number(services.settings, 'transaction.max.timeout.ms')
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > longestMs)
    throw new KafkaError(
      'INVALID_TRANSACTION_TIMEOUT',
      `A transaction time-out of ${transactionTimeoutMs} ms is not valid: use 1 to ${longestMs} ms (transaction.max.timeout.ms).`,
    )
  const expected = producerId === -1 ? undefined : { producerId, producerEpoch }
  const answer = await services.transactions.init(transactionalId, { timeoutMs: transactionTimeoutMs, expected })
  return acceptedRow(answer, context.apiVersion, fencedFrom)
}
