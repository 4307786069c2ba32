// CreatePartitions raises a topic's number of partitions; it never lowers it.
// - Versions: 0–3.
// - KIPs: 195.
// - A manual assignment must name one live broker for each new partition; it does not decide which agent owns a partition.
import { CreatePartitions, type CreatePartitionsRequest, errors, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { duplicatesOf, failure, mayTouch } from './access.ts'
import { handler } from './handler.ts'
import { replicasError } from './replica-assignments.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'owners'>

export const createPartitions = handler({
  api: CreatePartitions,
  access: { operation: 'ALTER', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const twice = duplicatesOf(request.topics.map(({ name }) => name))
    const results = Array.from(twice, (name) => result(name, failure('INVALID_REQUEST', 'Duplicate topic name.')))
    const slice = services.turns.slice()
    const living = await services.topics.living(request.topics.map(({ name }) => name))
    for (const topic of request.topics) {
      if (slice.spent(1)) await slice.next()
      if (!twice.has(topic.name)) results.push(result(topic.name, await grown(topic, request.validateOnly, { living, context, services })))
    }
    return { kind: 'now', response: { throttleTimeMs: 0, results } }
  },
  reject: ({ topics }, { code, message }) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode: code, errorMessage: message })),
  }),
})

type TopicRequest = CreatePartitionsRequest['topics'][number]
/** `living`: the topics that existed in one bulk read. Topics that are not in it do not exist; `grow` reads the others again. */
interface PartitionsQuery extends RequestScope<Uses> {
  readonly living: ReadonlySet<string>
}

async function grown({ name, count, assignments }: TopicRequest, dryRun: boolean, query: PartitionsQuery): Promise<Outcome<Topic>> {
  if (!mayTouch(name, 'ALTER', query)) return failure('TOPIC_AUTHORIZATION_FAILED')
  if (!query.living.has(name)) return failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${name}'.`)
  const { topics } = query.services
  if (assignments !== null) {
    // The check comes first, and against the current number of partitions: a rejected assignment must change nothing.
    const checked = await topics.grow({ name, partitions: count, dryRun: true })
    const before = checked.kind === 'ok' ? must((await topics.find([name], { autoCreate: false }))[0], 'the one topic asked for') : checked
    if (before.kind === 'error') return before
    const wrong = assignmentError(assignments, { added: count - before.value.partitions, ...before.value }, query)
    if (wrong !== undefined) return failure('INVALID_REPLICA_ASSIGNMENT', wrong)
  }
  return topics.grow({ name, partitions: count, dryRun })
}

function assignmentError(
  assignments: NonNullable<TopicRequest['assignments']>,
  { added, replicationFactor }: { readonly added: number; readonly replicationFactor: number },
  query: PartitionsQuery,
): string | undefined {
  if (assignments.length !== added)
    return `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
  return assignments.map(({ brokerIds }) => replicasError(brokerIds, replicationFactor, query)).find((error) => error !== undefined)
}

function result(
  name: string,
  outcome: Outcome<Topic>,
): { readonly name: string; readonly errorCode: number; readonly errorMessage: string | null } {
  if (outcome.kind === 'ok') return { name, errorCode: 0, errorMessage: null }
  // Kafka sends no text for an unknown topic; its clients have their own.
  const errorMessage = outcome.code === errors.UNKNOWN_TOPIC_OR_PARTITION.code ? null : (outcome.message ?? null)
  return { name, errorCode: outcome.code, errorMessage }
}
