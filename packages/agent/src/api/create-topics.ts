// CreateTopics creates topics with their configs.
// - Versions: 2–7.
// - KIPs: 464 (defaults), 516 (topic ids, 7+), 525 (configs in the answer, 5+).
// - -1 partitions means num.partitions; -1 replicas means 1. Every other number of replicas is kept and shown, because the object store replicates the data.
// - A manual assignment sets the number of partitions, and its brokers must be live; it does not decide which agent owns a partition.
// - Left out: configs that this server does not implement are INVALID_CONFIG.
import { CreateTopics, type CreateTopicsRequest, type CreateTopicsResponse, errors, type Outcome } from '@local-kafka-service/protocol'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Failure } from '../operations/topics.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { duplicatesOf, failure, mayTouch } from './access.ts'
import { configSources } from './config-sources.ts'
import { handler } from './handler.ts'
import { type Rejection, reportRejection } from './rejection.ts'
import { replicasError } from './replica-assignments.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'settings' | 'emit' | 'owners'>

export const createTopics = handler({
  api: CreateTopics,
  access: { operation: 'CREATE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const twice = duplicatesOf(request.topics.map(({ name }) => name))
    const reported = (name: string, why: Rejection): TopicResponse => {
      // Many programs create their topics at every start: the log does not report a topic that already exists.
      if (why.code !== errors.TOPIC_ALREADY_EXISTS.code)
        reportRejection(CreateTopics, { ...why, subject: `topic '${name}'` }, { context, services })
      return rejected(name, why)
    }
    const topics: TopicResponse[] = Array.from(twice, (name) => reported(name, failure('INVALID_REQUEST', 'Duplicate topic name.')))
    let partitions = 0
    const slice = services.turns.slice()
    for (const topic of request.topics) {
      if (slice.spent(1)) await slice.next()
      if (twice.has(topic.name)) continue
      const more = Math.max(
        topic.assignments.length,
        topic.numPartitions === -1 ? number(services.settings, 'num.partitions') : topic.numPartitions,
      )
      if (partitions + more > fixedLimits.partitionsPerRequest) {
        const message = `One request may create at most ${fixedLimits.partitionsPerRequest} partitions: create this topic in another request.`
        topics.push(reported(topic.name, await notMade(topic.name, failure('INVALID_PARTITIONS', message), { context, services })))
        continue
      }
      partitions += Math.max(0, more)
      const outcome = await created(topic, request.validateOnly, { context, services })
      topics.push(outcome.kind === 'ok' ? made(outcome.value, request.validateOnly, { context, services }) : reported(topic.name, outcome))
    }
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code, message }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => rejected(name, { code, message: message ?? undefined })),
  }),
})

type TopicRequest = CreateTopicsRequest['topics'][number]
type TopicResponse = CreateTopicsResponse['topics'][number]

async function created(topic: TopicRequest, dryRun: boolean, scope: RequestScope<Uses>): Promise<Outcome<Topic>> {
  const { name, configs } = topic
  const size = sizeOf(topic, scope)
  if (size.kind === 'error') return notMade(name, size, scope)
  if (!mayTouch(name, 'CREATE', scope)) return failure('TOPIC_AUTHORIZATION_FAILED')
  return scope.services.topics.create({
    name,
    ...size.value,
    configs: Object.fromEntries(configs.map((config) => [config.name, config.value])),
    dryRun,
  })
}

/** Only a client that may create the topic learns whether it exists. */
async function notMade(name: string, why: Failure, scope: RequestScope<Uses>): Promise<Failure> {
  return mayTouch(name, 'CREATE', scope) ? scope.services.topics.unlessExists(name, why) : failure('TOPIC_AUTHORIZATION_FAILED')
}

/** The numbers of partitions, -1 for num.partitions, and of replicas that the request asks for. */
function sizeOf(
  { numPartitions, replicationFactor, assignments }: TopicRequest,
  scope: RequestScope<Uses>,
): Outcome<{ readonly partitions: number; readonly replicationFactor: number }> {
  const [first] = assignments
  if (first === undefined) {
    if (replicationFactor !== -1 && replicationFactor < 1)
      return failure('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0, or -1 to use the default value.')
    return { kind: 'ok', value: { partitions: numPartitions, replicationFactor: replicationFactor === -1 ? 1 : replicationFactor } }
  }
  if (replicationFactor !== -1)
    return failure('INVALID_REQUEST', 'A manual partition assignment was specified, but replication factor was not set to -1.')
  if (numPartitions !== -1)
    return failure('INVALID_REQUEST', 'A manual partition assignment was specified, but numPartitions was not set to -1.')
  const indexes = new Set<number>()
  for (const { partitionIndex, brokerIds } of assignments) {
    const error = indexes.has(partitionIndex)
      ? `Found multiple manual partition assignments for partition ${partitionIndex}`
      : replicasError(brokerIds, first.brokerIds.length, scope)
    if (error !== undefined) return failure('INVALID_REPLICA_ASSIGNMENT', error)
    indexes.add(partitionIndex)
  }
  if (assignments.some((_, index) => !indexes.has(index)))
    return failure('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence')
  return { kind: 'ok', value: { partitions: assignments.length, replicationFactor: first.brokerIds.length } }
}

function made(topic: Topic, dryRun: boolean, scope: RequestScope<Uses>): TopicResponse {
  const { name, topicId, partitions, replicationFactor } = topic
  const base = { name, errorCode: 0, errorMessage: null, ...(!dryRun && { topicId }) }
  if (!mayTouch(name, 'DESCRIBE_CONFIGS', scope))
    return {
      ...base,
      topicConfigErrorCode: errors.TOPIC_AUTHORIZATION_FAILED.code,
      numPartitions: -1,
      replicationFactor: -1,
      configs: null,
    }
  return {
    ...base,
    numPartitions: partitions,
    replicationFactor,
    configs: scope.services.topics.configs(topic).map((config) => ({
      name: config.name,
      value: config.value,
      readOnly: false,
      configSource: configSources[config.source],
      isSensitive: false,
    })),
  }
}

function rejected(name: string, { code, message }: { readonly code: number; readonly message?: string | undefined }): TopicResponse {
  return { name, errorCode: code, errorMessage: message ?? null, configs: [] }
}
