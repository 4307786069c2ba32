// DescribeProducers answers the idempotent and transactional producers that a partition remembers, with their last sequences and open transactions. A primary read.
// - Versions: 0.
// - KIPs: 664.
// - Left out: the epoch of the last coordinator, which is -1: markers are rows, and only they have it.
import { DescribeProducers, type DescribeProducersResponse, errors, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { inSlices } from '../time/turns.ts'
import { topicsByName } from './access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'log' | 'settings'>
type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number]

export const describeProducers = handler({
  api: DescribeProducers,
  access: { operation: 'READ', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const names = request.topics.map(({ name }) => name)
    const found = await topicsByName(names, { operation: 'READ', illegal: 'reported', context, services })
    const topics = []
    for (const { name, partitionIndexes } of request.topics) {
      const topic = must(found.get(name), 'each topic that the request names')
      topics.push({ name, partitions: await described(partitionIndexes, topic, services) })
    }
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code, message }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => failed(partitionIndex, { code, message })),
    })),
  }),
})

async function described(
  indexes: readonly number[],
  topic: Outcome<Topic>,
  { log, settings, turns }: Pick<Uses, 'log' | 'settings' | 'turns'>,
): Promise<readonly PartitionResponse[]> {
  if (topic.kind === 'error') {
    const unknown = topic.code === errors.UNKNOWN_TOPIC_OR_PARTITION.code
    const message = unknown ? 'This server does not host this topic-partition.' : (topic.message ?? null)
    return indexes.map((partitionIndex) => failed(partitionIndex, { code: topic.code, message }))
  }
  const { topicId } = topic.value
  const responses: PartitionResponse[] = []
  for await (const some of inSlices(indexes, turns, fixedLimits.partitionsWithProducersPerRead)) {
    const rows = await log.producers(
      some.map((partition) => ({ topicId, partition })),
      { expirationMs: number(settings, 'producer.id.expiration.ms') },
    )
    for (const [at, partitionIndex] of some.entries()) {
      const active = rows[at]
      responses.push(
        active === undefined
          ? // Kafka sends no text for a partition that does not exist.
            failed(partitionIndex, { code: errors.UNKNOWN_TOPIC_OR_PARTITION.code, message: null })
          : {
              partitionIndex,
              errorCode: 0,
              activeProducers: active.map(({ producerId, epoch, lastSequence, lastTimestamp, transactionFirstOffset }) => ({
                producerId,
                producerEpoch: epoch,
                lastSequence,
                lastTimestamp,
                coordinatorEpoch: -1,
                currentTxnStartOffset: transactionFirstOffset === undefined ? -1 : transactionFirstOffset,
              })),
            },
      )
    }
  }
  return responses
}

function failed(partitionIndex: number, { code, message }: { readonly code: number; readonly message: string | null }): PartitionResponse {
  return { partitionIndex, errorCode: code, errorMessage: message, activeProducers: [] }
}
