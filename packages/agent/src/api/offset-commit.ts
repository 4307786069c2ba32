// OffsetCommit stores the offsets that a group has consumed.
// - Versions: 2–10; topic ids from 10 on.
// - KIPs: 211 (retention), 320 (leader epochs, 6+), 345 (static members, 7+), 848 (topic ids).
// - A member commits in its generation. While the group has no members, any client may commit with generation -1.
// - A retention in the request (2–4) counts from the commit, as in Kafka: with 0 the offsets may expire as soon as the group has no members.
// - Left out: the empty group id, which Kafka accepts from old clients, is INVALID_GROUP_ID.
// - Left out: an offset beyond 2^53, which no log here can have, is INVALID_REQUEST for its partition.
import { errors, OffsetCommit, type OffsetCommitRequest, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { OffsetToCommit, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { topicsById, topicsByName } from './access.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

const idsFrom = 10
const serversRetention = -1
/** The decoder turns an int64 beyond the safe integers into this number. */
const beyond = Number.MAX_SAFE_INTEGER

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'groups' | 'settings'>

export const offsetCommit = handler({
  api: OffsetCommit,
  access: { operation: 'READ', resource: 'group' },
  async handle(request, context, services: Uses) {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch } = request
    const { apiVersion, client, signal } = context
    checkGroup(groupId, { operation: 'READ', context, services })
    const found = await foundTopics(request, { context, services })
    const longest = number(services.settings, 'offset.metadata.max.bytes')
    const retention = request.retentionTimeMs === serversRetention ? {} : { retentionMs: request.retentionTimeMs }
    const slice = services.turns.slice()
    const offsets: OffsetToCommit[] = []
    /** The answers that the group decides: those of `offsets`, in the same order, and those whose metadata is too long. */
    const waiting: PartitionOutcome[] = []
    const tooLong: PartitionOutcome[] = []
    const topics: { readonly name: string; readonly topicId: string; readonly partitions: PartitionOutcome[] }[] = []
    for (const [at, { name, topicId: id, partitions }] of request.topics.entries()) {
      const outcome = must(found[at], 'each topic that the request names')
      const answers: PartitionOutcome[] = []
      topics.push({ name, topicId: id, partitions: answers })
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
        if (slice.spent(1)) await slice.next()
        const answer: PartitionOutcome = { partitionIndex, errorCode: placeErrorCode(outcome, partitionIndex) }
        answers.push(answer)
        if (outcome.kind === 'error' || answer.errorCode !== 0) continue
        const metadata = committedMetadata ?? ''
        if (Math.abs(committedOffset) === beyond) answer.errorCode = errors.INVALID_REQUEST.code
        else if (metadata.length > longest) {
          answer.errorCode = errors.OFFSET_METADATA_TOO_LARGE.code
          tooLong.push(answer)
        } else {
          const { topicId } = outcome.value
          offsets.push({
            topicId,
            partition: partitionIndex,
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata,
            ...retention,
          })
          waiting.push(answer)
        }
      }
    }
    // Kafka's order of checks: the partition exists, then the group accepts the commit, then the metadata is short enough.
    if (waiting.length + tooLong.length > 0 || request.topics.length === 0) {
      const claim = { memberId, groupInstanceId, generation: generationIdOrMemberEpoch, connection: client.connectionId }
      const asked = { kind: 'commit', version: apiVersion, transactional: false, ...claim } as const
      const { error, saved } = await services.groups.commitInSteps(groupId, asked, offsets, signal)
      if (error !== 'NONE') for (const answer of [...waiting.slice(saved), ...tooLong]) answer.errorCode = errors[error].code
    }
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

interface PartitionOutcome {
  readonly partitionIndex: number
  errorCode: number
}

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

function placeErrorCode(topic: Outcome<Topic>, partition: number): number {
  if (topic.kind === 'error') return topic.code
  return partition >= 0 && partition < topic.value.partitions ? 0 : errors.UNKNOWN_TOPIC_OR_PARTITION.code
}
