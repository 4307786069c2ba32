// DeleteTopics deletes topics by name or by id.
// - Versions: 1–6; topic ids from 6 on.
// - KIPs: 516 (topic ids).
// - After the answer the topic is unknown; its objects are deleted later.
import {
  DeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
  errors,
  type Outcome,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import type { Slice } from '../time/turns.ts'
import { failure, mayTouch, Occurrences } from './access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate'>

export const deleteTopics = handler({
  api: DeleteTopics,
  access: { operation: 'DELETE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const { once, responses } = await distinct(request, services)
    const slice = services.turns.slice()
    const names = await namesOf(once, slice)
    const [living, byId] = [await services.topics.living(names), await namedById(once, services)]
    const identified = namedTwice(names, byId)
    for (const target of once) {
      if (slice.spent(1)) await slice.next()
      const topic = identified.get(target.name ?? target.topicId)
      if (topic === undefined || !mayTouch(topic.name, 'DELETE', { context, services }))
        responses.push(await deleted(target, { living, byId, context, services }))
      else if (target.name !== null)
        responses.push(answer(topic, failure('INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.')))
    }
    return { kind: 'now', response: { throttleTimeMs: 0, responses } }
  },
  reject: (request, { code, message }) => ({
    throttleTimeMs: 0,
    responses: targetsOf(request).map((target) => answer(target, { code, ...(message !== null && { message }) })),
  }),
})

interface Target {
  readonly name: string | null
  readonly topicId: string
}
type Response = DeleteTopicsResponse['responses'][number]

function targetsOf({ topics, topicNames }: DeleteTopicsRequest): readonly Target[] {
  return [...topics, ...topicNames.map((name) => ({ name, topicId: zeroUuid }))]
}

/** The targets that occur once, and the answers of the others. */
async function distinct(
  request: DeleteTopicsRequest,
  { turns }: Uses,
): Promise<{ readonly once: readonly Target[]; readonly responses: Response[] }> {
  const targets = targetsOf(request)
  const slice = turns.slice()
  const [names, ids] = [new Occurrences(), new Occurrences()]
  for (const { name, topicId } of targets) {
    if (name !== null) names.add(name)
    if (topicId !== zeroUuid) ids.add(topicId)
    if (slice.spent(1)) await slice.next()
  }
  const once: Target[] = []
  for (const target of targets) {
    if (!(target.name !== null && names.twice.has(target.name)) && !ids.twice.has(target.topicId)) once.push(target)
    if (slice.spent(1)) await slice.next()
  }
  const responses = [
    ...Array.from(names.twice, (name) => answer({ name, topicId: zeroUuid }, failure('INVALID_REQUEST', 'Duplicate topic name.'))),
    ...Array.from(ids.twice, (topicId) => answer({ name: null, topicId }, failure('INVALID_REQUEST', 'Duplicate topic id.'))),
  ]
  return { once, responses }
}

async function namesOf(targets: readonly Target[], slice: Slice): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name } of targets) {
    if (name !== null) names.push(name)
    if (slice.spent(1)) await slice.next()
  }
  return names
}

async function namedById(targets: readonly Target[], services: Uses): Promise<ReadonlyMap<string, Outcome<Topic>>> {
  const slice = services.turns.slice()
  const distinctIds = new Set<string>()
  for (const { name, topicId } of targets) {
    if (name === null) distinctIds.add(topicId)
    if (slice.spent(1)) await slice.next()
  }
  const topicIds = [...distinctIds]
  const found = await services.topics.findById(topicIds)
  return new Map(topicIds.map((topicId, at) => [topicId, must(found[at], 'each id asked for')]))
}

/** The topics that one entry gives by name and another by id, under both keys. */
function namedTwice(given: readonly string[], byId: DeletionQuery['byId']): ReadonlyMap<string, Topic> {
  if (byId.size === 0) return new Map()
  const names = new Set(given)
  const topics = [...byId.values()].flatMap((found) => (found.kind === 'ok' && names.has(found.value.name) ? [found.value] : []))
  return new Map(topics.flatMap((topic) => [[topic.name, topic] as const, [topic.topicId, topic] as const]))
}

/** The result of bulk reads. Topics that are missing in them do not exist; `delete` reads the others again. */
interface DeletionQuery extends RequestScope<Uses> {
  readonly living: ReadonlySet<string>
  readonly byId: ReadonlyMap<string, Outcome<Topic>>
}

async function deleted(target: Target, { living, byId, context, services }: DeletionQuery): Promise<Response> {
  const { name, topicId } = target
  if (name !== null && topicId !== zeroUuid)
    return answer(target, failure('INVALID_REQUEST', 'You may not specify both topic name and topic id.'))
  if (name === null && topicId === zeroUuid) return answer(target, failure('INVALID_REQUEST', 'Neither topic name nor id were specified.'))
  if (name !== null) {
    if (!mayTouch(name, 'DELETE', { context, services })) return answer(target, failure('TOPIC_AUTHORIZATION_FAILED'))
    if (!living.has(name)) return answer(target, failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${name}'.`))
    const outcome = await services.topics.delete({ name })
    return outcome.kind === 'ok' ? { name, topicId: outcome.value.topicId, errorCode: 0 } : answer(target, outcome)
  }
  const found = must(byId.get(topicId), 'each id asked for')
  if (found.kind === 'error') return answer(target, found)
  if (!mayTouch(found.value.name, 'DELETE', { context, services })) return answer(target, failure('TOPIC_AUTHORIZATION_FAILED'))
  const outcome = await services.topics.delete({ topicId })
  return outcome.kind === 'ok' ? { name: found.value.name, topicId, errorCode: 0 } : answer(target, outcome)
}

function answer({ name, topicId }: Target, { code, message }: { readonly code: number; readonly message?: string }): Response {
  return { name, topicId, errorCode: code, errorMessage: notHosted.get(code) ?? message ?? null }
}

/** Kafka's texts for an unknown topic, which tools show. */
const notHosted: ReadonlyMap<number, string> = new Map([
  [errors.UNKNOWN_TOPIC_OR_PARTITION.code, 'This server does not host this topic-partition.'],
  [errors.UNKNOWN_TOPIC_ID.code, 'This server does not host this topic ID.'],
])
