// Produce appends one batch to each partition that the request names.
// - Versions: 3–13; topic ids in 13. ApiVersions lists 0 and up, because older librdkafka expects it.
// - KIPs: 98 (idempotence), 467 (record errors, 8+), 516 (topic ids), 951 (the new leader in the answer).
// - core/log/validate.ts checks each batch.
// - acks = 1 waits for the commit, like acks = all.
// - Produce creates no topic; Metadata does.
// - recordErrors lists the records whose timestamps are out of range; every other error is about the whole batch, as in Kafka.
// - Left out: transactions, which are rejected.
import { errors, KafkaError, type Outcome, Produce, type ProduceRequest, type ProduceResponse } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId } from '../core/ids.ts'
import { type RecordError, timestampErrors } from '../core/log/record-errors.ts'
import { type AppendRules, validateBatch } from '../core/log/validate.ts'
import { limits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { appendRules } from '../operations/append-rules.ts'
import type { Services } from '../services.ts'
import { inSlices } from '../time/turns.ts'
import type { Admission, ProduceAnswer } from '../write/writer.ts'
import { codeOf, failure, repeatedPartitions, topicsById, topicsByName } from './access.ts'
import { currentLeader, endpointsOf } from './brokers.ts'
import { handler, type LateResponse, type RequestContext } from './handler.ts'

const idsFrom = 13

export const produce = handler({
  api: Produce,
  access: { operation: 'WRITE', resource: 'topic' },
  silent: ({ acks }) => acks === 0,
  async handle(request, context, services) {
    if (request.acks < -1 || request.acks > 1) throw new KafkaError('INVALID_REQUIRED_ACKS')
    if (request.transactionalId !== null) throw new KafkaError('INVALID_TXN_STATE', 'Transactions are not supported by this server yet.')
    const entries = await placed(request, context, services)
    await loaded(entries, services)
    const batches = request.topicData.flatMap(({ partitionData }) => partitionData.map(({ records }) => records))
    const sound = await validated(entries, batches, { context, services })
    const bytes = sound.reduce((sum, { batch }) => sum + batch.length, 0)
    const room = await services.writer.room(bytes, context.signal)

    const admitted = room ? await admittedInSlices(sound, context, services) : []
    if (!room)
      for (const entry of entries)
        entry.refusal ??= failure(
          'NOT_ENOUGH_REPLICAS',
          'The agent has no room for more records until others are stored: send the batch again.',
        )
    const answers = Promise.all(admitted.map((one) => one.answers)).then((all) => all.flat())

    if (request.acks === 0) return { kind: 'none', close: anyRefused(entries, answers) }
    const topics = request.topicData.map(({ name, topicId }) => ({ name, topicId }))
    // With acks = 1 Kafka's leader does not wait for replicas, so the client's time-out does not apply.
    const waitMs = request.acks === 1 ? limits.produceOneMs : request.timeoutMs
    const waiting = admitted.flatMap((one) => one.entries)
    return { kind: 'later', response: answered({ topics, waitMs, entries, waiting, answers, thenClose: !room, context, services }) }
  },
  refuse: ({ topicData }, { code, message }) => ({
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
  refusal: Refusal | undefined
}

interface Refusal {
  readonly code: number
  readonly message?: string
  readonly recordErrors?: readonly RecordError[]
}

/** Entries that were admitted together, and their answers in the same order. */
interface Admitted {
  readonly entries: readonly Entry[]
  readonly answers: Promise<readonly ProduceAnswer[]>
}

const nowhere = { baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 }

/** Every entry, with its topic or the reason why it has none. */
async function placed(request: ProduceRequest, context: RequestContext, services: Services): Promise<readonly Entry[]> {
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
  const slice = services.turns.slice()
  for (const [topicAt, { name, topicId, partitionData }] of topicData.entries()) {
    const outcome = must(found.get(byId ? topicId : name), 'each topic that the request names')
    const topic = outcome.kind === 'ok' ? outcome.value : undefined
    for (const { index } of partitionData) {
      const duplicate = isRepeated(byId ? topicId : name, index)
        ? failure('INVALID_REQUEST', `Partition ${index} of this topic occurs more than once in the request.`)
        : undefined
      entries.push({ topicAt, index, topic, refusal: outcome.kind === 'error' ? outcome : duplicate })
      if (slice.spent(1)) await slice.next()
    }
  }
  return entries
}

/** Loads the partitions that are not in memory. Only the database can say that a partition does not exist. */
async function loaded(entries: readonly Entry[], services: Services): Promise<void> {
  for await (const some of inSlices(entries, services.turns)) await loadedSome(some, services)
}

async function loadedSome(entries: readonly Entry[], { tails, owners }: Services): Promise<void> {
  const missing: { readonly entry: Entry; readonly topicId: TopicId; readonly partition: number }[] = []
  for (const entry of entries) {
    if (entry.refusal !== undefined || entry.topic === undefined) continue
    const { topicId, partitions } = entry.topic
    const partition = entry.index
    const elsewhere = partition >= 0 && partition < partitions && !owners.ofPartition(topicId, partition).mine
    if (!elsewhere && tails.get(topicId, partition) === undefined) missing.push({ entry, topicId, partition })
  }
  if (missing.length === 0) return
  const states = await tails.loaded(missing)
  for (const [at, { entry }] of missing.entries()) if (states[at] === undefined) entry.refusal = failure('UNKNOWN_TOPIC_OR_PARTITION')
}

/** A valid batch, to be appended if this agent owns its partition. */
interface Sound {
  readonly entry: Entry
  readonly topicId: TopicId
  readonly batch: Uint8Array
  readonly timestampType: AppendRules['timestampType']
  readonly maxTimestamp: number | undefined
}

/** In the order of the request. Other requests run between two slices, but not the next one of this connection: it waits for the admission of this one. */
async function validated(
  entries: readonly Entry[],
  batches: readonly (Uint8Array | null)[],
  { context, services }: { readonly context: RequestContext; readonly services: Services },
): Promise<readonly Sound[]> {
  const { clock, settings, codecs, turns } = services
  const nowMs = clock.now()
  const rules = new Map<TopicId, AppendRules>()
  const slice = turns.slice()
  const sound: Sound[] = []
  for (const [at, entry] of entries.entries()) {
    const { topic } = entry
    const records = must(batches[at], 'the batch of each entry')
    if (entry.refusal !== undefined || topic === undefined) continue
    const { topicId } = topic
    const rule = rules.get(topicId) ?? appendRules(topic, { settings, nowMs, produceVersion: context.apiVersion })
    rules.set(topicId, rule)
    const valid = validateBatch(records, rule, services)
    if (valid.kind === 'error' || records === null) {
      const refusal = valid.kind === 'error' ? valid : failure('INVALID_RECORD')
      const timestamps = records !== null && refusal.code === errors.INVALID_TIMESTAMP.code
      entry.refusal = timestamps ? ofRecords(refusal, timestampErrors(records, rule, codecs)) : refusal
    } else {
      const { maxTimestamp } = valid.value
      sound.push({ entry, topicId, batch: records, timestampType: rule.timestampType, maxTimestamp })
    }
    const openedBytes = valid.kind === 'ok' ? valid.value.openedBytes : limits.decompressedBytes
    if (slice.spent(1 + openedBytes / limits.openedBytesPerUnit)) await slice.next()
  }
  return sound
}

/** The batch's error with those of its records, with Kafka's text. Without record errors only the batch's header is wrong. */
function ofRecords(refusal: Refusal, recordErrors: readonly RecordError[]): Refusal {
  if (recordErrors.length === 0) return refusal
  return { ...refusal, message: 'One or more records have been rejected due to invalid timestamp', recordErrors }
}

/**
 * A partition occurs once in a request, and the connection's next request waits until all slices are admitted, so slices do not change the order.
 * Within a slice, nothing is awaited between the last check and the admission.
 */
async function admittedInSlices(sound: readonly Sound[], context: RequestContext, services: Services): Promise<readonly Admitted[]> {
  const admitted: Admitted[] = []
  for await (const some of inSlices(sound, services.turns)) {
    const { entries, admissions } = admissible(some, services)
    // The writer identifies the connection by its signal.
    if (admissions.length > 0) admitted.push({ entries, answers: services.writer.admit(admissions, context.signal).answers })
  }
  return admitted
}

/** Synchronous, right before the admission, so that the owner, its epoch and the stamp are current. */
function admissible(
  sound: readonly Sound[],
  { owners, tails, clock }: Services,
): { readonly entries: readonly Entry[]; readonly admissions: readonly Admission[] } {
  const nowMs = clock.now()
  const entries: Entry[] = []
  const admissions: Admission[] = []
  for (const { entry, topicId, batch, timestampType, maxTimestamp } of sound) {
    const partition = entry.index
    const { mine, epoch } = owners.ofPartition(topicId, partition)
    if (!mine) {
      entry.refusal = failure('NOT_LEADER_OR_FOLLOWER')
      continue
    }
    const stamp = timestampType === 'LogAppendTime' ? { stamp: tails.stamp(topicId, partition, nowMs) } : {}
    const corrected = maxTimestamp === undefined ? {} : { maxTimestamp }
    entries.push(entry)
    admissions.push({ topicId, partition, epoch, batch, ...stamp, ...corrected })
  }
  return { entries, admissions }
}

async function anyRefused(entries: readonly Entry[], answers: Promise<readonly ProduceAnswer[]>): Promise<boolean> {
  if (entries.some(({ refusal }) => refusal !== undefined)) return true
  return (await answers).some(({ kind }) => kind === 'refused')
}

/** The input of an answer. It must not hold bytes of the request. */
interface Pending {
  readonly topics: readonly { readonly name: string; readonly topicId: TopicId }[]
  readonly waitMs: number
  readonly entries: readonly Entry[]
  /** The entries that were admitted; each has one of the answers. */
  readonly waiting: readonly Entry[]
  readonly answers: Promise<readonly ProduceAnswer[]>
  /** The writer had no room: later requests of the connection would overtake the retry of this one. */
  readonly thenClose: boolean
  readonly context: RequestContext
  readonly services: Services
}

async function answered(pending: Pending): Promise<LateResponse<ProduceResponse>> {
  const { topics, entries, waiting, context, services } = pending
  const definite = await inTime(pending)
  const answerOf = new Map(waiting.map((entry, at) => [entry, definite?.[at]]))
  const leaders: number[] = []
  const partitionsOf = topics.map((): PartitionResponse[] => [])
  const slice = services.turns.slice()
  for (const entry of entries) {
    if (slice.spent(1)) await slice.next()
    const response = partitionResponse(entry, answerOf.get(entry), { context, services })
    if (response.currentLeader?.leaderId !== undefined) leaders.push(response.currentLeader.leaderId)
    must(partitionsOf[entry.topicAt], 'the topic of each entry').push(response)
  }
  return {
    response: {
      responses: topics.flatMap((topic, topicAt) => {
        const partitionResponses = must(partitionsOf[topicAt], 'each topic of the request')
        return partitionResponses.length === 0 ? [] : [{ ...topic, partitionResponses }]
      }),
      nodeEndpoints: endpointsOf(leaders, context, services),
    },
    thenClose: pending.thenClose || (definite?.some((answer) => answer.kind === 'refused' && answer.thenClose) ?? false),
  }
}

/** Undefined when the outcome is still unknown after `waitMs`; the write goes on. */
async function inTime({ waitMs, answers, waiting, services }: Pending): Promise<readonly ProduceAnswer[] | undefined> {
  if (waiting.length === 0) return []
  const late = Promise.withResolvers<undefined>()
  // The wait is for a store, so it counts real time: a test that moves its clock must not time out a write in progress.
  const timer = services.ioClock.after(waitMs, () => late.resolve(undefined))
  const first = await Promise.race([answers, late.promise])
  timer.cancel()
  return first
}

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

function partitionResponse(
  entry: Entry,
  answer: ProduceAnswer | undefined,
  { context, services }: { readonly context: RequestContext; readonly services: Services },
): PartitionResponse {
  const { index } = entry
  if (answer?.kind === 'appended') {
    const { baseOffset, timestamp, logStartOffset } = answer
    return { index, errorCode: 0, baseOffset, logAppendTimeMs: timestamp, logStartOffset }
  }
  const { code, message, recordErrors } = entry.refusal ?? refusalOf(answer, context.apiVersion)
  return {
    index,
    errorCode: code,
    ...nowhere,
    errorMessage: message ?? null,
    // Like Kafka: the start of the log comes with record errors.
    ...(recordErrors !== undefined && {
      recordErrors,
      logStartOffset: (entry.topic && services.tails.get(entry.topic.topicId, index)?.logStartOffset) ?? -1,
    }),
    ...(code === errors.NOT_LEADER_OR_FOLLOWER.code &&
      entry.topic !== undefined && { currentLeader: currentLeader(services, entry.topic.topicId, index) }),
  }
}

function refusalOf(answer: Extract<ProduceAnswer, { kind: 'refused' }> | undefined, apiVersion: number): Refusal {
  if (answer === undefined)
    return failure(
      'REQUEST_TIMED_OUT',
      'The time-out ended before the outcome was known; the write goes on, and the records may still be stored.',
    )
  // A client that produces by name does not know topic ids.
  const error = answer.error === 'UNKNOWN_TOPIC_ID' && apiVersion < idsFrom ? 'UNKNOWN_TOPIC_OR_PARTITION' : answer.error
  return { code: codeOf(error), ...(answer.message !== null && { message: answer.message }) }
}
