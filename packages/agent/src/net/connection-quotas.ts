// How many connections there may be, in all and per address; when there is no room, the most silent one gives way to a new one.
import { limits } from '../limits.ts'
import type { Held } from '../observe/events.ts'
import { number, type Settings } from '../settings.ts'
import type { Clock } from '../time/clock.ts'

/** What the quotas need of a connection. */
export interface CountedConnection {
  /** Whether it has never sent a whole request. */
  readonly silent: boolean
  /** Since when it has had nothing to do, on the monotonic clock; undefined while it has. */
  readonly idleSinceMs: number | undefined
  /** Closes it. */
  giveWay(held: Held, message: string): void
}

export type Admitted =
  | { readonly kind: 'admitted' }
  /** `setting` has the value `limit`, and no connection could give way. */
  | { readonly kind: 'rejected'; readonly setting: 'max.connections' | 'max.connections.per.ip'; readonly limit: number }

/** How long a search without success is believed: a flood of new connections must not cost a search each. */
const searchAgainAfterMs = 1_000

export class ConnectionQuotas {
  readonly #clock: Clock
  readonly #max: number
  readonly #maxPerAddress: number
  /** The eldest first. */
  readonly #open = new Map<CountedConnection, string>()
  readonly #perAddress = new Map<string, number>()
  #noneUntilMs = Number.NEGATIVE_INFINITY

  constructor(settings: Settings, clock: Clock) {
    this.#clock = clock
    this.#max = number(settings, 'max.connections')
    this.#maxPerAddress = number(settings, 'max.connections.per.ip')
  }

  /** Asked before a connection from `address` is opened. It may close another one. */
  admit(address: string): Admitted {
    if ((this.#perAddress.get(address) ?? 0) >= this.#maxPerAddress)
      return { kind: 'rejected', setting: 'max.connections.per.ip', limit: this.#maxPerAddress }
    if (this.#open.size >= this.#max && !this.#makeRoom()) return { kind: 'rejected', setting: 'max.connections', limit: this.#max }
    return { kind: 'admitted' }
  }

  opened(connection: CountedConnection, address: string): void {
    this.#open.set(connection, address)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
  }

  /** Idempotent. */
  closed(connection: CountedConnection): void {
    const address = this.#open.get(connection)
    if (address === undefined) return
    this.#open.delete(connection)
    const left = (this.#perAddress.get(address) ?? 0) - 1
    if (left > 0) this.#perAddress.set(address, left)
    else this.#perAddress.delete(address)
  }

  #makeRoom(): boolean {
    const now = this.#clock.monotonic()
    if (now < this.#noneUntilMs) return false
    const chosen = this.#mostSilent(now - limits.idleGivesWayMs)
    if (chosen === undefined) {
      this.#noneUntilMs = now + searchAgainAfterMs
      return false
    }
    const why = chosen.silent ? 'it had never sent a request' : 'it had been idle for the longest time'
    // Its socket closes a little later; its place is free now.
    this.closed(chosen)
    chosen.giveWay('connection', `${why}, and a new connection needed one of the ${this.#max} places (max.connections)`)
    return true
  }

  /** The eldest that has never sent a request; without one, the one that has been idle for the longest time, if that was before `beforeMs`. */
  #mostSilent(beforeMs: number): CountedConnection | undefined {
    let idlest: { readonly connection: CountedConnection; readonly sinceMs: number } | undefined
    for (const connection of this.#open.keys()) {
      if (connection.silent) return connection
      const sinceMs = connection.idleSinceMs
      if (sinceMs !== undefined && sinceMs <= beforeMs && (idlest === undefined || sinceMs < idlest.sinceMs))
        idlest = { connection, sinceMs }
    }
    return idlest?.connection
  }
}
