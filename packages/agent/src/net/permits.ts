// The budget of bytes that frames may hold between the socket and their admission. Reserved in steps, as the bytes come: a claim alone costs nobody anything.

export class Permits {
  readonly #capacityBytes: number
  /** Frames being read or handled, the eldest first. */
  readonly #claims = new Set<Claim>()
  #usedBytes = 0
  /** Held by frames that are complete: they give it back without asking for more. */
  #wholeBytes = 0

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Opens the account of one frame. */
  claim(): Claim {
    const claim: Claim = new Claim({
      ask: (bytes) => this.#ask(claim, bytes),
      completed: () => {
        this.#wholeBytes += claim.heldBytes
        this.#serve()
      },
      released: () => {
        this.#claims.delete(claim)
        this.#usedBytes -= claim.heldBytes
        if (claim.whole) this.#wholeBytes -= claim.heldBytes
        this.#serve()
      },
    })
    this.#claims.add(claim)
    return claim
  }

  #ask(claim: Claim, bytes: number): boolean {
    const fits = this.#usedBytes + bytes <= this.#capacityBytes
    if (!fits && !this.#mayExceed(claim)) return false
    this.#usedBytes += bytes
    return true
  }

  /**
   * If every frame held a part and waited for the rest, none would ever be whole. So while no whole frame is about to give anything back,
   * the eldest may go over the budget: by one frame at most, because once it is whole the others wait for it.
   */
  #mayExceed(claim: Claim): boolean {
    if (this.#wholeBytes > 0) return false
    for (const other of this.#claims) if (!other.whole) return other === claim
    return false
  }

  /** The eldest that waits goes first, so that a large frame is not passed by small ones for ever. */
  #serve(): void {
    for (const claim of this.#claims) if (claim.waits && !claim.retry()) return
  }
}

interface Pool {
  ask(bytes: number): boolean
  completed(): void
  released(): void
}

/** What one frame holds of the budget. */
export class Claim {
  readonly #pool: Pool
  #heldBytes = 0
  #waiting: { readonly bytes: number; readonly granted: () => void } | undefined
  #state: 'incomplete' | 'whole' | 'released' = 'incomplete'

  constructor(pool: Pool) {
    this.#pool = pool
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get waits(): boolean {
    return this.#waiting !== undefined
  }

  get whole(): boolean {
    return this.#state === 'whole'
  }

  /** True: `bytes` more are reserved now. False: `granted` is called once they are. One ask at a time. */
  reserve(bytes: number, granted: () => void): boolean {
    if (this.#pool.ask(bytes)) {
      this.#heldBytes += bytes
      return true
    }
    this.#waiting = { bytes, granted }
    return false
  }

  /** For the pool: asks again. False: still no room. */
  retry(): boolean {
    const waiting = this.#waiting
    if (waiting === undefined) return true
    if (!this.#pool.ask(waiting.bytes)) return false
    this.#waiting = undefined
    this.#heldBytes += waiting.bytes
    waiting.granted()
    return true
  }

  /** All bytes of the frame are here: it asks for no more. */
  complete(): void {
    if (this.#state !== 'incomplete') return
    this.#state = 'whole'
    this.#pool.completed()
  }

  /** Gives everything back. Twice is once. */
  release(): void {
    if (this.#state === 'released') return
    this.#waiting = undefined
    this.#pool.released()
    this.#state = 'released'
    this.#heldBytes = 0
  }
}
