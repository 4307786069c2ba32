// OffsetDelete deletes a group's offsets of topics that no member subscribes to.
// - Versions: 0.
// - KIPs: 496.
// - A group of another protocol type than `consumer` must have no members.
import { errors, OffsetDelete, type OffsetDeleteResponse } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { checkGroup } from './group-access.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'groups'>

export const offsetDelete = handler({
  api: OffsetDelete,
  access: { operation: 'DELETE', resource: 'group' },
  async handle({ groupId, topics }, context, services: Uses) {
    checkGroup(groupId, { operation: 'DELETE', context, services })
    const found = await topicsByName(
      topics.map(({ name }) => name),
      { operation: 'READ', context, services },
    )
    const codeOf = (name: string, partition: number): number => {
      const topic = found.get(name)
      if (topic?.kind === 'ok' && partition >= 0 && partition < topic.value.partitions) return 0
      const denied = topic?.kind === 'error' && topic.code === errors.TOPIC_AUTHORIZATION_FAILED.code
      return denied ? topic.code : errors.UNKNOWN_TOPIC_OR_PARTITION.code
    }
    const wanted = topics.flatMap(({ name, partitions }) => {
      const topic = found.get(name)
      if (topic?.kind !== 'ok') return []
      const { topicId } = topic.value
      return partitions
        .filter(({ partitionIndex }) => codeOf(name, partitionIndex) === 0)
        .map(({ partitionIndex }) => ({ topic: name, topicId, partition: partitionIndex }))
    })
    const { error, subscribed } = await services.groups.deleteOffsets(groupId, wanted)
    if (error !== 'NONE') return { kind: 'now', response: rejected(errors[error].code) }
    const inUse = (name: string): boolean => subscribed === 'all' || subscribed.has(name)
    return {
      kind: 'now',
      response: {
        throttleTimeMs: 0,
        errorCode: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            const code = codeOf(name, partitionIndex)
            return { partitionIndex, errorCode: code === 0 && inUse(name) ? errors.GROUP_SUBSCRIBED_TO_TOPIC.code : code }
          }),
        })),
      },
    }
  },
  reject: (_request, { code }) => rejected(code),
})

function rejected(errorCode: number): OffsetDeleteResponse {
  return { throttleTimeMs: 0, errorCode, topics: [] }
}
