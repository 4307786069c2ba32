// Counts turns of the event loop: a connection takes a limited number of requests in each, and all connections together do, so that thousands of pipelined requests
// block neither other connections nor the work of the writer and the stores.
import { fixedLimits } from '../limits.ts'
import type { Clock } from '../time/clock.ts'

/** Shared by all connections of a port. It counts turns only on demand, so an idle port causes none. */
export class TurnCounter {
  readonly #clock: Clock
  #number = 0
  #ending = false
  /** The requests that all connections have taken in this turn, and the bytes of the large ones. */
  #taken = 0
  #takenBytes = 0
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Opens the share of one connection. After `free` was false, `again` is called in the next turn. */
  share(again: () => void): TurnShare {
    return new TurnShare(this, again)
  }

  /** Equal numbers mean the same turn. */
  get current(): number {
    this.#endLater()
    return this.#number
  }

  /** Whether any connection may take a request in this turn. */
  get hasRoom(): boolean {
    return this.#taken < fixedLimits.requestsPerTurnOfAll
  }

  /** Whether any connection may take a large request in this turn. Small ones never wait for large ones. */
  get hasLargeRoom(): boolean {
    return this.#takenBytes < fixedLimits.largeRequestBytesPerTurn
  }

  take(sizeBytes: number): void {
    this.#taken += 1
    if (isLarge(sizeBytes)) this.#takenBytes += sizeBytes
  }

  /** Calls each callback once in the next turn, in order. */
  next(callback: () => void): void {
    this.#endLater()
    this.#waiting.push(callback)
  }

  #endLater(): void {
    if (this.#ending) return
    this.#ending = true
    this.#clock.soon(() => {
      this.#ending = false
      this.#number += 1
      this.#taken = 0
      this.#takenBytes = 0
      const waiting = this.#waiting
      this.#waiting = []
      for (const callback of waiting) callback()
    })
  }
}

/** The requests that one connection has taken. */
export class TurnShare {
  readonly #turns: TurnCounter
  readonly #again: () => void
  #taken = 0
  #turn = -1
  #inTurn = 0
  #waits = false

  constructor(turns: TurnCounter, again: () => void) {
    this.#turns = turns
    this.#again = again
  }

  /** The total number of requests. */
  get taken(): number {
    return this.#taken
  }

  /** Whether the connection may take another request in this turn. */
  free(): boolean {
    if (this.#waits) return false
    const isNewTurn = this.#turn !== this.#turns.current
    if (this.#turns.hasRoom && (isNewTurn || this.#inTurn < fixedLimits.requestsPerTurn)) return true
    this.#wait()
    return false
  }

  /** Whether the next request of the connection, which has arrived whole, may be taken in this turn. Called after `free`. */
  freeFor(sizeBytes: number): boolean {
    if (!isLarge(sizeBytes) || this.#turns.hasLargeRoom) return true
    this.#wait()
    return false
  }

  take(sizeBytes: number): void {
    const { current } = this.#turns
    this.#inTurn = this.#turn === current ? this.#inTurn + 1 : 1
    this.#turn = current
    this.#taken += 1
    this.#turns.take(sizeBytes)
  }

  #wait(): void {
    this.#waits = true
    this.#turns.next(() => {
      this.#waits = false
      this.#again()
    })
  }
}

function isLarge(sizeBytes: number): boolean {
  return sizeBytes > fixedLimits.largeRequestBytes
}
