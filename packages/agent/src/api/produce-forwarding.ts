// The batches of a Produce whose partitions other agents own: their owners get them, and the client gets the owners' answers.
import { errors, Produce, type ProduceRequest, type ProduceResponse } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import type { BatchOfTransaction } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { orLate } from '../time/or-late.ts'
import { sleep } from '../time/sleep.ts'
import type { Appending, BatchToAppend } from '../write/append.ts'
import { failure } from './access.ts'
import type { RequestContext, RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'owners' | 'membership' | 'forwarder' | 'ioClock' | 'turns'>
type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

/** What the owners have answered, by the index of the batch. */
interface ForwardedBatches {
  readonly answers: ReadonlyMap<number, PartitionResponse>
  /** An owner's answer was lost, so the outcome is unknown. The answers say so. */
  readonly lost: boolean
  /** No later request of the connection may be admitted: it would overtake the retry of this one. */
  readonly thenClose: boolean
}

/** The outcome, without bytes of the request. */
export interface ForwardedPart extends Omit<ForwardedBatches, 'lost'> {
  /** The indexes of the batches that were appended here, or rejected, in order; undefined: all. A batch that is in `answers`, too, was not written here. */
  readonly appended: readonly number[] | undefined
}

/** Forwards before the append, and after it what has moved in between. */
export class Forwarding {
  readonly #asked: Omit<BatchesToForward, 'among'>
  readonly #scope: RequestScope<Uses>
  readonly #forwards: boolean
  readonly #answers = new Map<number, PartitionResponse>()
  #appended: readonly number[] | undefined
  #thenClose = false

  constructor(
    request: BatchesToForward['request'],
    batches: readonly BatchToAppend[],
    transaction: BatchOfTransaction | undefined,
    scope: RequestScope<Uses>,
  ) {
    const { transactionalId, acks, timeoutMs } = request
    this.#asked = { request: { transactionalId, acks, timeoutMs }, batches }
    this.#scope = scope
    // The number of an older transaction is that of the moment in which the request arrived.
    this.#forwards = transaction === undefined || transaction.transactionNumber === null
  }

  get outcome(): ForwardedPart {
    return { answers: this.#answers, appended: this.#appended, thenClose: this.#thenClose }
  }

  async first(): Promise<void> {
    const { batches } = this.#asked
    if (!this.#forwards || this.#scope.services.owners.isUndivided) return
    const lost = await this.#forward(batches.keys())
    // An answer for all partitions alike: a client that sends the request again doubles nothing that this agent owns.
    if (lost !== undefined)
      for (const at of batches.keys()) if (!this.#answers.has(at)) this.#answers.set(at, { ...lost, index: partitionOf(batches, at) })
    if (this.#answers.size > 0) this.#appended = [...batches.keys()].filter((at) => !this.#answers.has(at))
  }

  /** The batches that this agent appends. */
  own(): readonly BatchToAppend[] {
    const { batches } = this.#asked
    return this.#appended?.map((at) => must(batches[at], 'a batch of the request')) ?? batches
  }

  /** Forwards what was not admitted because it has moved since `first`. */
  async again({ rejected }: Appending): Promise<void> {
    if (!this.#forwards || rejected.size === 0) return
    const moved: number[] = []
    for (const [at, { error }] of rejected)
      if (error === 'NOT_LEADER_OR_FOLLOWER')
        moved.push(this.#appended === undefined ? at : must(this.#appended[at], 'a batch of the request'))
    if (moved.length > 0) await this.#forward(moved)
  }

  /** The answer of a batch whose outcome is unknown, if there is one. */
  async #forward(among: Iterable<number>): Promise<PartitionResponse | undefined> {
    const { context, services } = this.#scope
    const { answers, lost, thenClose } = await forwardBatches({ ...this.#asked, among: [...among] }, context, services)
    for (const [at, answer] of answers) this.#answers.set(at, answer)
    this.#thenClose ||= thenClose
    return lost ? [...answers.values()].find(({ errorCode }) => errorCode === errors.REQUEST_TIMED_OUT.code) : undefined
  }
}

interface BatchesToForward {
  readonly request: Pick<ProduceRequest, 'transactionalId' | 'acks' | 'timeoutMs'>
  readonly batches: readonly BatchToAppend[]
  /** The indexes of the batches that may be of other agents. */
  readonly among: readonly number[]
}

/**
 * Settles when each of the batches is answered by its owner, or is one of this agent's own, or cannot be forwarded in `holdMs`: those have no answer. The connection's next
 * request waits, so no batch overtakes an earlier one. While a partition changes hands, its batches are held. The owner rejects a batch of a partition that is not its own
 * before it writes any of the request, so that batch can be sent again.
 */
async function forwardBatches(asked: BatchesToForward, context: RequestContext, services: Uses): Promise<ForwardedBatches> {
  const { owners, ioClock } = services
  const answers = new Map<number, PartitionResponse>()
  const untilMs = ioClock.monotonic() + fixedLimits.holdMs
  let lost = false
  let thenClose = false
  for (;;) {
    const { byOwner, moving, isUnowned } = await placesOf(asked, answers, services)
    if (byOwner.size === 0 && moving === undefined && !isUnowned) break
    if (context.forwarded !== true) {
      const sent = await Promise.all([...byOwner].map(([to, indexes]) => send(to, indexes, asked, context, services)))
      for (const one of sent) {
        for (const [at, answer] of one.answers) answers.set(at, answer)
        lost ||= one.lost
        thenClose ||= one.thenClose
      }
      if (sent.length > 0 && sent.every(({ answers: some }) => some.size > 0) && moving === undefined && !isUnowned) continue
    }
    const leftMs = untilMs - ioClock.monotonic()
    if (lost || leftMs <= 0 || context.signal.aborted) break
    await orLate(moving ?? services.membership.refresh(), { clock: ioClock, afterMs: leftMs }, undefined)
    // The agent that forwarded it asks again.
    if (context.forwarded === true && moving === undefined) break
    if (moving === undefined) await sleep(ioClock, fixedLimits.holdPauseMs)
    if (owners.isAlone && moving === undefined) break
  }
  return { answers, lost, thenClose }
}

interface BatchPlaces {
  readonly byOwner: ReadonlyMap<number, readonly number[]>
  /** Settles when this agent has given partitions of the batches, or has kept them. */
  readonly moving: Promise<void> | undefined
  /** A partition has no living owner that is known here. */
  readonly isUnowned: boolean
}

/** Where the batches without an answer belong. Those of this agent, and those of partitions that do not exist, are left out. */
async function placesOf(
  { batches, among }: BatchesToForward,
  answers: ReadonlyMap<number, unknown>,
  { owners, turns }: Uses,
): Promise<BatchPlaces> {
  const byOwner = new Map<number, number[]>()
  let moving: Promise<void> | undefined
  let isUnowned = false
  const slice = turns.slice()
  for (const at of among) {
    if (slice.spent(1)) await slice.next()
    if (answers.has(at)) continue
    const { topic, partition } = must(batches[at], 'a batch of the request')
    if (partition < 0 || partition >= topic.partitions) continue
    const { mine, leader } = owners.ofPartition(topic.topicId, partition)
    if (mine) continue
    const ends = owners.moving({ topicId: topic.topicId, partition })
    if (ends !== undefined) moving = ends
    else if (leader === undefined || leader === owners.brokerId) isUnowned = true
    else {
      const known = byOwner.get(leader)
      if (known === undefined) byOwner.set(leader, [at])
      else known.push(at)
    }
  }
  return { byOwner, moving, isUnowned }
}

/** Without an answer: the batches that the agent has definitely not written. */
async function send(
  to: number,
  indexes: readonly number[],
  { request, batches }: BatchesToForward,
  context: RequestContext,
  { forwarder }: Uses,
): Promise<ForwardedBatches> {
  const byTopic = Map.groupBy(indexes, (at) => must(batches[at], 'a batch of the request').topic)
  const topicData = [...byTopic].map(([{ name, topicId }, ofTopic]) => ({
    name,
    topicId,
    partitionData: ofTopic.map((at) => {
      const { partition, batch } = must(batches[at], 'a batch of the request')
      return { index: partition, records: batch }
    }),
  }))
  // Every forwarded request has an answer: without one, this agent would not know what it may admit next.
  const acks = request.acks === 0 ? 1 : request.acks
  const timeoutMs = fixedLimits.forwardAnswerMs + (request.acks === -1 ? Math.max(0, request.timeoutMs) : 0)
  const answer = await forwarder.forward(Produce, { ...request, acks, topicData }, { to, timeoutMs, context })
  if (answer.kind === 'not sent') return { answers: new Map(), lost: false, thenClose: false }
  const ordered = [...byTopic.values()].flat()
  const responses = answer.kind === 'answered' ? answer.response.responses.flatMap(({ partitionResponses }) => partitionResponses) : []
  if (answer.kind !== 'answered' || !ordered.every((at, index) => responses[index]?.index === partitionOf(batches, at))) {
    const why = answer.kind === 'answered' ? 'its answer is not valid' : answer.why
    const { code, message } = failure('REQUEST_TIMED_OUT', `Agent ${to} did not answer (${why}): the records may be stored.`)
    const unknown = (at: number): PartitionResponse => ({
      ...nowhere,
      index: partitionOf(batches, at),
      errorCode: code,
      errorMessage: message ?? null,
    })
    return { answers: new Map(ordered.map((at) => [at, unknown(at)])), lost: true, thenClose: true }
  }
  const answers = new Map<number, PartitionResponse>()
  let thenClose = false
  for (const [index, at] of ordered.entries()) {
    const response = must(responses[index], 'the answer of each batch')
    if (response.errorCode !== errors.NOT_LEADER_OR_FOLLOWER.code) answers.set(at, response)
    // With this error the owner has closed the connection, for the same reason.
    if (response.errorCode === errors.NOT_ENOUGH_REPLICAS.code) thenClose = true
  }
  return { answers, lost: false, thenClose }
}

const nowhere = { baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 }

function partitionOf(batches: readonly BatchToAppend[], at: number): number {
  return must(batches[at], 'a batch of the request').partition
}
