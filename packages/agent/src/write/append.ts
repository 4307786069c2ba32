// The one door to append: every batch of Produce and of HTTP takes these steps, in this order. Load its partition, validate it, wait for room, check the owner, stamp, admit.
import { errorName, type KafkaErrorName } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicId } from '../core/ids.ts'
import { keyErrors, type RecordError } from '../core/log/record-errors.ts'
import { type AppendRules, isTransactional } from '../core/log/validate.ts'
import { fixedLimits } from '../limits.ts'
import type { Packer } from '../memory/packer.ts'
import { NoUnpackMemory } from '../memory/unpacker.ts'
import type { BatchOfTransaction, CommitRejection, Topic } from '../metadata/metadata-store.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import type { Settings } from '../settings.ts'
import type { Clock } from '../time/clock.ts'
import { orLate } from '../time/or-late.ts'
import { inSlices } from '../time/turns.ts'
import type { Owners } from '../view/owners.ts'
import type { Tails } from '../view/tails.ts'
import { type BatchRange, rangesOf } from './append-ranges.ts'
import { appendRules } from './append-rules.ts'
import { type BatchCheck, type BatchCheckParts, checkBatch, finishCheck, type LargeBatch } from './batch-check.ts'
import type { Room } from './room.ts'
import type { Admission, ProduceAnswer, Writer } from './writer.ts'

export interface AppendRequest {
  readonly batches: readonly BatchToAppend[]
  /**
   * - `each`: a rejected batch does not keep the others out. Each partition occurs once, because the batches may go into several flushes. But if another
   *   agent owns one of the partitions, none is written: a client that gets this error for one partition may send the others again, too.
   * - `all`: a batch that is rejected before the admission keeps all out. All go into one flush.
   */
  readonly scope: 'each' | 'all'
  /** The time of the request, to which the records' timestamps are compared. */
  readonly nowMs: number
  readonly produceVersion: number
  /** The transaction of those of the batches that are transactional. */
  readonly transaction?: BatchOfTransaction | undefined
  /** Ends the wait for room. */
  readonly signal: AbortSignal
  /** The connection whose later batches depend on these (see Writer.admit). It is the object that `signal` is. */
  readonly source?: AbortSignal
  /** The connection, if its client may wait for answers before it sends more (see Writer.admit). */
  readonly producer?: object | undefined
}

export interface BatchToAppend {
  readonly topic: Topic
  readonly partition: number
  /** Null if the client sent none, which is rejected. */
  readonly batch: Uint8Array | null
  readonly idempotency?: Admission['idempotency']
}

/** Definitely not appended. */
export interface AppendRejection {
  readonly kind: 'rejected'
  readonly error: KafkaErrorName | CommitRejection
  readonly message: string | null
  /** Set before the admission: the partition of the batch that was rejected. With the scope `all` it may be another batch. */
  readonly partition?: number
  /** The records whose timestamps are out of range, or that have no key in a compacted topic. */
  readonly recordErrors?: readonly RecordError[]
  /** Later batches of the same connection must not be admitted: they would overtake the retry of this one. */
  readonly thenClose: boolean
}

export type DefiniteAnswer = Extract<ProduceAnswer, { kind: 'appended' }> | AppendRejection

/** `unknown`: the wait ended before the outcome was known. The write goes on, and the records may still be stored. */
export type AppendAnswer = DefiniteAnswer | { readonly kind: 'unknown' }

/** Batches on their way. It holds none of their bytes. */
export interface Appending {
  /** One per batch, in order. Settles when every outcome is definite. Rejects only with an AssertionError, a defect of this server. */
  readonly definite: Promise<readonly DefiniteAnswer[]>
  readonly batchCount: number
  readonly waitingCount: number
  /** The batches that were rejected before the admission, by their index. */
  readonly rejected: ReadonlyMap<number, AppendRejection>
}

export interface AppendParts extends BatchCheckParts {
  readonly packer: Pick<Packer, 'inTurn' | 'packed' | 'hold' | 'shareBytes'>
  readonly writer: Pick<Writer, 'room' | 'admit' | 'cutOff'>
  readonly tails: Pick<Tails, 'get' | 'loaded' | 'stamp'>
  readonly owners: Pick<Owners, 'ofPartition'>
  readonly settings: Settings
  readonly clock: Clock
}

