// The budget of bytes that frames may hold between the socket and their admission. Reserved in steps, as the bytes come: a claim alone costs nobody anything.

export class Permits {
  readonly #capacityBytes: number
  /** Frames being read or handled, the eldest first. */
  readonly #claims = new Set<Claim>()
  #usedBytes = 0
  /** Held by frames that are complete: they give it back without asking for more. */
  #wholeBytes = 0
  /** How many wait. */
  #waiting = 0
  /** May go over the budget. */
  #favoured: Claim | undefined
  #serving = false

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Opens the account of one frame. */
  claim(): Claim {
    const claim: Claim = new Claim({
      // Whoever waits already goes first, or a large frame would be passed by small ones for ever.
      ask: (bytes) => (this.#waiting > 0 && claim !== this.#favoured ? false : this.#grant(claim, bytes)),
      askAgain: (bytes) => this.#grant(claim, bytes),
      waiting: (change) => {
        this.#waiting += change
      },
      completed: () => {
        this.#wholeBytes += claim.heldBytes
        this.#settled(claim)
      },
      released: () => {
        this.#claims.delete(claim)
        this.#usedBytes -= claim.heldBytes
        if (claim.whole) this.#wholeBytes -= claim.heldBytes
        this.#settled(claim)
      },
    })
    this.#claims.add(claim)
    return claim
  }

  #grant(claim: Claim, bytes: number): boolean {
    const fits = this.#usedBytes + bytes <= this.#capacityBytes
    if (!fits && !this.#mayExceed(claim)) return false
    this.#usedBytes += bytes
    return true
  }

  /**
   * If every frame held a part and waited for the rest, none would ever be whole. So while no whole frame is about to give anything back,
   * one may go over the budget until it is whole; then the others wait for it.
   */
  #mayExceed(claim: Claim): boolean {
    if (this.#wholeBytes > 0) return false
    this.#favoured ??= claim
    return this.#favoured === claim
  }

  #settled(claim: Claim): void {
    if (this.#favoured === claim) this.#favoured = undefined
    if (this.#serving) return
    this.#serving = true
    for (let eldest = this.#eldestWaiting(); eldest?.retry() === true; ) eldest = this.#eldestWaiting()
    this.#serving = false
  }

  /** Looked for afresh after each grant: whoever was granted a step mostly asks for the next one at once. */
  #eldestWaiting(): Claim | undefined {
    if (this.#waiting > 0) for (const claim of this.#claims) if (claim.waits) return claim
    return undefined
  }
}

interface Pool {
  ask(bytes: number): boolean
  askAgain(bytes: number): boolean
  waiting(change: 1 | -1): void
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
    this.#pool.waiting(1)
    return false
  }

  /** For the pool: asks again. False: still no room. */
  retry(): boolean {
    const waiting = this.#waiting
    if (waiting === undefined) return true
    if (!this.#pool.askAgain(waiting.bytes)) return false
    this.#waiting = undefined
    this.#pool.waiting(-1)
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
    if (this.#waiting !== undefined) this.#pool.waiting(-1)
    this.#waiting = undefined
    this.#pool.released()
    this.#state = 'released'
    this.#heldBytes = 0
  }
}
