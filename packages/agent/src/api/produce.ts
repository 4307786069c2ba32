// Produce appends one batch to each partition that the request names.
// - Versions: 3–13; topic ids in 13. ApiVersions lists 0 and up, because older librdkafka expects it.
// - KIPs: 98 (idempotence, transactions), 467 (record errors, 8+), 516 (topic ids), 890 (a transaction gets the partition by itself, 12+), 951 (the new leader in the answer).
// - core/log/validate.ts checks each batch.
// - acks = 1 waits for the commit, like acks = all.
// - Produce creates no topic; Metadata does.
// - recordErrors lists the records whose timestamps are out of range, or that have no key in a compacted topic; every other error is about the whole batch, as in Kafka.
// - Batches of partitions of other agents are forwarded to them. If that fails, no batch is written, and all are NOT_LEADER_OR_FOLLOWER. Transactional batches before 12 are
//   not forwarded: one that is delayed could become part of the next transaction.
// - Before 12 a transactional batch needs a partition that was added to the transaction that was open when the request arrived.
import {
  attributeBits,
  batchLayout,
  errors,
  KafkaError,
  type Outcome,
  Produce,
  type ProduceRequest,
  type ProduceResponse,
  readBatchHeader,
} from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId } from '../core/ids.ts'
import type { RecordError } from '../core/log/record-errors.ts'
import type { ProducerEpoch } from '../core/transaction/transaction-row.ts'
import { fixedLimits } from '../limits.ts'
import type { BatchOfTransaction, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { type AppendAnswer, type Appending, type AppendParts, append, type BatchToAppend, inTime } from '../write/append.ts'
import { codeOf, failure, repeatedPartitions, topicsById, topicsByName } from './access.ts'
import { currentLeader, endpointsOf } from './brokers.ts'
import { handler, type LateResponse, type Reply } from './handler.ts'
import { type ForwardedPart, Forwarding } from './produce-forwarding.ts'
import type { RequestContext, RequestScope } from './request-context.ts'
import { checkTransactionalId } from './transactional-id.ts'

const idsFrom = 13
/** The first version whose producers do not add their partitions. */
const addsFrom = 12
/** The first version whose clients know TRANSACTION_ABORTABLE. */
const abortableFrom = 11

type Uses = AppendParts &
  Pick<Services, 'topics' | 'gate' | 'owners' | 'tails' | 'ioClock' | 'transactionStore' | 'membership' | 'forwarder'>

export const produce = handler({
  api: Produce,
  access: { operation: 'WRITE', resource: 'topic' },
  silent: ({ acks }) => acks === 0,
  async handle(request, context, services: Uses) {
    if (request.acks < -1 || request.acks > 1) throw new KafkaError('INVALID_REQUIRED_ACKS')
    const transaction = await transactionOf(request, context, services)
    const { entries, batches } = await placed(request, context, services)
    const { apiVersion: produceVersion, signal } = context
    const forwarding = new Forwarding(request, batches, transaction, { context, services })
    await forwarding.first()
    const nowMs = services.clock.now()
    // The writer identifies the connection by its signal.
    const origin = { signal, source: signal, producer: signal }
    const appending = await append({ batches: forwarding.own(), scope: 'each', nowMs, produceVersion, transaction, ...origin }, services)
    await forwarding.again(appending)
    const forwarded = forwarding.outcome

    if (request.acks === 0) return { kind: 'none', close: anyRejected(entries, appending, forwarded) }
    const topics = request.topicData.map(({ name, topicId }) => ({ name, topicId }))
    // With acks = 1 Kafka's leader does not wait for replicas, so the client's time-out does not apply.
    const waitMs = request.acks === 1 ? fixedLimits.produceOneMs : request.timeoutMs
    return later({ topics, waitMs, entries, appending, forwarded, context, services })
  },
  reject: ({ topicData }, { code, message }) => ({
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ ...nowhere, index, errorCode: code, errorMessage: message })),
    })),
  }),
})

/** One partition of a request, without its bytes: the entry is kept until the answer, the bytes only until the admission. */
interface Entry {
  readonly topicAt: number
  readonly index: number
  readonly topic: Topic | undefined
  /** Undefined for an entry whose batch goes to `append`. */
  readonly rejection: PartitionRejection | undefined
}

interface PartitionRejection {
  readonly code: number
  readonly message?: string
  readonly recordErrors?: readonly RecordError[]
}

const nowhere = { baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 }

