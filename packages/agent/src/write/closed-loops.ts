// Producers in closed loops: they send nothing more before they are answered, so holding their records for the budget of PUTs buys nothing.
import { assert, must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'

/** What the writer may expect of the producers in closed loops. */
export interface LoopState {
  /** Above 0: some were answered a moment ago, and will be back within this time. */
  readonly backWithinMs: number
  /** Some have batches in a sealed object, and will be back when it is stored. */
  readonly inFlight: boolean
  /** Some have batches in the open object only, and send nothing more before it is stored. */
  readonly waiting: boolean
}

/** The admissions of each producer in one object. A producer is its connection, by identity. */
export type AdmissionCounts = ReadonlyMap<object, number>

/** What is known about one producer. */
interface LoopProducer {
  /** Its unanswered admissions in the open object, and in sealed ones. */
  open: number
  sealed: number
  /** Its unanswered admissions when it was last answered: as many as its client sends without an answer, if it is in a closed loop. */
  depth: number
  /** Evidence of a closed loop: it grows when the producer is back at its depth in time, shrinks when it is late, and ends with a batch above the depth. */
  score: number
  /** The time of its last answer, until it is back at its depth or too late. */
  answeredAtMs: number | undefined
  state: 'other' | 'expected' | 'in flight' | 'waiting'
}

/**
 * A closed loop shows in the reaction to answers: the client has its next requests ready, so right after an answer it has as many unanswered ones again as before.
 * A client that sends at its own pace needs longer. The evidence is counts and the times of admissions and answers only; each call takes constant time.
 */
export class ClosedLoops {
  readonly #producers = new WeakMap<object, LoopProducer>()
  /** Those in a closed loop, by what may be expected of them. */
  readonly #members = {
    other: undefined,
    expected: new Set<LoopProducer>(),
    'in flight': new Set<LoopProducer>(),
    waiting: new Set<LoopProducer>(),
  }

  admitted(connection: object, nowMs: number): void {
    const producer = this.#producer(connection)
    expire(producer, nowMs)
    producer.open += 1
    const unanswered = unansweredOf(producer)
    if (unanswered > producer.depth + slackOf(producer)) {
      producer.depth = unanswered
      producer.score = 0
    } else if (producer.answeredAtMs !== undefined && isFull(producer)) {
      producer.answeredAtMs = undefined
      producer.score = Math.min(maxScore, producer.score + 1)
    }
    this.#place(producer)
  }

  /** The open object was sealed, or given up. */
  sealed(counts: AdmissionCounts): void {
    for (const [connection, count] of counts) {
      const producer = this.#known(connection)
      assert(count <= producer.open, 'a sealed object holds only admissions that were in the open one')
      producer.open -= count
      producer.sealed += count
      this.#place(producer)
    }
  }

  /** The admissions in an object that was sealed or given up are answered. */
  answered(counts: AdmissionCounts, nowMs: number): void {
    for (const [connection, count] of counts) {
      const producer = this.#known(connection)
      expire(producer, nowMs)
      // Otherwise it is still on its way back to its depth.
      if (producer.answeredAtMs === undefined) producer.depth = unansweredOf(producer)
      assert(count <= producer.sealed, 'an answered admission is in a sealed object')
      producer.sealed -= count
      producer.answeredAtMs = nowMs
      this.#place(producer)
    }
  }

  state(nowMs: number): LoopState {
    const { expected, 'in flight': inFlight, waiting } = this.#members
    let backWithinMs = 0
    for (const producer of expected) {
      backWithinMs = backWithin(must(producer.answeredAtMs, 'the answer of an expected producer'), nowMs)
      if (backWithinMs > 0) break
      // It leaves this set: the loop ends.
      expire(producer, nowMs)
      this.#place(producer)
    }
    return { backWithinMs: Math.max(0, backWithinMs), inFlight: inFlight.size > 0, waiting: waiting.size > 0 }
  }

  #place(producer: LoopProducer): void {
    this.#members[producer.state]?.delete(producer)
    producer.state = stateOf(producer)
    this.#members[producer.state]?.add(producer)
  }

  #producer(connection: object): LoopProducer {
    const known = this.#producers.get(connection)
    if (known !== undefined) return known
    const made: LoopProducer = { open: 0, sealed: 0, depth: 0, score: 0, answeredAtMs: undefined, state: 'other' }
    this.#producers.set(connection, made)
    return made
  }

  #known(connection: object): LoopProducer {
    return must(this.#producers.get(connection), 'the producer of an admission')
  }
}

/** So many reactions in time make a closed loop, which may cost PUTs beyond the budget. */
const loopScore = 3
/** So many make it worth a moment of waiting, which costs no PUT. */
const hopeScore = 1
/** A late reaction costs two. With this much, an established loop survives a pause of its client. */
const maxScore = 12

function unansweredOf({ open, sealed }: LoopProducer): number {
  return open + sealed
}

/** Clients that allow many unanswered requests do not always send as many. */
function slackOf({ depth }: LoopProducer): number {
  return depth >> 3
}

function isFull(producer: LoopProducer): boolean {
  return unansweredOf(producer) >= producer.depth - slackOf(producer)
}

/** The one place that compares these times: with the terms in another order, the difference may round to the other side of zero. */
function backWithin(answeredAtMs: number, nowMs: number): number {
  return answeredAtMs + fixedLimits.producerReactionMs - nowMs
}

function expire(producer: LoopProducer, nowMs: number): void {
  if (producer.answeredAtMs === undefined || backWithin(producer.answeredAtMs, nowMs) > 0) return
  producer.answeredAtMs = undefined
  producer.score = Math.max(0, producer.score - 2)
}

function stateOf(producer: LoopProducer): LoopProducer['state'] {
  const { score, answeredAtMs, open, sealed } = producer
  if (score >= hopeScore && !isFull(producer) && answeredAtMs !== undefined) return 'expected'
  if (score < loopScore) return 'other'
  if (sealed > 0) return 'in flight'
  return isFull(producer) && open > 0 ? 'waiting' : 'other'
}
