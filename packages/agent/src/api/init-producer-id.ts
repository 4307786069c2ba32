// InitProducerId gives an idempotent producer a new id, with epoch 0.
// - Versions: 0–5.
// - KIPs: 98, 360 (the current id and epoch in the request, 3+), 679 (authorization).
// - A producer that already has an id gets a new one, as in Kafka: clients raise the epoch themselves.
// - Left out: transactions. A transactional id is rejected.
import { InitProducerId, KafkaError } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'producerIds'>

export const initProducerId = handler({
  api: InitProducerId,
  // Kafka also allows a client that may write to any topic (KIP-679); a gate with ACLs has to do the same.
  access: { operation: 'IDEMPOTENT_WRITE', resource: 'cluster' },
  async handle({ transactionalId, producerId, producerEpoch }, _context, services: Uses) {
    if (transactionalId === '')
      throw new KafkaError('INVALID_REQUEST', 'The transactional id is empty: leave it out for an idempotent producer.')
    if ((producerId === -1) !== (producerEpoch === -1))
      throw new KafkaError('INVALID_REQUEST', `Producer id ${producerId} has epoch ${producerEpoch}: set both, or set both to -1.`)
    if (transactionalId !== null) throw new KafkaError('UNSUPPORTED_VERSION', 'Transactions are not supported by this server yet.')
    return {
      kind: 'now',
      response: { throttleTimeMs: 0, errorCode: 0, producerId: await services.producerIds.next(), producerEpoch: 0 },
    }
  },
  reject: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1, producerEpoch: -1 }),
})