/**
 * Settles when the batches are admitted or rejected: then the connection may go on with its next request. Rejects with a MetadataError when a partition
 * must be loaded and the database is away; nothing is admitted then.
 */
export async function append(request: AppendRequest, parts: AppendParts): Promise<Appending> {
  const { batches } = request
  const rejected = new Map<number, AppendRejection>()
  const slices: AdmittedSlice[] = []
  if ((await loadPartitions(batches, rejected, parts)) && request.scope === 'each')
    for (const [at, { partition }] of batches.entries())
      if (!rejected.has(at)) rejected.set(at, rejection('NOT_LEADER_OR_FOLLOWER', { partition }))
  const rulesOf = rulesByTopic(request, parts)
  for await (const range of rangesOf(request, rulesOf, parts)) await appendRange(range, request, { ...parts, rulesOf, rejected, slices })
  return appending(request, rejected, slices, parts)
}

/** Waits for the answers. The wait is for a store, so it counts the real time of `ioClock`: a test that moves its clock must not time out a write in progress. */
export async function inTime(
  { definite, batchCount, waitingCount, rejected }: Appending,
  wait: {
    readonly waitMs: number
    readonly ioClock: Clock
    /** Its failure ends the wait: the outcome stays unknown until a person has repaired the disk. */
    readonly stores?: Pick<StoreWatch, 'onFailure'>
  },
): Promise<readonly AppendAnswer[]> {
  if (waitingCount === 0) return await definite
  const failed = Promise.withResolvers<undefined>()
  // A definite answer arrives in this turn, before the failure.
  const unwatch = wait.stores?.onFailure(() => wait.ioClock.soon(() => failed.resolve(undefined)))
  const first = unwatch === undefined ? definite : Promise.race([definite, failed.promise])
  const answers = await orLate(first, { clock: wait.ioClock, afterMs: wait.waitMs }, undefined)
  unwatch?.()
  return answers ?? Array.from({ length: batchCount }, (_, at) => rejected.get(at) ?? unknown)
}

/** What the steps of one request share. */
interface AppendState extends AppendParts {
  readonly rulesOf: (topic: Topic) => AppendRules
  readonly rejected: Rejected
  readonly slices: AdmittedSlice[]
}

function rulesByTopic({ nowMs, produceVersion, transaction }: AppendRequest, { settings }: AppendParts): AppendState['rulesOf'] {
  const rules = new Map<TopicId, AppendRules>()
  return (topic) => {
    const found =
      rules.get(topic.topicId) ?? appendRules(topic, { settings, nowMs, produceVersion, inTransaction: transaction !== undefined })
    rules.set(topic.topicId, found)
    return found
  }
}

async function appendRange(range: BatchRange, request: AppendRequest, state: AppendState): Promise<void> {
  const { scope, signal, source } = request
  const { rejected, writer, packer } = state
  const held = range.repackedBytes === 0 ? () => {} : await packer.hold(range.repackedBytes, signal).catch(orNoMemory)
  if (held === 'no memory') {
    if (source !== undefined) writer.cutOff(source)
    const batches = request.batches.slice(range.from, range.until)
    for (const [index, { partition }] of batches.entries()) rejected.set(range.from + index, { ...noRoom, partition })
    return
  }
  try {
    const valid = await validated(range, request, state)
    if (valid.length === 0 || (scope === 'all' && rejected.size > 0)) return
    const bytes = valid.reduce((sum, { batch }) => sum + batch.length, 0)
    const room = await writer.room(bytes, signal)
    if (room === undefined) for (const { at, partition } of valid) rejected.set(at, { ...noRoom, partition })
    else await admit(valid, request, state, room).finally(() => room.release())
  } finally {
    held()
  }
}

const unknown = { kind: 'unknown' } as const

const noRoom = {
  kind: 'rejected',
  error: 'NOT_ENOUGH_REPLICAS',
  message: 'The agent has no room for more records until others are stored: try again.',
  thenClose: true,
} as const

type Rejected = Map<number, AppendRejection>

