// OffsetFetch 1–10. What was committed, of many groups from 8 on, by topic id from 10 on; a partition without a commit, or of a group that is not there, has offset -1.
// Left out: require-stable (7+) never has to refuse, for no transaction is pending; the member's epoch (9+) means nothing to a classic group, as in Kafka.
import {
  errors,
  OffsetFetch,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type Outcome,
  zeroUuid,
} from '@local-kafka-service/protocol'
import { partitionKey } from '../core/ids.ts'
import type { CommittedOffset, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { mayTouch, topicsById, topicsByName } from './access.ts'
import { eachGroup } from './group-access.ts'
import { handler, type RequestContext } from './handler.ts'

/** A null for all topics, and an error on top. */
const topErrorFrom = 2
const manyFrom = 8
const idsFrom = 10

export const offsetFetch = handler({
  api: OffsetFetch,
  access: { operation: 'DESCRIBE', resource: 'group' },
  async handle(request, context, services) {
    const query = { context, services }
    if (context.apiVersion >= manyFrom) {
      const groups: GroupResponse[] = []
      for (const group of request.groups) groups.push(await fetched(group, query))
      return { kind: 'now', response: { throttleTimeMs: 0, topics: [], errorCode: 0, groups } }
    }
    const { groupId, topics } = request
    const asked = topics === null ? null : topics.map((topic) => ({ ...topic, topicId: zeroUuid }))
    const one = await fetchedOf({ groupId, topics: asked }, query)
    if (one.kind === 'error') return { kind: 'now', response: refused(request, one.code, context.apiVersion) }
    return { kind: 'now', response: { throttleTimeMs: 0, topics: one.value, errorCode: 0, groups: [] } }
  },
  refuse: (request, { code }, apiVersion) => refused(request, code, apiVersion),
})

type GroupRequest = Pick<OffsetFetchRequest['groups'][number], 'groupId' | 'topics'>
type GroupResponse = NonNullable<OffsetFetchResponse['groups']>[number]
/** With the name and the id: each version writes its own. */
type TopicResponse = GroupResponse['topics'][number] & { readonly name: string }
type PartitionResponse = TopicResponse['partitions'][number]
type Query = { readonly context: RequestContext; readonly services: Services }

const none = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }

async function fetched(group: GroupRequest, query: Query): Promise<GroupResponse> {
  const { groupId } = group
  const outcome = await fetchedOf(group, query)
  return outcome.kind === 'ok' ? { groupId, topics: outcome.value, errorCode: 0 } : { groupId, topics: [], errorCode: outcome.code }
}

function fetchedOf({ groupId, topics }: GroupRequest, query: Query): Promise<Outcome<readonly TopicResponse[]>> {
  return eachGroup(groupId, { operation: 'DESCRIBE', ...query }, () =>
    topics === null ? allTopics(groupId, query) : askedTopics(groupId, topics, query),
  )
}

async function allTopics(groupId: string, query: Query): Promise<readonly TopicResponse[]> {
  const offsets = await query.services.groups.offsets(groupId)
  const byTopic = new Map<string, { readonly name: string; readonly topicId: string; readonly partitions: PartitionResponse[] }>()
  for (const { topic, topicId, ...offset } of offsets) {
    if (!mayTouch(topic, 'DESCRIBE', query)) continue
    const known = byTopic.get(topicId) ?? { name: topic, topicId, partitions: [] }
    known.partitions.push(partitionResponse(offset.partition, offset))
    byTopic.set(topicId, known)
  }
  return [...byTopic.values()]
}

async function askedTopics(groupId: string, topics: NonNullable<GroupRequest['topics']>, query: Query): Promise<readonly TopicResponse[]> {
  const found = await foundTopics(topics, query)
  const wanted = topics.flatMap(({ partitionIndexes }, at) => {
    const outcome = found[at]
    return outcome?.kind === 'ok' ? partitionIndexes.map((partition) => ({ topicId: outcome.value.topicId, partition })) : []
  })
  const offsets = await query.services.groups.offsets(groupId, wanted)
  const committed = new Map(offsets.map((offset) => [partitionKey(offset.topicId, offset.partition), offset]))
  return topics.map(({ name, topicId, partitionIndexes }, at) => {
    const outcome = found[at]
    const errorCode = outcome?.kind === 'error' ? missing(outcome.code) : 0
    return {
      name,
      topicId,
      partitions: partitionIndexes.map((partition) => {
        const offset = outcome?.kind === 'ok' ? committed.get(partitionKey(outcome.value.topicId, partition)) : undefined
        return offset === undefined ? { partitionIndex: partition, ...none, errorCode } : partitionResponse(partition, offset)
      }),
    }
  })
}

async function foundTopics(topics: NonNullable<GroupRequest['topics']>, query: Query): Promise<readonly (Outcome<Topic> | undefined)[]> {
  if (query.context.apiVersion >= idsFrom) {
    const byId = await topicsById(
      topics.map(({ topicId }) => topicId),
      { operation: 'DESCRIBE', ...query },
    )
    return topics.map(({ topicId }) => byId.get(topicId))
  }
  const byName = await topicsByName(
    topics.map(({ name }) => name),
    { operation: 'DESCRIBE', ...query },
  )
  return topics.map(({ name }) => byName.get(name))
}

/** A topic that is not there has no commits, which is no error; an id that nobody knows is one. */
function missing(code: number): number {
  return code === errors.UNKNOWN_TOPIC_OR_PARTITION.code || code === errors.INVALID_TOPIC_EXCEPTION.code ? 0 : code
}

function partitionResponse(
  partitionIndex: number,
  { offset, leaderEpoch, metadata }: Pick<CommittedOffset, 'offset' | 'leaderEpoch' | 'metadata'>,
): PartitionResponse {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}

function refused({ topics, groups }: OffsetFetchRequest, code: number, apiVersion: number): OffsetFetchResponse {
  if (apiVersion >= manyFrom)
    return { throttleTimeMs: 0, topics: [], errorCode: 0, groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode: code })) }
  if (apiVersion >= topErrorFrom) return { throttleTimeMs: 0, topics: [], errorCode: code, groups: [] }
  return {
    throttleTimeMs: 0,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...none, errorCode: code })),
    })),
    errorCode: 0,
    groups: [],
  }
}
