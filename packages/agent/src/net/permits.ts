// The budget of bytes that frames may hold between the socket and their admission. A frame reserves in steps, as its bytes arrive, and gives way when it stalls and others wait.
import { limits } from '../limits.ts'
import type { Clock, Timer } from '../time/clock.ts'

export interface PermitsOptions {
  readonly capacityBytes: number
  /** What incomplete frames may hold of it; the rest is a reserve for frames that have arrived whole. Default: all of it, without a reserve. */
  readonly incompleteBytes?: number
  readonly clock: Clock
}

/** `whole`: all bytes of the frame have arrived, so it needs the reservation only until it is handled. */
type AskKind = 'incomplete' | 'whole'

export class Permits {
  readonly #capacityBytes: number
  readonly #incompleteCapacityBytes: number
  readonly #clock: Clock
  /** Frames being read or handled, the eldest first. */
  readonly #claims = new Set<Claim>()
  #usedBytes = 0
  /** Held by frames that are complete: they give it back without asking for more. */
  #wholeBytes = 0
  readonly #waiting = { incomplete: 0, whole: 0 }
  /** May go over the budget. */
  #favoured: Claim | undefined
  #serving = false
  #overdue: Timer | undefined

  constructor({ capacityBytes, incompleteBytes = capacityBytes, clock }: PermitsOptions) {
    this.#capacityBytes = capacityBytes
    this.#incompleteCapacityBytes = incompleteBytes
    this.#clock = clock
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get capacityBytes(): number {
    return this.#capacityBytes
  }

  /**
   * Opens the account of one frame. `giveWay` is called at most once, when other frames wait and this one arrives too slowly: below
   * `limits.frameBytesPerSecond` after `limits.frameGraceMs`. The caller then releases the claim.
   */
  claim(giveWay: () => void): Claim {
    const claim: Claim = new Claim({
      clock: this.#clock,
      giveWay,
      ask: (bytes, kind) => {
        // An earlier frame that waits goes first: otherwise small frames would pass a large one indefinitely.
        const first = this.#waiting[this.#queueOf(kind)] === 0 || claim === this.#favoured
        return first && this.#grant(claim, bytes, kind)
      },
      askAgain: (bytes, kind) => this.#grant(claim, bytes, kind),
      waiting: (change, kind) => {
        this.#waiting[this.#queueOf(kind)] += change
        if (change > 0) this.#watchOverdue()
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

  /** Without a reserve there is one queue. */
  #queueOf(kind: AskKind): AskKind {
    return this.#incompleteCapacityBytes < this.#capacityBytes ? kind : 'incomplete'
  }

  #grant(claim: Claim, bytes: number, kind: AskKind): boolean {
    const fits =
      this.#usedBytes + bytes <= this.#capacityBytes &&
      (kind === 'whole' || this.#usedBytes - this.#wholeBytes + bytes <= this.#incompleteCapacityBytes)
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
    for (const queue of ['whole', 'incomplete'] as const)
      for (let eldest = this.#eldestWaiting(queue); eldest?.retry() === true; ) eldest = this.#eldestWaiting(queue)
    this.#serving = false
  }

  /** Looked up again after each grant: a frame that was granted a step usually asks for the next one at once. */
  #eldestWaiting(queue: AskKind): Claim | undefined {
    if (this.#waiting[queue] > 0)
      for (const claim of this.#claims) if (claim.waitsFor !== undefined && this.#queueOf(claim.waitsFor) === queue) return claim
    return undefined
  }

  /** While a frame waits: frames that arrive too slowly give way, the eldest first, and only as many as are needed. */
  #watchOverdue(): void {
    if (this.#overdue !== undefined) return
    const now = this.#clock.monotonic()
    let nextMs = Number.POSITIVE_INFINITY
    for (const claim of this.#claims) {
      if (!this.#anyWaits) return
      if (claim.whole || claim.waits) continue
      if (claim.overdueAtMs <= now) claim.giveWay()
      else nextMs = Math.min(nextMs, claim.overdueAtMs)
    }
    if (!this.#anyWaits || nextMs === Number.POSITIVE_INFINITY) return
    this.#overdue = this.#clock.after(Math.max(1, nextMs - now), () => {
      this.#overdue = undefined
      this.#watchOverdue()
    })
  }

  get #anyWaits(): boolean {
    return this.#waiting.incomplete + this.#waiting.whole > 0
  }
}

interface Pool {
  readonly clock: Clock
  giveWay(): void
  ask(bytes: number, kind: AskKind): boolean
  askAgain(bytes: number, kind: AskKind): boolean
  waiting(change: 1 | -1, kind: AskKind): void
  completed(): void
  released(): void
}

/** What one frame holds of the budget. */
export class Claim {
  readonly #pool: Pool
  #heldBytes = 0
  #waiting: { readonly bytes: number; readonly kind: AskKind; readonly granted: () => void } | undefined
  #state: 'incomplete' | 'whole' | 'released' = 'incomplete'
  /** From when on its client, and not this budget, decides how fast the frame arrives. */
  #sinceMs: number

  constructor(pool: Pool) {
    this.#pool = pool
    this.#sinceMs = pool.clock.monotonic()
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get waits(): boolean {
    return this.#waiting !== undefined
  }

  get waitsFor(): AskKind | undefined {
    return this.#waiting?.kind
  }

  get whole(): boolean {
    return this.#state === 'whole'
  }

  /** When the frame must have arrived if others wait. Monotonic. */
  get overdueAtMs(): number {
    return this.#sinceMs + limits.frameGraceMs + (this.#heldBytes * 1000) / limits.frameBytesPerSecond
  }

  /** True: `bytes` more are reserved now. False: `granted` is called once they are. One ask at a time. */
  reserve(bytes: number, granted: () => void, kind: AskKind = 'incomplete'): boolean {
    if (this.#pool.ask(bytes, kind)) {
      this.#heldBytes += bytes
      return true
    }
    this.#waiting = { bytes, kind, granted }
    this.#pool.waiting(1, kind)
    return false
  }

  /** For the pool: asks again. False: still no room. */
  retry(): boolean {
    const waiting = this.#waiting
    if (waiting === undefined) return true
    if (!this.#pool.askAgain(waiting.bytes, waiting.kind)) return false
    this.#waiting = undefined
    this.#pool.waiting(-1, waiting.kind)
    this.#heldBytes += waiting.bytes
    this.#sinceMs = this.#pool.clock.monotonic()
    waiting.granted()
    return true
  }

  /** For the pool: others wait, and this frame arrives too slowly. */
  giveWay(): void {
    this.#pool.giveWay()
  }

  /** All bytes of the frame are here: it asks for no more. */
  complete(): void {
    if (this.#state !== 'incomplete') return
    this.#state = 'whole'
    this.#pool.completed()
  }

  /** Gives everything back. Idempotent. */
  release(): void {
    if (this.#state === 'released') return
    if (this.#waiting !== undefined) this.#pool.waiting(-1, this.#waiting.kind)
    this.#waiting = undefined
    this.#pool.released()
    this.#state = 'released'
    this.#heldBytes = 0
  }
}