/** A batch that may be appended if this agent owns its partition. */
interface ValidBatch {
  /** Its index in the request. */
  readonly at: number
  readonly topicId: TopicId
  readonly partition: number
  readonly batch: Uint8Array
  readonly timestampType: AppendRules['timestampType']
  readonly maxTimestamp: number | undefined
  readonly idempotency: Admission['idempotency'] | undefined
  readonly transaction: BatchOfTransaction | undefined
}

/** Batches that were admitted together, as indexes in the request, and their answers in the same order. */
interface AdmittedSlice {
  readonly indexes: readonly number[]
  readonly answers: Promise<readonly ProduceAnswer[]>
}

/** Loads the partitions that are not in memory. Only the database can say that a partition does not exist. Returns whether another agent owns any of them. */
async function loadPartitions(batches: readonly BatchToAppend[], rejected: Rejected, parts: AppendParts): Promise<boolean> {
  let first = 0
  let elsewhere = false
  for await (const some of inSlices(batches, parts.turns)) {
    if (await loadSome(some, first, rejected, parts)) elsewhere = true
    first += some.length
  }
  return elsewhere
}

async function loadSome(
  batches: readonly BatchToAppend[],
  first: number,
  rejected: Rejected,
  { tails, owners }: AppendParts,
): Promise<boolean> {
  let anyElsewhere = false
  const missing: { readonly at: number; readonly topicId: TopicId; readonly partition: number }[] = []
  for (const [index, { topic, partition }] of batches.entries()) {
    const { topicId, partitions } = topic
    const elsewhere = partition >= 0 && partition < partitions && !owners.ofPartition(topicId, partition).mine
    if (elsewhere) anyElsewhere = true
    else if (tails.get(topicId, partition) === undefined) missing.push({ at: first + index, topicId, partition })
  }
  if (missing.length === 0) return anyElsewhere
  const states = await tails.loaded(missing)
  for (const [index, { at, partition }] of missing.entries())
    if (states[index] === undefined) rejected.set(at, rejection('UNKNOWN_TOPIC_OR_PARTITION', { partition }))
  return anyElsewhere
}

/**
 * In the order of the request. Other requests run between two slices and while records are unpacked, but not the next one of this connection: it waits for
 * the admission of this one, so no batch overtakes an earlier one whose records take longer.
 */
async function validated(
  { from, until }: BatchRange,
  { batches, signal, source, transaction }: AppendRequest,
  { rulesOf, rejected, ...parts }: AppendState,
): Promise<readonly ValidBatch[]> {
  const { turns, writer } = parts
  const slice = turns.slice()
  const valid: ValidBatch[] = []
  const large: { readonly at: number; readonly batch: LargeBatch }[] = []
  const settle = (at: number, checked: BatchCheck): void => {
    const { topic, partition, batch, idempotency } = must(batches[at], 'the batch that was checked')
    if (checked.kind === 'without keys') {
      const { recordErrors, message } = keyErrors(checked, `${topic.name}-${partition}`)
      rejected.set(at, { ...rejection('INVALID_RECORD', { partition, message }), recordErrors })
      return
    }
    if (checked.kind === 'error') {
      const error = must(errorName(checked.code), 'the name of a code of ours')
      const { message = null, recordErrors } = checked
      rejected.set(at, { ...rejection(error, { partition, message }), ...(recordErrors.length > 0 && { recordErrors }) })
      return
    }
    valid.push({
      at,
      topicId: topic.topicId,
      partition,
      // A batch that is null is never valid.
      batch: must(checked.repacked ?? batch ?? undefined, 'a valid batch'),
      timestampType: rulesOf(topic).timestampType,
      maxTimestamp: checked.value.maxTimestamp,
      idempotency,
      transaction: isTransactional(checked.value.header) ? transaction : undefined,
    })
  }
  for (const [index, { topic, batch }] of batches.slice(from, until).entries()) {
    const at = from + index
    if (rejected.has(at)) continue
    const checked = checkBatch(batch, rulesOf(topic), parts)
    if (checked.kind === 'large') large.push({ at, batch: checked })
    else settle(at, checked)
    if (slice.spent(checked.kind === 'large' ? 1 : checked.units)) await slice.next()
  }
  if (large.length === 0) return valid
  const finished = await Promise.all(large.map(({ batch }) => finishCheck(batch, signal, parts).catch(orNoMemory)))
  for (const [index, checked] of finished.entries()) {
    const { at } = must(large[index], 'the large batch that was checked')
    if (checked !== 'no memory') {
      settle(at, checked)
      continue
    }
    if (source !== undefined) writer.cutOff(source)
    rejected.set(at, { ...noRoom, partition: must(batches[at], 'the batch that was checked').partition })
  }
  return valid.toSorted((a, b) => a.at - b.at)
}

