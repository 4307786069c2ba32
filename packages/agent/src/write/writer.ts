// The write path of an agent: admit → seal → chain → publish → answer.
import { must } from '../core/assert.ts'
import type { Checksum } from '../core/checksum.ts'
import type { TopicId } from '../core/ids.ts'
import { Chain, type ChainParts, type Flush, type FlushOutcome } from '../flush/chain.ts'
import type { Limits } from '../limits.ts'
import type { SlabPool } from '../memory/slab-pool.ts'
import type { CommitRejection, Verdict } from '../metadata/metadata-store.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { SealTrigger } from '../observe/events.ts'
import type { StoreWatch } from '../observe/store-watch.ts'
import type { Timer } from '../time/clock.ts'
import type { Catalog } from '../view/catalog.ts'
import type { Tails } from '../view/tails.ts'
import { BatchMemory } from './batch-memory.ts'
import { type Admission, type BatchPlace, OpenObject } from './open-object.ts'
import { Room } from './room.ts'
import { type FlushPolicy, SealRules } from './seal-rules.ts'

export type { Admission } from './open-object.ts'
export type { FlushPolicy } from './seal-rules.ts'

export type ProduceAnswer =
  /** A duplicate is answered with the offset of the original. `timestamp` is the LogAppendTime, -1 for CreateTime. */
  | {
      readonly kind: 'appended'
      readonly baseOffset: number
      readonly timestamp: number
      readonly logStartOffset: number
      readonly replayed?: { readonly partition: number; readonly timestamp: number }
    }
  /** Definitely not appended. `thenClose`: later batches of the same connection must not be admitted. */
  | {
      readonly kind: 'rejected'
      readonly error: CommitRejection | 'NOT_ENOUGH_REPLICAS'
      readonly message: string | null
      readonly thenClose: boolean
    }

/** The connection that sent batches, by identity (the same object each time), and the room for them. */
export interface Origin {
  /** Its later batches depend on these: after a flush is abandoned, the writer rejects its sources until they reconnect. */
  readonly source?: object | undefined
  /** Its client may send more only after an answer. */
  readonly producer?: object | undefined
  /** The room that was reserved for these batches. */
  readonly room?: Room | undefined
}

export interface Admitted {
  /** One per admission, in order. Settles when the outcome of the commit is definite. Rejects only with an AssertionError, a defect of this server. */
  readonly answers: Promise<readonly ProduceAnswer[]>
}

export interface WriterParts extends Omit<ChainParts, 'limits' | 'onStopped'> {
  readonly memory: SlabPool
  readonly tails: Tails
  readonly catalog: Catalog
  readonly crc32c: Checksum
  readonly policy: FlushPolicy
  readonly stores: Pick<StoreWatch, 'failure'>
  readonly limits: Pick<Limits, 'uncommittedBytes' | 'batchSlabBytes' | 'admissionWaitMs' | 'batchesPerFlush' | 'drainMs'> &
    ChainParts['limits']
}

