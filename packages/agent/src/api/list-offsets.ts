// ListOffsets 1–11. Always a primary read. The special timestamps: -1 latest, -2 earliest, -3 maximum timestamp (7+), -4 earliest local (8+).
// Left out: -5 and -6 (9+, 11+: tiered storage, we have none) answer -1.
import { errors, ListOffsets, type ListOffsetsRequest, type ListOffsetsResponse, type Outcome } from '@local-kafka-service/protocol'
import type { Topic } from '../metadata/metadata-store.ts'
import type { OffsetAnswer, OffsetAsk } from '../read/offsets.ts'
import type { Services } from '../services.ts'
import { repeatedPartitions, topicsByName } from './access.ts'
import { epochTrouble } from './brokers.ts'
import { handler } from './handler.ts'

const readCommittedLevel = 1
const epochsFrom = 4

export const listOffsets = handler({
  api: ListOffsets,
  access: { operation: 'DESCRIBE', resource: 'topic' },
  async handle(request, context, services) {
    const found = await topicsByName(
      request.topics.map(({ name }) => name),
      { operation: 'DESCRIBE', context, services },
    )
    const isRepeated = repeatedPartitions(
      request.topics.map(({ name, partitions }) => ({ topic: name, partitions: partitions.map(({ partitionIndex }) => partitionIndex) })),
    )
    const asks: OffsetAsk[] = []
    const asked = onceEach(request.topics, isRepeated)
    const places: Place[] = []
    const slice = services.turns.slice()
    for (const { name, partitions } of asked) {
      for (const partition of partitions) {
        const place = isRepeated(name, partition.partitionIndex)
          ? { code: errors.INVALID_REQUEST.code }
          : placeOf(partition, found.get(name), { request, apiVersion: context.apiVersion, services, asks })
        places.push(place)
        if (slice.spent(1)) await slice.next()
      }
    }
    const answers = await services.offsets.list(asks, context.signal)
    let at = 0
    const topics = asked.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }): PartitionResponse => {
        const place = places[at++]
        if (place !== undefined && 'askAt' in place)
          return answered(partitionIndex, asks[place.askAt], answers[place.askAt], { services, apiVersion: context.apiVersion })
        return { ...none, partitionIndex, errorCode: place?.code ?? errors.UNKNOWN_TOPIC_OR_PARTITION.code }
      }),
    }))
    return { kind: 'now', response: { throttleTimeMs: 0, topics } }
  },
  refuse: ({ topics }, { code }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ ...none, partitionIndex, errorCode: code })),
    })),
  }),
})

type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]
/** Where its answer comes from: an ask, or known already (code 0: there is no such offset). */
type Place = { readonly askAt: number } | { readonly code: number }

/** A partition that occurs twice is answered once, with its error; a topic without partitions is not answered. Both as in Kafka. */
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

/** The version that brought a special timestamp, and what it means; undefined where the answer is always -1. */
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
  topic: Outcome<Topic> | undefined,
  of: { readonly request: ListOffsetsRequest; readonly apiVersion: number; readonly services: Services; readonly asks: OffsetAsk[] },
): Place {
  if (topic?.kind !== 'ok') return { code: topic?.code ?? errors.UNKNOWN_TOPIC_OR_PARTITION.code }
  const { topicId, partitions } = topic.value
  const special = specials[timestamp]
  if (timestamp < 0 && (special === undefined || of.apiVersion < special.since)) return { code: errors.UNSUPPORTED_VERSION.code }
  const known = partitionIndex >= 0 && partitionIndex < partitions
  const trouble = known ? epochTrouble(of.services, { topicId, partition: partitionIndex, currentLeaderEpoch }) : undefined
  if (trouble !== undefined) return { code: errors[trouble].code }
  if (special !== undefined && special.at === undefined) return { code: 0 }
  const at = special?.at ?? { timestamp }
  const committed = at === 'latest' && of.request.isolationLevel === readCommittedLevel
  return { askAt: of.asks.push({ topicId, partition: partitionIndex, at: committed ? 'latest stable' : at }) - 1 }
}

function answered(
  partitionIndex: number,
  ask: OffsetAsk | undefined,
  answer: OffsetAnswer | undefined,
  { services, apiVersion }: { readonly services: Services; readonly apiVersion: number },
): PartitionResponse {
  if (answer?.kind === 'offset') {
    const { offset, timestamp, leaderEpoch } = answer
    return { partitionIndex, errorCode: 0, offset, timestamp, ...(apiVersion >= epochsFrom && offset !== -1 && { leaderEpoch }) }
  }
  const error = answer?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION'
  // Deleted elsewhere: the next request asks the database.
  if (error === 'UNKNOWN_TOPIC_OR_PARTITION' && ask !== undefined) services.catalog.forget(ask.topicId)
  return { ...none, partitionIndex, errorCode: errors[error].code }
}
