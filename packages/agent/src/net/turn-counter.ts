// Turns of the event loop, counted: a connection takes only some requests in each, so that thousands of pipelined ones do not hold up the others.
import { limits } from '../limits.ts'
import type { Clock } from '../time/clock.ts'

/** Shared by all connections of a port. A turn is counted only while somebody asks, so an idle port has no turns. */
export class TurnCounter {
  readonly #clock: Clock
  #number = 0
  #ending = false
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Opens the account of one connection. `again` is called in the next turn when `free` was false. */
  share(again: () => void): TurnShare {
    return new TurnShare(this, again)
  }

  /** The same number means the same turn. */
  get current(): number {
    this.#endLater()
    return this.#number
  }

  /** Calls once in the next turn, in the order of the calls. */
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
      const waiting = this.#waiting
      this.#waiting = []
      for (const callback of waiting) callback()
    })
  }
}

/** What one connection has taken. */
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

  /** Requests in all. */
  get taken(): number {
    return this.#taken
  }

  /** Whether another request may be taken in this turn. */
  free(): boolean {
    if (this.#waits) return false
    if (this.#turn !== this.#turns.current || this.#inTurn < limits.requestsPerTurn) return true
    this.#waits = true
    this.#turns.next(() => {
      this.#waits = false
      this.#again()
    })
    return false
  }

  take(): void {
    const { current } = this.#turns
    this.#inTurn = this.#turn === current ? this.#inTurn + 1 : 1
    this.#turn = current
    this.#taken += 1
  }
}
