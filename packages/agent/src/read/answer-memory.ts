// The memory of the answers of all connections, from the read to the socket: clients that do not read their answers cannot exhaust the agent's memory.

/**
 * Beyond its first piece an answer holds at most this part of the memory that is still free. So a few clients that do not read their answers leave less to
 * each next one, but never nothing: ten of them with endless backlogs leave a tenth. (Dynamic thresholds: Choudhury and Hahne, IEEE/ACM ToN 6, 1998.)
 */
const shareOfFree = 1 / 4

export class AnswerMemory {
  readonly #capacityBytes: number
  readonly #watchers = new Set<() => void>()
  #usedBytes = 0
  #onStarved: () => void = () => {}

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get capacityBytes(): number {
    return this.#capacityBytes
  }

  /** `starved` is called whenever an answer gets no memory at all. It has one listener: the port whose clients hold the memory. */
  onStarved(starved: () => void): void {
    this.#onStarved = starved
  }

  /** Opens the account of one answer. */
  claim(): AnswerClaim {
    return new AnswerClaim({
      // A lone answer may be larger than all memory, because one batch must always fit.
      take: (bytes, heldBytes) => {
        const freeBytes = this.#capacityBytes - this.#usedBytes
        const fits = this.#usedBytes === 0 || (bytes <= freeBytes && (heldBytes === 0 || heldBytes + bytes <= freeBytes * shareOfFree))
        if (fits) this.#usedBytes += bytes
        else if (heldBytes === 0) this.#onStarved()
        return fits
      },
      share: () => Math.floor((this.#capacityBytes - this.#usedBytes) * shareOfFree),
      give: (bytes) => {
        this.#usedBytes -= bytes
        for (const watcher of new Set(this.#watchers)) watcher()
      },
      watch: (onFreed) => {
        this.#watchers.add(onFreed)
        return () => void this.#watchers.delete(onFreed)
      },
    })
  }
}

/** There is no memory for an answer: the client may retry. */
export class NoAnswerMemory extends Error {
  override readonly name = 'NoAnswerMemory'

  constructor() {
    super('the answers of other clients hold all memory for answers')
  }
}

interface Pool {
  /** The most that an answer may hold. */
  share(): number
  take(bytes: number, heldBytes: number): boolean
  give(bytes: number): void
  watch(onFreed: () => void): () => void
}

/** The memory that one answer holds. */
export class AnswerClaim {
  readonly #pool: Pool
  #heldBytes = 0
  #refused = false

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Whether a request for memory was rejected since the last release. */
  get refused(): boolean {
    return this.#refused
  }

  /** False: the memory is not available now. */
  reserve(bytes: number): boolean {
    if (!this.#pool.take(bytes, this.#heldBytes)) {
      this.#refused = true
      return false
    }
    this.#heldBytes += bytes
    return true
  }

  /** Reserves more memory, up to `bytes` in all, as far as the share of one answer allows. Returns the amount held then. */
  grow(bytes: number): number {
    const missing = Math.min(bytes, this.#pool.share()) - this.#heldBytes
    if (missing > 0 && this.#pool.take(missing, this.#heldBytes)) this.#heldBytes += missing
    return this.#heldBytes
  }

  /** Holds exactly `bytes` from now on. False: the memory is not available, and nothing has changed. */
  settle(bytes: number): boolean {
    const missing = bytes - this.#heldBytes
    if (missing > 0) {
      // One record must always fit: it needs free memory, but no share.
      if (!this.#pool.take(missing, 0)) return false
      this.#heldBytes = bytes
    } else this.giveBack(-missing)
    return true
  }

  /** Returns the unused part of the last reservation. */
  giveBack(bytes: number): void {
    if (bytes === 0) return
    this.#heldBytes -= bytes
    this.#pool.give(bytes)
  }

  /** `onFreed` is called whenever any answer releases memory, until the watch is ended by calling the returned function. */
  watch(onFreed: () => void): () => void {
    return this.#pool.watch(onFreed)
  }

  /** Releases everything; the claim can be used again. Idempotent. */
  release(): void {
    this.#refused = false
    this.giveBack(this.#heldBytes)
  }
}
