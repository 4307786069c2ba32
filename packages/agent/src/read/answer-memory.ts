// The memory of the answers of all connections, from the read to the socket: clients that do not read their answers cannot exhaust the agent's memory.
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'

/**
 * Beyond its first piece an answer holds at most this part of the memory that is still free. So a few clients that do not read their answers leave less to
 * each next one, but never nothing: ten of them with endless backlogs leave a tenth. (Dynamic thresholds: Choudhury and Hahne, IEEE/ACM ToN 6, 1998.)
 */
const shareOfFree = 1 / 4

export class AnswerMemory {
  readonly #budget: ByteBudget
  #onStarved: () => void = () => {}

  /** How much an answer may keep in memory, as a multiple of its size: see sparse-answers.ts. */
  readonly heldRatio: number

  constructor(limitBytes: number, heldRatio = 1) {
    this.#budget = new ByteBudget(limitBytes)
    this.heldRatio = heldRatio
  }

  get usedBytes(): number {
    return this.#budget.usedBytes
  }

  get gauge(): ByteGauge {
    return this.#budget.gauge
  }

  /** `starved` is called whenever an answer gets no memory at all. It has one listener: the port whose clients hold the memory. */
  onStarved(starved: () => void): void {
    this.#onStarved = starved
  }

  /** Opens the account of one answer. A lone answer may be larger than all memory, because one batch must always fit. */
  claim(): AnswerClaim {
    return new AnswerClaim(this.#budget, () => this.#onStarved())
  }
}

/** There is no memory for an answer: the client may retry. */
export class NoAnswerMemory extends Error {
  override readonly name = 'NoAnswerMemory'

  constructor() {
    super('the answers of other clients hold all memory for answers')
  }
}

/** The memory that one answer holds. */
export class AnswerClaim {
  readonly #budget: ByteBudget
  readonly #starved: () => void
  #heldBytes = 0
  #rejected = false

  constructor(budget: ByteBudget, starved: () => void) {
    this.#budget = budget
    this.#starved = starved
  }

  /** Whether a request for memory was rejected since the last release. */
  get rejected(): boolean {
    return this.#rejected
  }

  /** The most that an answer may hold beyond its first piece. */
  get shareBytes(): number {
    return Math.floor(this.#budget.freeBytes * shareOfFree)
  }

  /** False: the memory is not available now. */
  reserve(bytes: number): boolean {
    const taken = this.#take(bytes)
    if (!taken) this.#rejected = true
    return taken
  }

  /** Reserves more memory, up to `bytes` in all, as far as the share of one answer allows. Returns the amount held then. */
  grow(bytes: number): number {
    const missing = Math.min(bytes, this.shareBytes) - this.#heldBytes
    if (missing > 0) this.#take(missing)
    return this.#heldBytes
  }

  /** Holds exactly `bytes` from now on. False: the memory is not available, and nothing has changed. */
  settle(bytes: number): boolean {
    const missing = bytes - this.#heldBytes
    if (missing > 0) return this.#takeNeeded(missing)
    this.giveBack(-missing)
    return true
  }

  /** Returns the unused part of the last reservation. */
  giveBack(bytes: number): void {
    if (bytes === 0) return
    this.#heldBytes -= bytes
    this.#budget.release(bytes)
  }

  /** `onFreed` is called whenever any answer releases memory, until the watch is ended by calling the returned function. */
  watch(onFreed: () => void): () => void {
    return this.#budget.watch(onFreed)
  }

  /** Releases everything; the claim can be used again. Idempotent. */
  release(): void {
    this.#rejected = false
    this.giveBack(this.#heldBytes)
  }

  #take(bytes: number): boolean {
    if (this.#heldBytes === 0) return this.#takeNeeded(bytes)
    if (this.#heldBytes + bytes > this.shareBytes || !this.#budget.tryTake(bytes)) return false
    this.#heldBytes += bytes
    return true
  }

  /** One record must always fit: it needs free memory, but no share. */
  #takeNeeded(bytes: number): boolean {
    const taken = this.#budget.tryTake(bytes)
    if (taken) this.#heldBytes += bytes
    else this.#starved()
    return taken
  }
}
