// DescribeTopicPartitions describes topics page by page, in order of their names.
// - Versions: 0.
// - KIPs: 966.
// - The cursor names the first partition of the next page.
// - Left out: eligible leader replicas, which are always empty.
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  errors,
  KafkaError,
  type Outcome,
  zeroUuid,
} from '@local-kafka-service/protocol'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { mayTouch, topicsByName } from './access.ts'
import { authorizedOperations } from './authorized-operations.ts'
import { replicasOf } from './brokers.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

/** Kafka's max.request.partition.size.limit. */
const partitionsPerPage = 2_000

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'owners'>

export const describeTopicPartitions = handler({
  api: DescribeTopicPartitions,
  access: { operation: 'DESCRIBE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const { cursor } = request
    if (cursor !== null && cursor.partitionIndex < 0)
      throw new KafkaError('INVALID_REQUEST', `The cursor's partition ${cursor.partitionIndex} is not valid: use 0 or more.`)
    const found = await foundTopics(request, { context, services })
    if (cursor !== null && request.topics.length > 0 && !request.topics.some(({ name }) => name === cursor.topicName))
      throw new KafkaError('INVALID_REQUEST', `The list of topics must contain the topic of the cursor: ${cursor.topicName}`)
    const topics: TopicResponse[] = []
    let left = Math.max(1, Math.min(request.responsePartitionLimit, partitionsPerPage))
    for (const [name, outcome] of found) {
      if (cursor !== null && name < cursor.topicName) continue
      if (outcome.kind === 'error') {
        const topicAuthorizedOperations = authorizedOperations(context, services, { type: 'TOPIC', name })
        topics.push({ errorCode: outcome.code, name, topicId: zeroUuid, partitions: [], topicAuthorizedOperations })
        continue
      }
      const from = name === cursor?.topicName ? cursor.partitionIndex : 0
      const until = Math.min(outcome.value.partitions, from + left)
      if (left === 0) return page(topics, { topicName: name, partitionIndex: from })
      topics.push(described(outcome.value, { from, until }, { context, services }))
      left -= Math.max(0, until - from)
      if (until < outcome.value.partitions) return page(topics, { topicName: name, partitionIndex: until })
    }
    return page(topics, null)
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => ({ errorCode: code, name, topicId: zeroUuid, partitions: [] })),
  }),
})

type TopicResponse = DescribeTopicPartitionsResponse['topics'][number]

/** In order of name. A request without names is for every topic that the client may describe. */
async function foundTopics(
  { topics }: DescribeTopicPartitionsRequest,
  scope: RequestScope<Uses>,
): Promise<readonly (readonly [string, Outcome<Topic>])[]> {
  if (topics.length > 0) {
    const named = await topicsByName(
      topics.map(({ name }) => name),
      { operation: 'DESCRIBE', illegal: 'reported', ...scope },
    )
    return [...named].toSorted(([a], [b]) => (a < b ? -1 : 1))
  }
  const all = await scope.services.topics.list()
  return all
    .filter(({ name }) => mayTouch(name, 'DESCRIBE', scope))
    .map((topic) => [topic.name, { kind: 'ok', value: topic }] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function page(
  topics: readonly TopicResponse[],
  nextCursor: DescribeTopicPartitionsResponse['nextCursor'],
): { readonly kind: 'now'; readonly response: DescribeTopicPartitionsResponse } {
  return { kind: 'now', response: { throttleTimeMs: 0, topics, nextCursor } }
}

function described(
  topic: Topic,
  { from, until }: { readonly from: number; readonly until: number },
  { context, services }: RequestScope<Uses>,
): TopicResponse {
  const { topicId, name } = topic
  return {
    errorCode: 0,
    name,
    topicId,
    isInternal: false,
    partitions: Array.from({ length: Math.max(0, until - from) }, (_, at) => {
      const { leader, epoch } = services.owners.ofPartition(topicId, from + at)
      return {
        errorCode: leader === undefined ? errors.LEADER_NOT_AVAILABLE.code : 0,
        partitionIndex: from + at,
        leaderId: leader ?? -1,
        leaderEpoch: epoch,
        ...replicasOf(services, leader, topic),
        // Empty, not null: the Java client iterates them without a null check.
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        offlineReplicas: [],
      }
    }),
    topicAuthorizedOperations: authorizedOperations(context, services, { type: 'TOPIC', name }),
  }
}