/** The transaction of the request's transactional batches; undefined if it has none. Throws a KafkaError if they cannot be part of one. */
async function transactionOf(
  { transactionalId, topicData }: ProduceRequest,
  context: RequestContext,
  services: Uses,
): Promise<BatchOfTransaction | undefined> {
  let producer: ProducerEpoch | undefined
  for (const { partitionData } of topicData)
    for (const { records } of partitionData) {
      if (records === null || !isTransactionalBatch(records)) continue
      const { producerId, producerEpoch } = readBatchHeader(records, 0)
      if (producer !== undefined && (producer.producerId !== producerId || producer.producerEpoch !== producerEpoch))
        throw new KafkaError('INVALID_PRODUCER_ID_MAPPING', 'The transactional batches of a request must have the same producer.')
      producer = { producerId, producerEpoch }
    }
  if (producer === undefined) return undefined
  if (transactionalId === null)
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'A transactional batch needs a transactional id.')
  checkTransactionalId(transactionalId, { context, services })
  if (context.apiVersion >= addsFrom) return { transactionalId, transactionNumber: null }
  // The transaction that is open now: a batch that is delayed over its end does not become part of the next one.
  const found = await services.transactionStore.find(transactionalId)
  // The producer may have repeated the batch on another connection, and begun the next transaction while this one was read.
  if (context.signal.aborted) throw new KafkaError('NOT_ENOUGH_REPLICAS')
  // The commit rejects a batch of an id without a row before the number counts.
  return { transactionalId, transactionNumber: found?.row.transactionNumber ?? 0 }
}

/** Without a check of the batch: only its attributes are read. */
function isTransactionalBatch(records: Uint8Array): boolean {
  if (records.length < batchLayout.records || records[batchLayout.magic] !== 2) return false
  return (must(records[batchLayout.attributes + 1], 'the attributes of a batch') & attributeBits.transactional) !== 0
}

/** Every entry, with its topic or the reason why it has none, and the batches of the entries that have one. */
async function placed(
  request: ProduceRequest,
  context: RequestContext,
  services: Uses,
): Promise<{ readonly entries: readonly Entry[]; readonly batches: readonly BatchToAppend[] }> {
  const { topicData } = request
  const query = { operation: 'WRITE', context, services } as const
  const byId = context.apiVersion >= idsFrom
  const found: ReadonlyMap<string, Outcome<Topic>> = byId
    ? await topicsById(
        topicData.map(({ topicId }) => topicId),
        query,
      )
    : await topicsByName(
        topicData.map(({ name }) => name),
        query,
      )
  const isRepeated = repeatedPartitions(
    topicData.map(({ name, topicId, partitionData }) => ({
      topic: byId ? topicId : name,
      partitions: partitionData.map(({ index }) => index),
    })),
  )
  const entries: Entry[] = []
  const batches: BatchToAppend[] = []
  const slice = services.turns.slice()
  for (const [topicAt, { name, topicId, partitionData }] of topicData.entries()) {
    const outcome = must(found.get(byId ? topicId : name), 'each topic that the request names')
    const topic = outcome.kind === 'ok' ? outcome.value : undefined
    for (const { index, records } of partitionData) {
      const duplicate = isRepeated(byId ? topicId : name, index)
        ? failure('INVALID_REQUEST', `Partition ${index} of this topic occurs more than once in the request.`)
        : undefined
      const rejection = outcome.kind === 'error' ? outcome : duplicate
      entries.push({ topicAt, index, topic, rejection })
      if (topic !== undefined && rejection === undefined) batches.push({ topic, partition: index, batch: records })
      if (slice.spent(1)) await slice.next()
    }
  }
  return { entries, batches }
}

async function anyRejected(entries: readonly Entry[], { definite }: Appending, { answers, appended }: ForwardedPart): Promise<boolean> {
  if (entries.some(({ rejection }) => rejection !== undefined)) return true
  if ([...answers.values()].some(({ errorCode }) => errorCode !== 0)) return true
  return (await definite).some(({ kind }, at) => kind === 'rejected' && !answers.has(appended?.[at] ?? at))
}

/** The input of an answer. It must not hold bytes of the request. */
interface Pending {
  readonly topics: readonly { readonly name: string; readonly topicId: TopicId }[]
  readonly waitMs: number
  readonly entries: readonly Entry[]
  /** Its answers are those of the batches that were not forwarded first, in order. */
  readonly appending: Appending
  readonly forwarded: ForwardedPart
  readonly context: RequestContext
  readonly services: Uses
}

/** A function of its own, whose closures cannot hold the bytes of the request. */
function later(pending: Pending): Reply<ProduceResponse> {
  const { topics, entries } = pending
  return {
    kind: 'later',
    response: answered(pending),
    reject: ({ code, message }) => ({
      responses: responsesOf(
        topics,
        entries,
        entries.map(({ index }) => ({ ...nowhere, index, errorCode: code, errorMessage: message })),
      ),
    }),
  }
}

