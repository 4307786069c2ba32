// InitProducerId 0–5. A fresh id with epoch 0 for an idempotent producer, whatever id it had before: so does Kafka, its clients raise the epoch themselves (KIP-360).
// Left out: transactional ids are refused until transactions exist.
import { InitProducerId, KafkaError } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'

export const initProducerId = handler({
  api: InitProducerId,
  // Kafka also lets pass whoever may write to any topic at all (KIP-679); a gate that knows ACLs decides so.
  access: { operation: 'IDEMPOTENT_WRITE', resource: 'cluster' },
  async handle({ transactionalId, producerId, producerEpoch }, _context, services) {
    if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'The transactional id is empty.')
    if ((producerId === -1) !== (producerEpoch === -1))
      throw new KafkaError('INVALID_REQUEST', 'A producer id needs an epoch, and an epoch a producer id.')
    if (transactionalId !== null) throw new KafkaError('UNSUPPORTED_VERSION', 'Transactions are not supported by this server yet.')
    return {
      kind: 'now',
      response: { throttleTimeMs: 0, errorCode: 0, producerId: await services.producerIds.next(), producerEpoch: 0 },
    }
  },
  refuse: (_request, { code }) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1, producerEpoch: -1 }),
})