export class Writer {
  readonly #parts: WriterParts
  readonly #chain: Chain
  /** Bytes reserved, or admitted and not yet answered. */
  readonly #uncommitted: ByteBudget
  /** Objects, open or sealed, whose batches are not answered yet. */
  readonly #unanswered = new Set<OpenObject>()
  /** Connections that had a batch abandoned or rejected for want of room or disk: a later batch of the same connection would overtake its retry. */
  readonly #cutOff = new WeakSet<object>()
  readonly #memory: BatchMemory
  #open: OpenObject | undefined
  /** It decides again when to seal. */
  #wake: { readonly atMs: number; readonly timer: Timer } | undefined
  #sealSoon = false
  #lastFailure: string | undefined
  readonly #rules: SealRules

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#memory = new BatchMemory(parts.memory, parts.limits)
    this.#uncommitted = new ByteBudget(parts.limits.uncommittedBytes)
    this.#chain = new Chain({
      ...parts,
      onStopped: (message) => {
        this.#lastFailure = message
        for (const { sources } of this.#unanswered) for (const source of sources) this.#cutOff.add(source)
        this.#giveUpOpen({ kind: 'abandoned', message })
      },
      onFenced: () => {
        this.#giveUpOpen({ kind: 'fenced' })
        parts.onFenced()
      },
      onBroken: () => {
        this.#giveUpOpen({ kind: 'fenced' })
        parts.onBroken()
      },
    })
    this.#rules = new SealRules(parts.policy, parts.clock.monotonic())
  }

  /** Bytes reserved, or admitted and not yet answered. */
  get gauge(): ByteGauge {
    return this.#uncommitted.gauge
  }

  get flushesInFlight(): number {
    return this.#chain.inFlight
  }

  get fenced(): boolean {
    return this.#chain.fenced
  }

  /** Why the last flush was abandoned; undefined once a flush is committed again. */
  get lastFailure(): string | undefined {
    return this.#lastFailure
  }

  /**
   * Reserves room for `bytes`, first come, first served; at once when there is room. Undefined: no room in time, or the signal aborted. Then `admit` rejects
   * the batches of the signal's connection. The caller releases the room after the last admission.
   */
  async room(bytes: number, signal: AbortSignal): Promise<Room | undefined> {
    if (this.#cutOff.has(signal)) return new Room(this.#uncommitted, 0) // `admit` rejects it, so it takes no room
    const { clock, limits } = this.#parts
    const taken = await this.#uncommitted.takeWhenFits(bytes, { signal, timeoutMs: limits.admissionWaitMs, clock })
    if (taken) return new Room(this.#uncommitted, bytes)
    this.#cutOff.add(signal)
    return undefined
  }

  /** A batch of this connection was rejected, and its client may send it again: its later batches are rejected, too, because they would overtake it. */
  cutOff(source: object): void {
    this.#cutOff.add(source)
  }

  /**
   * Synchronous: when it returns, the open object holds the batches, in order. All batches of one call go into one flush. Without a room it takes bytes that
   * may not be free.
   */
  admit(admissions: readonly Admission[], { source, producer, room = new Room(this.#uncommitted, 0) }: Origin = {}): Admitted {
    if (this.#chain.fenced) return { answers: Promise.resolve(admissions.map(() => fencedAnswer)) }
    if (source !== undefined && this.#cutOff.has(source)) return { answers: Promise.resolve(admissions.map(() => cutOffAnswer)) }
    const { clock, policy, crc32c, stores, limits } = this.#parts
    // A flush in the line already tries the disk. If the line is empty, this batch tries it.
    if (stores.failure !== undefined && this.#chain.busy) {
      if (source !== undefined) this.#cutOff.add(source)
      const answer = gaveUp(stores.failure)
      return { answers: Promise.resolve(admissions.map(() => answer)) }
    }
    this.#open ??= new OpenObject(clock.monotonic(), crc32c, this.#memory)
    const open = this.#open
    this.#unanswered.add(open)
    if (source !== undefined) open.sources.add(source)
    if (producer !== undefined) this.#rules.admitted(open, producer, clock.monotonic())
    const places = admissions.map((admission) => {
      const place = open.add(admission)
      room.use(admission.batch.length)
      return place
    })
    if (open.sizeBytes >= policy.maxBytes || open.batches >= limits.batchesPerFlush) this.#seal('size')
    else this.#schedule()
    // Keeps no batches: they are copied, and the pending answer must not pin the frame that they are slices of.
    const kept = admissions.map(({ topicId, partition, stamp }) => ({ topicId, partition, stamp }))
    return {
      answers: open.outcome.then((outcome) =>
        kept.map((admission, index) => this.#answer(outcome, admission, must(places[index], 'the place of an admitted batch'))),
      ),
    }
  }

  /** Seals, and settles when everything that was admitted before the call is answered. */
  async settled(): Promise<void> {
    this.#seal('drain')
    await Promise.all([...this.#unanswered].map(({ outcome }) => outcome))
  }

  /** Seals the open object and settles when everything admitted is answered. After `limits.drainMs` it kills the rest, as `kill` does. */
  async drain(): Promise<void> {
    this.#seal('drain')
    const { clock, limits } = this.#parts
    const late = clock.after(limits.drainMs, () => this.kill())
    await this.#chain.drained()
    late.cancel()
  }

  /** Stops at once, as a crash would: see Chain.kill. */
  kill(): void {
    const message = 'the agent was killed'
    this.#chain.kill(message)
    this.#giveUpOpen({ kind: 'abandoned', message })
  }

  /**
   * The only way to seal. It swaps the buffer and takes the sequence in the same turn, so a second trigger finds nothing to seal. A timer calls it, so it never
   * throws: an object that cannot be laid out is a defect, and it is abandoned alone, because the chain has seen nothing of it.
   */
  #seal(trigger: SealTrigger): void {
    this.#wake?.timer.cancel()
    this.#wake = undefined
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    const sequence = this.#chain.allocate()
    const now = this.#parts.clock.monotonic()
    this.#rules.sealed(open, now)
    let flush: Flush
    try {
      flush = open.seal({ clusterId: this.#parts.clusterId, incarnation: this.#parts.incarnation, sequence })
    } catch (error) {
      this.#parts.emit({ kind: 'defect', where: 'seal', error })
      for (const source of open.sources) this.#cutOff.add(source)
      this.#giveUp(open, { kind: 'abandoned', message: 'a defect of the server: send the records again' })
      return
    }
    this.#parts.emit({
      kind: 'sealed',
      sequence,
      trigger,
      openMs: now - open.openedAtMs,
      sizeBytes: flush.object.sizeBytes,
      batches: flush.batches.length,
      partitions: open.partitions,
    })
    // The chain reports why it broke. After a commit that could not be published, memory no longer has the end of each partition.
    this.#settled(flush, open).catch((error: unknown) => {
      if (this.#chain.fenced) return
      this.#parts.emit({ kind: 'defect', where: 'publish', error })
      this.#parts.onBroken()
    })
  }

  async #settled(flush: Flush, open: OpenObject): Promise<void> {
    this.#finish(open, await this.#chain.send(flush))
  }

  #finish(open: OpenObject, outcome: FlushOutcome): void {
    if (outcome.kind === 'committed') {
      this.#lastFailure = undefined
      this.#parts.tails.publish(outcome.result.grown)
    }
    this.#unanswered.delete(open)
    if (outcome.kind === 'committed') open.held.release()
    else open.held.abandon()
    open.settle(outcome)
    this.#uncommitted.release(open.sizeBytes)
    this.#rules.answered(open, this.#parts.clock.monotonic())
    this.#schedule()
  }

  #giveUpOpen(outcome: FlushOutcome): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#rules.givenUp(open)
    this.#giveUp(open, outcome)
  }

  /** After the flushes that were sealed before it, so that answers keep the order of admission. */
  #giveUp(open: OpenObject, outcome: FlushOutcome): void {
    void Promise.resolve().then(() => this.#finish(open, outcome))
  }

  /** Decides when to seal the open object, or to decide again. Called after every change that may allow it. */
  #schedule(): void {
    const open = this.#open
    if (open === undefined || this.#sealSoon) return
    const { clock, policy } = this.#parts
    if (this.#chain.inFlight >= policy.flushesInFlight) return // when one of them ends, #finish calls this again
    const nowMs = clock.monotonic()
    const { waitMs, trigger } = this.#rules.due(open, { idle: this.#chain.inFlight === 0, nowMs })
    if (waitMs > 0) {
      const atMs = nowMs + waitMs
      if (this.#wake !== undefined && this.#wake.atMs <= atMs) return
      this.#wake?.timer.cancel()
      const timer = clock.after(waitMs, () => {
        this.#wake = undefined
        this.#schedule()
      })
      this.#wake = { atMs, timer }
      return
    }
    // Not in this turn, so that batches that have already arrived join.
    this.#sealSoon = true
    clock.soon(() => {
      this.#sealSoon = false
      if (this.#open === open) this.#seal(trigger)
      else this.#schedule() // it became full meanwhile
    })
  }

  #answer(outcome: FlushOutcome, admission: AnswerFor, place: BatchPlace): ProduceAnswer {
    switch (outcome.kind) {
      case 'abandoned':
        return gaveUp(this.#parts.stores.failure ?? outcome.message)
      case 'fenced':
        return fencedAnswer
      case 'committed':
        return this.#answerVerdict(must(outcome.result.verdicts[place.index], 'the verdict of a committed batch'), admission)
    }
  }

  #answerVerdict(verdict: Verdict, { topicId, partition, stamp }: AnswerFor): ProduceAnswer {
    const logStartOffset = this.#parts.tails.get(topicId, partition)?.logStartOffset ?? -1
    switch (verdict.kind) {
      case 'appended':
        return { kind: 'appended', baseOffset: verdict.baseOffset, timestamp: stamp ?? -1, logStartOffset }
      case 'duplicate':
        return {
          kind: 'appended',
          baseOffset: verdict.baseOffset,
          timestamp: stamp === undefined ? -1 : verdict.timestamp,
          logStartOffset,
          replayed: { partition: verdict.partition ?? partition, timestamp: verdict.timestamp },
        }
      case 'rejected':
        if (isGone(verdict.reason)) this.#parts.catalog.forget(topicId as TopicId)
        return { kind: 'rejected', error: verdict.reason, message: null, thenClose: false }
    }
  }
}

/** The part of an admission that its answer needs. */
interface AnswerFor {
  readonly topicId: TopicId
  readonly partition: number
  readonly stamp: number | undefined
}

function gaveUp(message: string): ProduceAnswer {
  return { kind: 'rejected', error: 'NOT_ENOUGH_REPLICAS', message, thenClose: true }
}

const fencedAnswer: ProduceAnswer = {
  kind: 'rejected',
  error: 'NOT_LEADER_OR_FOLLOWER',
  message: 'another agent took over',
  thenClose: true,
}

const cutOffAnswer: ProduceAnswer = {
  kind: 'rejected',
  error: 'NOT_ENOUGH_REPLICAS',
  message: 'an earlier batch of this connection was rejected: reconnect and send it again first',
  thenClose: true,
}

function isGone(reason: CommitRejection): boolean {
  return reason === 'UNKNOWN_TOPIC_ID' || reason === 'UNKNOWN_TOPIC_OR_PARTITION'
}