async function answered({
  topics,
  waitMs,
  entries,
  appending,
  forwarded,
  context,
  services,
}: Pending): Promise<LateResponse<ProduceResponse>> {
  const answers = await inTime(appending, { waitMs, ioClock: services.ioClock })
  const leaders: number[] = []
  const partitions: PartitionResponse[] = []
  const slice = services.turns.slice()
  const { appended } = forwarded
  const own = appended && new Map(appended.map((at, index) => [at, answers[index]]))
  let batch = 0
  for (const entry of entries) {
    if (slice.spent(1)) await slice.next()
    const elsewhere = entry.rejection === undefined ? forwarded.answers.get(batch) : undefined
    if (elsewhere !== undefined) {
      batch += 1
      partitions.push(elsewhere)
      continue
    }
    const answer = entry.rejection ?? must(own === undefined ? answers[batch++] : own.get(batch++), 'the answer of each batch')
    const response = partitionResponse(entry, answer, { context, services })
    if (response.currentLeader?.leaderId !== undefined) leaders.push(response.currentLeader.leaderId)
    partitions.push(response)
  }
  return {
    response: { responses: responsesOf(topics, entries, partitions), nodeEndpoints: endpointsOf(leaders, context, services) },
    thenClose:
      forwarded.thenClose ||
      answers.some((answer) => answer.kind === 'rejected' && answer.thenClose) ||
      mayBeOvertaken(partitions, context),
  }
}

/**
 * A partition that has no owner now may have one for the client's next request, which would be a gap in the producer's sequence. OUT_OF_ORDER_SEQUENCE_NUMBER for it makes librdkafka take the
 * next epoch, and store again what other partitions had under way. So the connection ends, and the client sends all of them in order. A broker of Kafka rejects the next request like this one.
 */
function mayBeOvertaken(partitions: readonly PartitionResponse[], { forwarded }: RequestContext): boolean {
  return forwarded !== true && partitions.some(({ errorCode }) => errorCode === errors.NOT_LEADER_OR_FOLLOWER.code)
}

/** The responses of the partitions, which are in the order of the entries, by topic. */
function responsesOf(
  topics: Pending['topics'],
  entries: readonly Entry[],
  partitions: readonly PartitionResponse[],
): ProduceResponse['responses'] {
  const partitionsOf = topics.map((): PartitionResponse[] => [])
  for (const [at, { topicAt }] of entries.entries())
    must(partitionsOf[topicAt], 'the topic of each entry').push(must(partitions[at], 'the response of each entry'))
  return topics.flatMap((topic, topicAt) => {
    const partitionResponses = must(partitionsOf[topicAt], 'each topic of the request')
    return partitionResponses.length === 0 ? [] : [{ ...topic, partitionResponses }]
  })
}

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

function partitionResponse(
  { index, topic }: Entry,
  answer: PartitionRejection | AppendAnswer,
  { context, services }: RequestScope<Uses>,
): PartitionResponse {
  if ('kind' in answer && answer.kind === 'appended') {
    const { baseOffset, timestamp, logStartOffset } = answer
    return { index, errorCode: 0, baseOffset, logAppendTimeMs: timestamp, logStartOffset }
  }
  const { code, message, recordErrors } = 'code' in answer ? answer : rejectionOf(answer, context.apiVersion)
  return {
    index,
    errorCode: code,
    ...nowhere,
    errorMessage: message ?? null,
    // Like Kafka: the start of the log comes with record errors.
    ...(recordErrors !== undefined && {
      recordErrors,
      logStartOffset: (topic && services.tails.get(topic.topicId, index)?.logStartOffset) ?? -1,
    }),
    ...(code === errors.NOT_LEADER_OR_FOLLOWER.code &&
      topic !== undefined && { currentLeader: currentLeader(services, topic.topicId, index) }),
  }
}

function rejectionOf(answer: Exclude<AppendAnswer, { kind: 'appended' }>, apiVersion: number): PartitionRejection {
  if (answer.kind === 'unknown')
    return failure(
      'REQUEST_TIMED_OUT',
      'The time-out ended before the outcome was known; the write goes on, and the records may still be stored.',
    )
  const error = knownError(answer.error, apiVersion)
  const { message, recordErrors } = answer
  const text = kafkaText(answer.error, error) ?? message
  if (recordErrors !== undefined) return { code: codeOf(error), ...(text !== null && { message: text }), recordErrors }
  return { code: codeOf(error), ...(text !== null && { message: text }) }
}

type RejectionName = Extract<AppendAnswer, { kind: 'rejected' }>['error']

/** The text that Kafka sends with an error, if it sends one. `known`: the error as the client knows it. */
function kafkaText(error: RejectionName, known: RejectionName): string | undefined {
  if (error === 'INVALID_TIMESTAMP') return 'One or more records have been rejected due to invalid timestamp'
  return error !== known && known === 'INVALID_TXN_STATE' ? 'Partition was not added to the transaction' : undefined
}

/** The error as a client of this version knows it. */
function knownError(error: RejectionName, apiVersion: number): RejectionName {
  // A client that produces by name does not know topic ids.
  if (error === 'UNKNOWN_TOPIC_ID' && apiVersion < idsFrom) return 'UNKNOWN_TOPIC_OR_PARTITION'
  if (error === 'TRANSACTION_ABORTABLE' && apiVersion < abortableFrom) return 'INVALID_TXN_STATE'
  return error
}
