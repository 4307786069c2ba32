// The budget of bytes that frames may hold between the socket and their admission. A frame reserves bytes in steps as they arrive, and gives way when it stalls while others wait.
// The order in which frames are served is a rule of its own: the age of the frame decides, not the time of its last step, and one frame may exceed the budget.
import { fixedLimits } from '../limits.ts'
import { ByteBudget, type ByteGauge } from '../observe/byte-budget.ts'
import type { Clock, Timer } from '../time/clock.ts'

export interface PermitsOptions {
  readonly capacityBytes: number
  /** The part of the capacity that incomplete frames may hold; the rest is a reserve for complete frames. The default is 1: there is no reserve. */
  readonly incompletePart?: number
  readonly clock: Clock
}

/** `whole` means that all bytes of the frame have arrived, so it needs the reservation only until it is handled. */
type AskKind = 'incomplete' | 'whole'

export class Permits {
  readonly #budget: ByteBudget
  /** The part of the budget for incomplete frames. Complete frames give their bytes back without asking for more. */
  readonly #incomplete: ByteBudget
  readonly #hasReserve: boolean
  readonly #clock: Clock
  /** The frames that are being read or handled, the oldest first. */
  readonly #claims = new Set<Claim>()
  readonly #waiting = { incomplete: 0, whole: 0 }
  /** The claim that may exceed the budget. */
  #favoured: Claim | undefined
  #serving = false
  #overdue: Timer | undefined

  constructor({ capacityBytes, incompletePart = 1, clock }: PermitsOptions) {
    this.#budget = new ByteBudget(capacityBytes)
    this.#incomplete = new ByteBudget(Math.floor(capacityBytes * incompletePart))
    this.#hasReserve = incompletePart < 1
    this.#clock = clock
  }

  get usedBytes(): number {
    return this.#budget.usedBytes
  }

  get gauge(): ByteGauge {
    return this.#budget.gauge
  }

  /**
   * Opens a claim for one frame. `giveWay` is called at most once, when other frames wait and this one arrives too slowly: below
   * `fixedLimits.frameBytesPerSecond` after `fixedLimits.frameGraceMs`. The caller then releases the claim.
   */
  claim(giveWay: () => void): Claim {
    const claim: Claim = new Claim({
      clock: this.#clock,
      giveWay,
      ask: (bytes, kind) => {
        // A frame that already waits goes first: otherwise small frames would overtake a large one indefinitely.
        const first = this.#waiting[this.#queueOf(kind)] === 0 || claim === this.#favoured
        return first && this.#grant(claim, bytes, kind)
      },
      askAgain: (bytes, kind) => this.#grant(claim, bytes, kind),
      waiting: (change, kind) => {
        this.#waiting[this.#queueOf(kind)] += change
        if (change > 0) this.#watchOverdue()
      },
      completed: () => {
        this.#incomplete.release(claim.heldBytes)
        this.#settled(claim)
      },
      released: () => {
        this.#claims.delete(claim)
        this.#budget.release(claim.heldBytes)
        if (!claim.whole) this.#incomplete.release(claim.heldBytes)
        this.#settled(claim)
      },
    })
    this.#claims.add(claim)
    return claim
  }

  /** Without a reserve there is only one queue. */
  #queueOf(kind: AskKind): AskKind {
    return this.#hasReserve ? kind : 'incomplete'
  }

  #grant(claim: Claim, bytes: number, kind: AskKind): boolean {
    const fits = bytes <= this.#budget.freeBytes && (kind === 'whole' || bytes <= this.#incomplete.freeBytes)
    if (!fits && !this.#mayExceed(claim)) return false
    this.#budget.take(bytes)
    this.#incomplete.take(bytes)
    return true
  }

  /**
   * If every frame held a part and waited for the rest, none would ever be complete. So while no complete frame can give bytes back,
   * one frame may exceed the budget until it is complete, and the others wait for it.
   */
  #mayExceed(claim: Claim): boolean {
    if (this.#budget.usedBytes > this.#incomplete.usedBytes) return false
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

  /** Searched again after each grant, because a frame usually asks for its next step at once. */
  #eldestWaiting(queue: AskKind): Claim | undefined {
    if (this.#waiting[queue] > 0)
      for (const claim of this.#claims) if (claim.waitsFor !== undefined && this.#queueOf(claim.waitsFor) === queue) return claim
    return undefined
  }

  /** While a frame waits, frames that arrive too slowly give way, the oldest first, and only as many as needed. */
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

/** One frame's share of the budget. */
export class Claim {
  readonly #pool: Pool
  #heldBytes = 0
  #waiting: { readonly bytes: number; readonly kind: AskKind; readonly granted: () => void } | undefined
  #state: 'incomplete' | 'whole' | 'released' = 'incomplete'
  /** Since then the client, not this budget, determines how fast the frame arrives. */
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

  /** The deadline of the frame while others wait, on the monotonic clock. */
  get overdueAtMs(): number {
    return this.#sinceMs + fixedLimits.frameGraceMs + (this.#heldBytes * 1000) / fixedLimits.frameBytesPerSecond
  }

  /** Reserves more bytes. On false they are reserved later, and `granted` is called then. Only one request may be open at a time. */
  reserve(bytes: number, granted: () => void, kind: AskKind = 'incomplete'): boolean {
    if (this.#pool.ask(bytes, kind)) {
      this.#heldBytes += bytes
      return true
    }
    this.#waiting = { bytes, kind, granted }
    this.#pool.waiting(1, kind)
    return false
  }

  /** For the pool: tries the waiting request again. Returns false if there is still no room. */
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

  /** For the pool: makes this frame give way, because it arrives too slowly while others wait. */
  giveWay(): void {
    this.#pool.giveWay()
  }

  /** All bytes of the frame have arrived: it reserves no more. */
  complete(): void {
    if (this.#state !== 'incomplete') return
    this.#state = 'whole'
    this.#pool.completed()
  }

  /** Gives all bytes back. Idempotent. */
  release(): void {
    if (this.#state === 'released') return
    if (this.#waiting !== undefined) this.#pool.waiting(-1, this.#waiting.kind)
    this.#waiting = undefined
    this.#pool.released()
    this.#state = 'released'
    this.#heldBytes = 0
  }
}
