// OffsetCommit stores the offsets that a group has consumed.
// - Versions: 2–10; topic ids from 10 on.
// - KIPs: 211 (retention), 320 (leader epochs, 6+), 345 (static members, 7+), 848 (topic ids).
// - A member commits in its generation. While the group has no members, any client may commit with generation -1.
// - A retention in the request (2–4) counts from the commit, as in Kafka: with 0 the offsets may expire as soon as the group has no members.
// - Left out: the empty group id, which Kafka accepts from old clients, is INVALID_GROUP_ID.
// - Left out: an offset beyond 2^53, which no log here can have, is INVALID_REQUEST for its partition.
import { OffsetCommit, type OffsetCommitRequest, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { topicsById, topicsByName } from './access.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'
import { OffsetsToCommit } from './offsets-to-commit.ts'
import type { RequestScope } from './request-context.ts'

const idsFrom = 10
const serversRetention = -1

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'groups' | 'settings'>

export const offsetCommit = handler({
  api: OffsetCommit,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
    const { apiVersion, client, signal } = context
    checkGroup(groupId, { operation: 'READ', context, services })
    const found = await foundTopics(request, { context, services })
    const commit = await OffsetsToCommit.of(request.topics, found, services)
    if (commit.asksGroup || request.topics.length === 0) {
      const claim = { memberId, groupInstanceId, generation: generationIdOrMemberEpoch, connection: client.connectionId }
      const asked = { kind: 'commit', version: apiVersion, transactional: false, ...claim } as const
      const retention = request.retentionTimeMs === serversRetention ? {} : { retentionMs: request.retentionTimeMs }
      const offsets = commit.offsets.map((offset) => ({ ...offset, ...retention }))
      const { error, saved } = await services.groups.commitInSteps(groupId, asked, offsets, signal)
      if (error !== 'NONE') commit.reject(error, saved)
    }
    const topics = request.topics.map(({ name, topicId }, at) => ({
      name,
      topicId,
      partitions: must(commit.answers[at], 'the answers of each topic'),
    }))
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    })),
  }),
})

async function foundTopics({ topics }: OffsetCommitRequest, { context, services }: RequestScope<Uses>): Promise<readonly Outcome<Topic>[]> {
  const query = { operation: 'READ', context, services } as const
  if (context.apiVersion >= idsFrom) {
    const byId = await topicsById(
      topics.map(({ topicId }) => topicId),
      query,
    )
    return topics.map(({ topicId }) => must(byId.get(topicId), 'each id asked for'))
  }
  const byName = await topicsByName(
    topics.map(({ name }) => name),
    query,
  )
  return topics.map(({ name }) => must(byName.get(name), 'each name asked for'))
}
