// AddPartitionsToTxn adds partitions to a transaction, and begins it with the first ones. Producers that send Produce 12 do not need it.
// - Versions: 0–5. Clients send 0–3; brokers send 4 and 5, with many transactions, and may only ask whether a transaction has the partitions.
// - KIPs: 98, 588 (PRODUCER_FENCED, 2+), 890 (many transactions and verifications, 4+).
// - If one partition of a transaction is rejected, none is added, and the others are OPERATION_NOT_ATTEMPTED. Verified partitions have an answer each.
import { AddPartitionsToTxn, errors, KafkaError } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicPartition } from '../core/ids.ts'
import type { TransactionRejection } from '../core/transaction/transaction.ts'
import type { Services } from '../services.ts'
import { placeErrorCode, topicsByName } from './access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'
import { mayUseTransactionalId, rejectionName } from './transactional-id.ts'

const manyFrom = 4
const fencedFrom = 2

type Uses = Pick<Services, 'transactions' | 'topics' | 'turns' | 'gate'>

export const addPartitionsToTxn = handler({
  api: AddPartitionsToTxn,
  access: { operation: 'WRITE', resource: 'transactional id' },
  async handle(request, context, services: Uses) {
    const scope = { context, services }
    if (context.apiVersion < manyFrom) {
      const one = { ...request, ...ofOldVersion(request) }
      return { kind: 'now', response: { throttleTimeMs: 0, resultsByTopicV3AndBelow: await added(one, scope) } }
    }
    // From here on the request is one of a broker.
    if (!services.gate.authorize(context, 'CLUSTER_ACTION', { type: 'CLUSTER', name: 'kafka-cluster' }))
      throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
    const resultsByTransaction = []
    for (const one of request.transactions)
      resultsByTransaction.push({ transactionalId: one.transactionalId, topicResults: await added(one, scope) })
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, resultsByTransaction } }
  },
  reject: (request, { code }, apiVersion) =>
    apiVersion < manyFrom
      ? { throttleTimeMs: 0, resultsByTopicV3AndBelow: all(request.v3AndBelowTopics, code) }
      : {
          throttleTimeMs: 0,
          errorCode: code,
          resultsByTransaction: request.transactions.map(({ transactionalId, topics }) => ({
            transactionalId,
            topicResults: all(topics, code),
          })),
        },
})

interface TopicAsk {
  readonly name: string
  readonly partitions: readonly number[]
}

interface TransactionAsk {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: readonly TopicAsk[]
}

interface TopicResult {
  readonly name: string
  readonly resultsByPartition: readonly { readonly partitionIndex: number; readonly partitionErrorCode: number }[]
}

function ofOldVersion(request: {
  readonly v3AndBelowTransactionalId: string
  readonly v3AndBelowProducerId: number
  readonly v3AndBelowProducerEpoch: number
  readonly v3AndBelowTopics: readonly TopicAsk[]
}): TransactionAsk {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  }
}

async function added(ask: TransactionAsk, { context, services }: RequestScope<Uses>): Promise<readonly TopicResult[]> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = ask
  const { transactions } = services
  if (context.apiVersion < manyFrom && !mayUseTransactionalId(transactionalId, 'WRITE', { context, services }))
    return all(topics, errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code)
  if (transactionalId === '') return all(topics, errors.INVALID_REQUEST.code)
  const found = await topicsByName(
    topics.map(({ name }) => name),
    { operation: 'WRITE', context, services },
  )
  const partitions: TopicPartition[] = []
  const slice = services.turns.slice()
  let isRejected = false
  const results: { readonly name: string; readonly resultsByPartition: { partitionIndex: number; partitionErrorCode: number }[] }[] = []
  for (const { name, partitions: indexes } of topics) {
    const topic = must(found.get(name), 'each name asked for')
    const resultsByPartition = []
    for (const partition of indexes) {
      const code = placeErrorCode(topic, partition)
      if (code !== 0) isRejected = true
      else if (topic.kind === 'ok') partitions.push({ topicId: topic.value.topicId, partition })
      resultsByPartition.push({ partitionIndex: partition, partitionErrorCode: code })
      if (slice.spent(1)) await slice.next()
    }
    results.push({ name, resultsByPartition })
  }
  if (isRejected) return replaced(results, errors.OPERATION_NOT_ATTEMPTED.code)
  if (!transactions.isMine(transactionalId)) return all(topics, errors.NOT_COORDINATOR.code)
  const producer = { producerId, producerEpoch }
  const codeOf = (error: TransactionRejection): number => errors[rejectionName(error, context.apiVersion, fencedFrom)].code
  if (verifyOnly) {
    const found = await transactions.verifyPartitions(transactionalId, producer, partitions)
    const of = found.values()
    for (const one of results.flatMap(({ resultsByPartition }) => resultsByPartition)) {
      const error = of.next().value
      if (error !== undefined) one.partitionErrorCode = codeOf(error)
    }
    return results
  }
  const answer = await transactions.add(transactionalId, producer, { partitions })
  return answer.kind === 'ok' ? results : all(topics, codeOf(answer.error))
}

/** The results, with a code for those without an error. */
function replaced(results: readonly TopicResult[], code: number): readonly TopicResult[] {
  return results.map(({ name, resultsByPartition }) => ({
    name,
    resultsByPartition: resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
      partitionIndex,
      partitionErrorCode: partitionErrorCode === 0 ? code : partitionErrorCode,
    })),
  }))
}

function all(topics: readonly TopicAsk[], partitionErrorCode: number): readonly TopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode })),
  }))
}
