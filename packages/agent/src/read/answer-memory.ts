// The memory of answers, from the read to the socket, of all connections together: readers that take nothing cannot fill the agent.

/**
 * Beyond its first piece an answer holds at most this part of what is still free. So a few readers that take nothing leave less to each next one and never
 * nothing: ten of them with endless backlogs leave a tenth. (Dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6, 1998.)
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

  /** `starved` is called whenever an answer gets nothing at all. One listener: the port whose readers hold the memory. */
  onStarved(starved: () => void): void {
    this.#onStarved = starved
  }

  /** Opens the account of one answer. */
  claim(): AnswerClaim {
    return new AnswerClaim({
      // A lone answer may be larger than all there is: one batch must always come.
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

/** There is no memory for an answer: the client may try again. */
export class NoAnswerMemory extends Error {
  override readonly name = 'NoAnswerMemory'

  constructor() {
    super('the answers of other clients hold all memory for answers')
  }
}

interface Pool {
  /** What an answer may hold in all. */
  share(): number
  take(bytes: number, heldBytes: number): boolean
  give(bytes: number): void
  watch(onFreed: () => void): () => void
}

/** What one answer holds. */
export class AnswerClaim {
  readonly #pool: Pool
  #heldBytes = 0
  #refused = false

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Something was asked for in vain since the last release. */
  get refused(): boolean {
    return this.#refused
  }

  /** False: there is no room for so much now. */
  reserve(bytes: number): boolean {
    if (!this.#pool.take(bytes, this.#heldBytes)) {
      this.#refused = true
      return false
    }
    this.#heldBytes += bytes
    return true
  }

  /** Reserves what is missing to `bytes`, as far as the share of one answer goes. Answers what is held then. */
  grow(bytes: number): number {
    const missing = Math.min(bytes, this.#pool.share()) - this.#heldBytes
    if (missing > 0 && this.#pool.take(missing, this.#heldBytes)) this.#heldBytes += missing
    return this.#heldBytes
  }

  /** Holds exactly `bytes` from now on. False: there is not so much, and nothing has changed. */
  settle(bytes: number): boolean {
    const missing = bytes - this.#heldBytes
    if (missing > 0) {
      // One record must always come: it needs room, and no share.
      if (!this.#pool.take(missing, 0)) return false
      this.#heldBytes = bytes
    } else this.giveBack(-missing)
    return true
  }

  /** Of what was reserved last, so much is not needed. */
  giveBack(bytes: number): void {
    if (bytes === 0) return
    this.#heldBytes -= bytes
    this.#pool.give(bytes)
  }

  /** `onFreed` is called whenever anybody gives memory back, until the watch is ended by calling what this answers. */
  watch(onFreed: () => void): () => void {
    return this.#pool.watch(onFreed)
  }

  /** Gives everything back; it may be used again. Twice is once. */
  release(): void {
    this.#refused = false
    this.giveBack(this.#heldBytes)
  }
}
