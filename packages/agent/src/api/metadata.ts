// Metadata answers the live agents, and topics with the leaders of their partitions.
// - Versions: 0–13; topics by id from 12 on.
// - KIPs: 430 (authorized operations, 8+), 516 (topic ids, 10+).
// - A missing topic is created when the request, auto.create.topics.enable and the client's rights all allow it.
import {
  errors,
  KafkaError,
  Metadata,
  type MetadataRequest,
  type MetadataResponse,
  type Outcome,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { mayTouch, topicsById, topicsByName } from './access.ts'
import { authorizedOperations, cluster } from './authorized-operations.ts'
import { brokersFor, replicasOf } from './brokers.ts'
import { handler } from './handler.ts'
import type { RequestContext, RequestScope } from './request-context.ts'

const idsFrom = 12

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'clusterId' | 'owners'>

export const metadata = handler({
  api: Metadata,
  access: { operation: 'DESCRIBE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const topics = await topicsOf(request, context, services)
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        brokers: brokersFor(context, services),
        clusterId: services.clusterId,
        // Every agent can do what Kafka's controller does; naming this one saves the client a connection.
        controllerId: services.owners.controllerId,
        topics,
        ...(request.includeClusterAuthorizedOperations && {
          clusterAuthorizedOperations: authorizedOperations(context, services, cluster),
        }),
      },
    }
  },
  reject: ({ topics }, { code }, apiVersion) => ({
    throttleTimeMs: 0,
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({
      errorCode: code,
      name: name ?? (apiVersion >= idsFrom ? null : ''),
      topicId,
      partitions: [],
    })),
    errorCode: code,
  }),
})

type TopicResponse = MetadataResponse['topics'][number]
interface MetadataQuery extends RequestScope<Uses> {
  readonly request: MetadataRequest
}

async function topicsOf(request: MetadataRequest, context: RequestContext, services: Uses): Promise<readonly TopicResponse[]> {
  const { apiVersion } = context
  const query = { request, context, services }
  const asked = request.topics
  // In version 0 an empty list means all topics.
  if (asked === null || (apiVersion === 0 && asked.length === 0)) {
    const all = await services.topics.list()
    return await eachTopic(all, query, (topic) => (mayTouch(topic.name, 'DESCRIBE', query) ? described(topic, query) : undefined))
  }
  if (apiVersion < idsFrom && asked.some(({ name, topicId }) => name === null || topicId !== zeroUuid))
    throw new KafkaError('INVALID_REQUEST', 'Topic ids are not supported before version 12 of Metadata.')
  const ids = asked.flatMap(({ name, topicId }) => (name === null || topicId !== zeroUuid ? [topicId] : []))
  // Like Kafka: a request that has an id is a request by id, so that no topic is described twice.
  const names = ids.length > 0 ? [] : asked.flatMap(({ name }) => (name === null ? [] : [name]))
  const byId = await topicsById(ids, { operation: 'DESCRIBE', context, services })
  const byName = await named(names, query)
  const ofNames = await eachTopic(new Set(names), query, (name) =>
    ofOutcome(must(byName.get(name), 'each name asked for'), { name, topicId: zeroUuid }, query),
  )
  return [
    ...ofNames,
    ...(await eachTopic(new Set(ids), query, (topicId) =>
      ofOutcome(must(byId.get(topicId), 'each id asked for'), { name: null, topicId }, query),
    )),
  ]
}

/** Other requests run between slices, because a cluster may have very many partitions and a request may name very many topics. */
async function eachTopic<T>(
  asked: Iterable<T>,
  { services }: MetadataQuery,
  shape: (one: T) => TopicResponse | undefined,
): Promise<readonly TopicResponse[]> {
  const slice = services.turns.slice()
  const topics: TopicResponse[] = []
  for (const one of asked) {
    const topic = shape(one)
    if (topic !== undefined) topics.push(topic)
    if (slice.spent(1 + (topic?.partitions.length ?? 0))) await slice.next()
  }
  return topics
}

/** A missing topic is created only for a client that may create it; for another client the topic is unknown. */
async function named(
  names: readonly string[],
  { request, context, services }: MetadataQuery,
): Promise<ReadonlyMap<string, Outcome<Topic>>> {
  const query = { operation: 'DESCRIBE', illegal: 'reported', context, services } as const
  if (!request.allowAutoTopicCreation) return topicsByName(names, query)
  const creators = names.filter((name) => mayTouch(name, 'CREATE', query))
  const may = new Set(creators)
  const others = names.filter((name) => !may.has(name))
  const made = await topicsByName(creators, { ...query, autoCreate: true })
  return others.length === 0 ? made : new Map([...made, ...(await topicsByName(others, query))])
}

function ofOutcome(
  outcome: Outcome<Topic>,
  asked: { readonly name: string | null; readonly topicId: string },
  query: MetadataQuery,
): TopicResponse {
  if (outcome.kind === 'ok') return described(outcome.value, query)
  return { errorCode: outcome.code, ...asked, partitions: [] }
}

function described(topic: Topic, { request, context, services }: MetadataQuery): TopicResponse {
  const { topicId, name, partitions } = topic
  return {
    errorCode: 0,
    name,
    topicId,
    isInternal: false,
    partitions: Array.from({ length: partitions }, (_, partitionIndex) => {
      const { leader, epoch } = services.owners.ofPartition(topicId, partitionIndex)
      return {
        errorCode: leader === undefined ? errors.LEADER_NOT_AVAILABLE.code : 0,
        partitionIndex,
        leaderId: leader ?? -1,
        leaderEpoch: epoch,
        ...replicasOf(services, leader, topic),
        offlineReplicas: [],
      }
    }),
    ...(request.includeTopicAuthorizedOperations && {
      topicAuthorizedOperations: authorizedOperations(context, services, { type: 'TOPIC', name }),
    }),
  }
}