function orNoMemory(error: unknown): 'no memory' {
  if (error instanceof NoUnpackMemory) return 'no memory'
  throw error
}

/**
 * The connection's next request waits until all slices are admitted, so slices do not change the order of a partition's batches. Within a slice, nothing is
 * awaited between the last check and the admission.
 */
async function admit(
  valid: readonly ValidBatch[],
  { scope, source, producer }: AppendRequest,
  { rejected, slices, ...parts }: AppendState,
  room: Room,
): Promise<void> {
  for await (const some of scope === 'all' ? [valid] : inSlices(valid, parts.turns, fixedLimits.batchesPerSlice)) {
    // Commits are in the order of admission: the batches of others are committed between those of this request, not after all of them.
    await slices.at(-slicesOnTheirWay)?.answers
    const { indexes, admissions } = admissible(some, rejected, parts)
    if (admissions.length === 0 || (scope === 'all' && rejected.size > 0)) continue
    slices.push({ indexes, answers: parts.writer.admit(admissions, { source, producer, room }).answers })
  }
}

/** One is committed while the next one is stored. */
const slicesOnTheirWay = 2

/** Synchronous, right before the admission, so that the owner, its epoch and the stamp are current. */
function admissible(
  valid: readonly ValidBatch[],
  rejected: Rejected,
  { owners, tails, clock }: AppendParts,
): { readonly indexes: readonly number[]; readonly admissions: readonly Admission[] } {
  const nowMs = clock.now()
  const indexes: number[] = []
  const admissions: Admission[] = []
  for (const { at, topicId, partition, batch, timestampType, maxTimestamp, idempotency, transaction } of valid) {
    const { mine, epoch } = owners.ofPartition(topicId, partition)
    if (!mine) {
      rejected.set(at, rejection('NOT_LEADER_OR_FOLLOWER', { partition }))
      continue
    }
    const stamp = timestampType === 'LogAppendTime' ? tails.stamp(topicId, partition, nowMs) : undefined
    indexes.push(at)
    admissions.push({
      topicId,
      partition,
      epoch,
      batch,
      stamp,
      maxTimestamp,
      idempotency: idempotency && stamp !== undefined ? { ...idempotency, timestamp: stamp } : idempotency,
      transaction,
    })
  }
  return { indexes, admissions }
}

function rejection(error: KafkaErrorName, of: { readonly partition: number; readonly message?: string | null }): AppendRejection {
  return { kind: 'rejected', error, message: of.message ?? null, partition: of.partition, thenClose: false }
}

/** A function of its own, whose closures cannot hold the bytes of the batches. */
function appending(
  { batches: { length: batchCount }, scope }: AppendRequest,
  of: Rejected,
  slices: readonly AdmittedSlice[],
  { turns }: Pick<AppendParts, 'turns'>,
): Appending {
  const [first] = of.values()
  const rejected = scope === 'all' && first !== undefined ? new Map(Array.from({ length: batchCount }, (_, at) => [at, first])) : of
  const answersIn = async (all: readonly (readonly ProduceAnswer[])[]): Promise<readonly DefiniteAnswer[]> => {
    const answers = Array.from({ length: batchCount }, (_, at): DefiniteAnswer | undefined => rejected.get(at))
    const turn = turns.slice()
    for (const [slice, { indexes }] of slices.entries()) {
      for (const [index, at] of indexes.entries()) answers[at] = must(all[slice]?.[index], 'the answer of an admitted batch')
      if (turn.spent(indexes.length)) await turn.next()
    }
    return answers.map((answer) => must(answer, 'the answer of each batch'))
  }
  const definite = Promise.all(slices.map(({ answers }) => answers)).then(answersIn)
  return { definite, batchCount, waitingCount: batchCount - rejected.size, rejected }
}
