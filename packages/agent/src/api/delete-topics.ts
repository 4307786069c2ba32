// DeleteTopics 1–6, by name, from 6 on also by id. Soft: from the answer on the topic is not found; its objects go later.
import { DeleteTopics, type DeleteTopicsRequest, type DeleteTopicsResponse, type Outcome, zeroUuid } from '@local-kafka-service/protocol'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { duplicatesOf, failure, mayTouch } from './access.ts'
import { handler, type RequestContext } from './handler.ts'

export const deleteTopics = handler({
  api: DeleteTopics,
  access: { operation: 'DELETE', resource: 'topic' },
  async handle(request, context, services) {
    const targets = targetsOf(request)
    const names = duplicatesOf(namesOf(targets))
    const ids = duplicatesOf(targets.flatMap(({ topicId }) => (topicId === zeroUuid ? [] : [topicId])))
    const responses: Response[] = []
    const slice = services.turns.slice()
    const [living, byId] = [await services.topics.living([...new Set(namesOf(targets))]), await namedById(targets, services)]
    for (const target of targets) {
      if (slice.spent(1)) await slice.next()
      const { name, topicId } = target
      const duplicate = (name !== null && names.has(name)) || ids.has(topicId)
      responses.push(
        duplicate
          ? answer(target, failure('INVALID_REQUEST', 'The topic occurs twice in the request.'))
          : await deleted(target, { living, byId, context, services }),
      )
    }
    return { kind: 'now', response: { throttleTimeMs: 0, responses } }
  },
  refuse: (request, { code, message }) => ({
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

function namesOf(targets: readonly Target[]): readonly string[] {
  return targets.flatMap(({ name }) => (name === null ? [] : [name]))
}

async function namedById(targets: readonly Target[], services: Services): Promise<ReadonlyMap<string, Outcome<Topic>>> {
  const topicIds = [...new Set(targets.flatMap(({ name, topicId }) => (name === null ? [topicId] : [])))]
  const found = await services.topics.findById(topicIds)
  return new Map(topicIds.map((topicId, at) => [topicId, found[at] ?? failure('UNKNOWN_TOPIC_ID')]))
}

/** What was read in bulk says what is not there; each deletion looks again at what is. */
interface Query {
  readonly living: ReadonlySet<string>
  readonly byId: ReadonlyMap<string, Outcome<Topic>>
  readonly context: RequestContext
  readonly services: Services
}

async function deleted(target: Target, { living, byId, context, services }: Query): Promise<Response> {
  const { name, topicId } = target
  if (name !== null && topicId !== zeroUuid)
    return answer(target, failure('INVALID_REQUEST', 'A topic is deleted by its name or by its id, not by both.'))
  if (name !== null) {
    if (!mayTouch(name, 'DELETE', { context, services })) return answer(target, failure('TOPIC_AUTHORIZATION_FAILED'))
    if (!living.has(name)) return answer(target, failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic '${name}'.`))
    const outcome = await services.topics.delete({ name })
    return outcome.kind === 'ok' ? { name, topicId: outcome.value.topicId, errorCode: 0 } : answer(target, outcome)
  }
  const found = byId.get(topicId)
  if (found?.kind !== 'ok') return answer(target, found ?? failure('UNKNOWN_TOPIC_ID'))
  if (!mayTouch(found.value.name, 'DELETE', { context, services })) return answer(target, failure('TOPIC_AUTHORIZATION_FAILED'))
  const outcome = await services.topics.delete({ topicId })
  return outcome.kind === 'ok' ? { name: found.value.name, topicId, errorCode: 0 } : answer(target, outcome)
}

function answer({ name, topicId }: Target, { code, message }: { readonly code: number; readonly message?: string }): Response {
  return { name, topicId, errorCode: code, errorMessage: message ?? null }
}
