// OffsetForLeaderEpoch answers where a leader epoch ended.
// - Versions: 2–4.
// - KIPs: 320.
// - No log is ever truncated, so every epoch up to the current one ends where the log ends.
// - The end of the log is a primary read.
import {
  errors,
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  type Outcome,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { OffsetAsk } from '../read/offsets.ts'
import type { Services } from '../services.ts'
import { topicsByName } from './access.ts'
import { epochError } from './brokers.ts'
import { handler } from './handler.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'offsets' | 'owners'>

export const offsetForLeaderEpoch = handler({
  api: OffsetForLeaderEpoch,
  access: { operation: 'DESCRIBE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const found = await topicsByName(
      request.topics.map(({ topic }) => topic),
      { operation: 'DESCRIBE', context, services },
    )
    const asks: OffsetAsk[] = []
    const places = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({
        ...partition,
        place: placeOf(partition, must(found.get(topic), 'each topic that the request names'), { services, asks }),
      })),
    }))
    const answers = await services.offsets.list(asks, context.signal)
    const topics = places.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, leaderEpoch, place }): PartitionResponse => {
        if ('code' in place) return { ...undefinedEnd, partition, errorCode: place.code }
        const answer = must(answers[place.askAt], 'each offset that was looked up')
        if (answer.kind === 'error') return { ...undefinedEnd, partition, errorCode: errors[answer.error].code }
        const past = leaderEpoch < 0 || leaderEpoch > answer.leaderEpoch
        return past ? { ...undefinedEnd, partition, errorCode: 0 } : { partition, errorCode: 0, leaderEpoch, endOffset: answer.offset }
      }),
    }))
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ ...undefinedEnd, partition, errorCode: code })),
    })),
  }),
})

type PartitionRequest = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]
type EndSource = { readonly askAt: number } | { readonly code: number }

const undefinedEnd = { leaderEpoch: -1, endOffset: -1 }

function placeOf(
  { partition, currentLeaderEpoch }: PartitionRequest,
  topic: Outcome<Topic>,
  of: { readonly services: Uses; readonly asks: OffsetAsk[] },
): EndSource {
  if (topic.kind === 'error') return { code: topic.code }
  const error = epochError(of.services, topic.value, { partition, currentLeaderEpoch })
  if (error !== undefined) return { code: errors[error].code }
  return { askAt: of.asks.push({ topicId: topic.value.topicId, partition, at: 'latest' }) - 1 }
}
