// Fetch answers whole batches of many partitions, within byte limits.
// - Versions: 4–18; topic ids from 13 on.
// - KIPs: 227 (fetch sessions), 320 (leader epochs), 392 (an agent in the client's rack), 516 (topic ids), 951 (the new leader in the answer).
// - A long poll blocks its own connection only.
// - An error of one partition ends the long poll at once.
// - Left out: followers, because there are none; tiered storage.
// - Left out: diverging epochs, because no log is ever truncated.
import {
  errors,
  Fetch,
  type FetchRequest,
  type FetchResponse,
  KafkaError,
  type KafkaErrorName,
  type Outcome,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { partitionKey } from '../core/ids.ts'
import { HeldMemory } from '../memory/held-memory.ts'
import type { Topic, Watermarks } from '../metadata/metadata-store.ts'
import { type AbortedByPartition, abortedIn } from '../read/aborted-transactions.ts'
import type { AnswerClaim } from '../read/answer-memory.ts'
import type { FetchAsk } from '../read/fetch-ask.ts'
import type { FetchAnswer } from '../read/reader.ts'
import type { SessionAsk, SessionFetch } from '../read/sessions.ts'
import { withoutSparseViews } from '../read/sparse-answers.ts'
import type { Services } from '../services.ts'
import { inSlices } from '../time/turns.ts'
import { topicsById, topicsByName } from './access.ts'
import { currentLeader, endpointsOf, epochError } from './brokers.ts'
import { handler } from './handler.ts'
import type { RequestContext, RequestScope } from './request-context.ts'

const idsFrom = 13
const readCommittedLevel = 1

type Uses = Pick<
  Services,
  'turns' | 'topics' | 'gate' | 'reader' | 'answerMemory' | 'fetchSessions' | 'owners' | 'catalog' | 'tails' | 'transactionStore'
>

export const fetch = handler({
  api: Fetch,
  access: { operation: 'READ', resource: 'topic' },
  async handle(request, context, services: Uses) {
    if (request.replicaId >= 0 || request.replicaState.replicaId >= 0)
      throw new KafkaError('INVALID_REQUEST', 'This server has no followers: fetch with replica id -1.')
    const session = services.fetchSessions.fetch({
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      byId: context.apiVersion >= idsFrom,
      asks: asksOf(request, context),
      forgotten: forgottenOf(request, context),
    })
    const places = await sentOn(await placesOf(session.asks, context, services), request, services)
    const claim = services.answerMemory.claim()
    const held = new HeldMemory()
    const release = (): void => {
      claim.release()
      held.release()
    }
    try {
      const answers = withoutSparseViews(
        await read(places, request, { context, services, claim, held }),
        held,
        services.answerMemory.heldRatio,
      )
      const isCommitted = request.isolationLevel === readCommittedLevel
      const aborted = isCommitted ? await abortedIn(asksAt(places), answers, services) : undefined
      const response = await responseOf({ request, session, places, answers, aborted, context, services })
      return { kind: 'now', response, sent: release }
    } catch (error) {
      release()
      throw error
    }
  },
  reject: ({ topics }, { code }, apiVersion) =>
    apiVersion >= 7 && (topics.length === 0 || !ofPartitions.has(code))
      ? { throttleTimeMs: 0, errorCode: code, sessionId: 0, responses: [] }
      : {
          throttleTimeMs: 0,
          responses: topics.map(({ topic, topicId, partitions }) => ({
            topic,
            topicId,
            partitions: partitions.map(({ partition }) => ({
              ...nothing,
              partitionIndex: partition,
              errorCode: code,
              abortedTransactions: null,
            })),
          })),
        },
})

/** One partition to read, or the reason why it cannot be read. */
type FetchPlace =
  | { readonly kind: 'there'; readonly session: SessionAsk; readonly ask: FetchAsk }
  /** The client is to fetch it from this broker. */
  | { readonly kind: 'sent on'; readonly session: SessionAsk; readonly replica: number; readonly watermarks: Watermarks }
  | { readonly kind: 'error'; readonly session: SessionAsk; readonly code: number; readonly topic: Topic | undefined }

/** A client expects these errors of a partition only. As errors of the whole fetch, they make it reset its session and never ask for the new leader. */
const ofPartitions: ReadonlySet<number> = new Set(
  (
    [
      'OFFSET_OUT_OF_RANGE',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_ID',
      'INCONSISTENT_TOPIC_ID',
      'TOPIC_AUTHORIZATION_FAILED',
      'LEADER_NOT_AVAILABLE',
      'NOT_LEADER_OR_FOLLOWER',
      'REPLICA_NOT_AVAILABLE',
      'FENCED_LEADER_EPOCH',
      'UNKNOWN_LEADER_EPOCH',
      'OFFSET_NOT_AVAILABLE',
      'CORRUPT_MESSAGE',
    ] as const satisfies readonly KafkaErrorName[]
  ).map((error) => errors[error].code),
)

/** Empty records are zero bytes, never null: librdkafka treats null as corrupt. */
const nothing = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, records: [] }

