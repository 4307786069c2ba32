// ListOffsets answers the first offset at or after a timestamp, or an end of the log.
// - Versions: 1–11.
// - KIPs: 79, 320 (leader epochs, 4+), 734 (maximum timestamp, 7+), 405 (earliest local, 8+).
// - Special timestamps: -1 latest, -2 earliest, -3 maximum timestamp (7+), -4 earliest local (8+).
// - Every answer is a primary read.
// - For a consumer of committed records the latest offset is the last stable one, and a time whose record is not stable yet has no offset (-1).
// - Left out: tiered storage. Its timestamps -5 (9+) and -6 (11+) answer -1.
import { errors, ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { OffsetAnswer, OffsetAsk } from '../read/offsets.ts'
import type { Services } from '../services.ts'
import { repeatedPartitions, topicsByName } from './access.ts'
import { epochError } from './brokers.ts'
import { handler } from './handler.ts'

const readCommittedLevel = 1
const epochsFrom = 4

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'offsets' | 'owners' | 'catalog'>

export const listOffsets = handler({
  api: ListOffsets,
  access: { operation: 'DESCRIBE', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const found = await topicsByName(
      request.topics.map(({ name }) => name),
      { operation: 'DESCRIBE', context, services },
    )
    const isRepeated = repeatedPartitions(
      request.topics.map(({ name, partitions }) => ({ topic: name, partitions: partitions.map(({ partitionIndex }) => partitionIndex) })),
    )
    const asks: OffsetAsk[] = []
    const asked = onceEach(request.topics, isRepeated)
    const places: OffsetSource[] = []
    const slice = services.turns.slice()
    for (const { name, partitions } of asked) {
      for (const partition of partitions) {
        const place = isRepeated(name, partition.partitionIndex)
          ? { code: errors.INVALID_REQUEST.code }
          : placeOf(partition, must(found.get(name), 'each topic that the request names'), {
              request,
              apiVersion: context.apiVersion,
              services,
              asks,
            })
        places.push(place)
        if (slice.spent(1)) await slice.next()
      }
    }
    const answers = await services.offsets.list(asks, context.signal)
    let at = 0
    const topics: ListOffsetsResponse['topics'][number][] = []
    for (const { name, partitions } of asked) {
      topics.push({
        name,
        partitions: partitions.map(({ partitionIndex }): PartitionResponse => {
          const place = must(places[at++], 'each partition that the request names')
          if ('code' in place) return { ...none, partitionIndex, errorCode: place.code }
          const ask = must(asks[place.askAt], 'the ask of a place')
          const answer = must(answers[place.askAt], 'each offset that was looked up')
          return answered(partitionIndex, ask, answer, { services, apiVersion: context.apiVersion })
        }),
      })
      if (slice.spent(partitions.length)) await slice.next()
    }
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  reject: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ ...none, partitionIndex, errorCode: code })),
    })),
  }),
})

type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]
/** The source of the answer: an ask, or a code that is known already (0: there is no such offset). */
type OffsetSource = { readonly askAt: number } | { readonly code: number }

/** Like Kafka: a partition that occurs twice has one answer, with its error, and a topic without partitions has none. */
function onceEach(
  topics: ListOffsetsRequest['topics'],
  isRepeated: (topic: string, partition: number) => boolean,
): ListOffsetsRequest['topics'] {
  const answered = new Set<string>()
  const isFirst = (name: string, partition: number): boolean => {
    if (!isRepeated(name, partition)) return true
    const key = `${name}/${partition}`
    if (answered.has(key)) return false
    answered.add(key)
    return true
  }
  return topics
    .map(({ name, partitions }) => ({ name, partitions: partitions.filter(({ partitionIndex }) => isFirst(name, partitionIndex)) }))
    .filter(({ partitions }) => partitions.length > 0)
}

const none = { timestamp: -1, offset: -1 }

/** The first version of a special timestamp, and its meaning; undefined when the answer is always -1. */
const specials: Readonly<Record<number, { readonly since: number; readonly at: OffsetAsk['at'] | undefined }>> = {
  [-1]: { since: 1, at: 'latest' },
  [-2]: { since: 1, at: 'earliest' },
  [-3]: { since: 7, at: 'max timestamp' },
  [-4]: { since: 8, at: 'earliest' },
  [-5]: { since: 9, at: undefined },
  [-6]: { since: 11, at: undefined },
}

function placeOf(
  { partitionIndex, timestamp, currentLeaderEpoch }: PartitionRequest,
  topic: Outcome<Topic>,
  of: { readonly request: ListOffsetsRequest; readonly apiVersion: number; readonly services: Uses; readonly asks: OffsetAsk[] },
): OffsetSource {
  if (topic.kind === 'error') return { code: topic.code }
  const { topicId } = topic.value
  const special = specials[timestamp]
  if (timestamp < 0 && (special === undefined || of.apiVersion < special.since)) return { code: errors.UNSUPPORTED_VERSION.code }
  const error = epochError(of.services, topic.value, { partition: partitionIndex, currentLeaderEpoch })
  if (error !== undefined) return { code: errors[error].code }
  if (special !== undefined && special.at === undefined) return { code: 0 }
  const at = special?.at ?? { timestamp }
  const isCommitted = of.request.isolationLevel === readCommittedLevel
  const ask = { topicId, partition: partitionIndex, at: isCommitted && at === 'latest' ? 'latest stable' : at, isCommitted } as const
  return { askAt: of.asks.push(ask) - 1 }
}

function answered(
  partitionIndex: number,
  ask: OffsetAsk,
  answer: OffsetAnswer,
  { services, apiVersion }: { readonly services: Uses; readonly apiVersion: number },
): PartitionResponse {
  if (answer.kind === 'offset') {
    const { offset, timestamp, leaderEpoch } = answer
    return { partitionIndex, errorCode: 0, offset, timestamp, ...(apiVersion >= epochsFrom && offset !== -1 && { leaderEpoch }) }
  }
  const { error } = answer
  // Another agent deleted the topic: the next request looks it up in the database.
  if (error === 'UNKNOWN_TOPIC_OR_PARTITION') services.catalog.forget(ask.topicId)
  return { ...none, partitionIndex, errorCode: errors[error].code }
}