function asksOf({ topics }: FetchRequest, { apiVersion }: RequestContext): readonly SessionAsk[] {
  return topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }) => ({
      topic: apiVersion >= idsFrom ? topicId : topic,
      partition,
      fetchOffset,
      maxBytes: partitionMaxBytes,
      currentLeaderEpoch,
    })),
  )
}

function forgottenOf(
  { forgottenTopicsData }: FetchRequest,
  { apiVersion }: RequestContext,
): readonly { readonly topic: string; readonly partition: number }[] {
  return forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic: apiVersion >= idsFrom ? topicId : topic, partition })),
  )
}

async function placesOf(asks: readonly SessionAsk[], context: RequestContext, services: Uses): Promise<readonly FetchPlace[]> {
  const query = { operation: 'READ', context, services } as const
  const named = asks.map(({ topic }) => topic)
  const found: ReadonlyMap<string, Outcome<Topic>> = context.apiVersion >= idsFrom
    ? await topicsById(named, query)
    : await topicsByName(named, query)
  const placeOf = (session: SessionAsk): FetchPlace => {
    const outcome = must(found.get(session.topic), 'each topic that the request names')
    if (outcome.kind === 'error') return { kind: 'error', session, code: outcome.code, topic: undefined }
    const topic = outcome.value
    const { partition, fetchOffset, maxBytes, currentLeaderEpoch } = session
    const error = epochError(services, topic, { partition, currentLeaderEpoch })
    if (error !== undefined) return { kind: 'error', session, code: errors[error].code, topic }
    return { kind: 'there', session, ask: { topicId: topic.topicId, partition, offset: fetchOffset, maxBytes: Math.max(0, maxBytes) } }
  }
  const places: FetchPlace[] = []
  for await (const some of inSlices(asks, services.turns)) places.push(...some.map(placeOf))
  return places
}

/**
 * Like Kafka with its RackAwareReplicaSelector: a partition that this agent leads is sent on to its reader in the client's rack, if it has one and the offset exists. An
 * agent that does not lead it serves it, so that no client is sent on twice.
 */
async function sentOn(
  places: readonly FetchPlace[],
  { rackId }: Pick<FetchRequest, 'rackId'>,
  { owners, tails, turns }: Uses,
): Promise<readonly FetchPlace[]> {
  if (rackId === '' || rackId === owners.rack) return places
  // All partitions that an agent leads have the same reader.
  const replica = owners.readReplica(owners.brokerId, rackId)
  if (replica === undefined) return places
  const sent: FetchPlace[] = []
  for await (const some of inSlices(places, turns)) {
    const ends = await tails.loaded(asksAt(some))
    let at = 0
    for (const place of some) {
      if (place.kind !== 'there') {
        sent.push(place)
        continue
      }
      const { session, ask } = place
      const end = ends[at++]
      const isSentOn = end !== undefined && isWithin(end, ask.offset) && owners.ofPartition(ask.topicId, ask.partition).mine
      sent.push(isSentOn ? { kind: 'sent on', session, replica, watermarks: end } : place)
    }
  }
  return sent
}

function isWithin({ logStartOffset, highWatermark }: Watermarks, offset: number): boolean {
  return offset >= logStartOffset && offset <= highWatermark
}

/** One answer for each place that can be read, in order. If any other place has none, the fetch does not wait. */
function read(
  places: readonly FetchPlace[],
  request: FetchRequest,
  { context, services, claim, held }: RequestScope<Uses> & { readonly claim: AnswerClaim; readonly held: HeldMemory },
): Promise<readonly FetchAnswer[]> {
  const asks = asksAt(places)
  return services.reader.fetch(asks, {
    maxWaitMs: asks.length < places.length ? 0 : Math.max(0, request.maxWaitMs),
    minBytes: request.minBytes,
    maxBytes: Math.max(0, request.maxBytes),
    readCommitted: request.isolationLevel === readCommittedLevel,
    signal: context.signal,
    claim,
    held,
    ...(context.memory && { memory: context.memory }),
  })
}

/** Those that can be read. */
function asksAt(places: readonly FetchPlace[]): readonly FetchAsk[] {
  return places.flatMap((place) => (place.kind === 'there' ? [place.ask] : []))
}

interface AnsweredFetch extends RequestScope<Uses> {
  readonly request: FetchRequest
  readonly session: SessionFetch
  readonly places: readonly FetchPlace[]
  readonly answers: readonly FetchAnswer[]
  /** Undefined: the client reads uncommitted records. */
  readonly aborted: AbortedByPartition | undefined
}

type PartitionResponse = FetchResponse['responses'][number]['partitions'][number]

async function responseOf({ request, session, places, answers, aborted, context, services }: AnsweredFetch): Promise<FetchResponse> {
  const byTopic = new Map<string, PartitionResponse[]>()
  const leaders: number[] = []
  const slice = services.turns.slice()
  let answered = 0
  for (const place of places) {
    if (slice.spent(1)) await slice.next()
    const answer = place.kind === 'there' ? must(answers[answered++], 'each partition that was read') : undefined
    const partition = partitionResponse(place, answer, { request, aborted, services })
    const { highWatermark, logStartOffset = -1 } = partition
    const sizeBytes = answer?.kind === 'data' ? answer.sizeBytes : 0
    const [failed, redirected] = [partition.errorCode !== 0, place.kind === 'sent on']
    if (!session.include(place.session, { failed, redirected, sizeBytes, highWatermark, logStartOffset })) continue
    if (partition.currentLeader?.leaderId !== undefined) leaders.push(partition.currentLeader.leaderId)
    const partitions = byTopic.get(place.session.topic)
    if (partitions === undefined) byTopic.set(place.session.topic, [partition])
    else partitions.push(partition)
  }
  const byId = context.apiVersion >= idsFrom
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: session.sessionId,
    responses: Array.from(byTopic, ([topic, partitions]) => (byId ? { topicId: topic, partitions } : { topic, partitions })),
    nodeEndpoints: endpointsOf(leaders, context, services),
  }
}

function partitionResponse(
  place: FetchPlace,
  answer: FetchAnswer | undefined,
  { request, aborted, services }: Pick<AnsweredFetch, 'request' | 'aborted' | 'services'>,
): PartitionResponse {
  const partitionIndex = place.session.partition
  // A client that reads uncommitted records gets null; one that reads committed records gets the list of aborted transactions, which is often empty.
  const abortedTransactions = request.isolationLevel === readCommittedLevel ? [] : null
  if (answer?.kind === 'data') {
    const { highWatermark, lastStableOffset, logStartOffset, chunks } = answer
    const found = place.kind === 'there' ? aborted?.get(partitionKey(place.ask.topicId, partitionIndex)) : undefined
    const listed = found?.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })) ?? abortedTransactions
    const read = { highWatermark, lastStableOffset, logStartOffset, abortedTransactions: listed, records: chunks }
    return { partitionIndex, errorCode: 0, ...read }
  }
  if (place.kind === 'sent on') {
    const { highWatermark, lastStableOffset, logStartOffset } = place.watermarks
    const ends = { highWatermark, lastStableOffset, logStartOffset }
    return { partitionIndex, errorCode: 0, ...ends, abortedTransactions, preferredReadReplica: place.replica, records: [] }
  }
  const code = place.kind === 'error' ? place.code : errors[must(answer, 'a partition that was read').error].code
  const topicId = place.kind === 'there' ? place.ask.topicId : place.topic?.topicId
  // Another agent deleted the topic: the next request looks it up in the database.
  if (place.kind === 'there' && code === errors.UNKNOWN_TOPIC_OR_PARTITION.code) services.catalog.forget(place.ask.topicId)
  return {
    ...nothing,
    partitionIndex,
    errorCode: code,
    // Like Kafka at both isolation levels: an empty list when no log was asked, and null when it answers with an error.
    abortedTransactions: unasked.has(code) ? [] : null,
    ...(topicId !== undefined && movedCodes.has(code) && { currentLeader: currentLeader(services, topicId, partitionIndex) }),
  }
}

const unasked: ReadonlySet<number> = new Set(
  [errors.UNKNOWN_TOPIC_OR_PARTITION, errors.UNKNOWN_TOPIC_ID, errors.TOPIC_AUTHORIZATION_FAILED].map(({ code }) => code),
)
const moved: readonly KafkaErrorName[] = ['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH']
const movedCodes: ReadonlySet<number> = new Set(moved.map((error) => errors[error].code))
