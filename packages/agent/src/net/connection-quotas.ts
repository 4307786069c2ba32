// The limits on connections, in total and per address. When there is no room, a silent or idle connection gives way to a new one.
import { fixedLimits } from '../limits.ts'
import type { Held } from '../observe/events.ts'
import { number, type Settings } from '../settings.ts'
import type { Clock } from '../time/clock.ts'

/** The part of a connection that the quotas use. */
export interface CountedConnection {
  /** True until the connection has sent a whole request. */
  readonly silent: boolean
  /** The start of the idle time, on the monotonic clock; undefined while the connection is busy. */
  readonly idleSinceMs: number | undefined
  /** Closes the connection. */
  giveWay(held: Held, message: string): void
}

export type QuotaDecision =
  | { readonly kind: 'admitted' }
  /** The setting has the value `limit`, and no connection could give way. */
  | { readonly kind: 'rejected'; readonly setting: 'max.connections' | 'max.connections.per.ip'; readonly limit: number }

/** The pause after a search without success: in a flood of new connections, not each one may cost a search. */
const searchAgainAfterMs = 1_000

export class ConnectionQuotas {
  readonly #clock: Clock
  readonly #settings: Settings
  /** The oldest first. */
  readonly #open = new Map<CountedConnection, string>()
  readonly #perAddress = new Map<string, number>()
  #noneUntilMs = Number.NEGATIVE_INFINITY

  constructor(settings: Settings, clock: Clock) {
    this.#clock = clock
    this.#settings = settings
  }

  /** Called before a connection from `address` is opened. It may close another connection. */
  admit(address: string): QuotaDecision {
    const maxPerAddress = number(this.#settings, 'max.connections.per.ip')
    if ((this.#perAddress.get(address) ?? 0) >= maxPerAddress)
      return { kind: 'rejected', setting: 'max.connections.per.ip', limit: maxPerAddress }
    const max = number(this.#settings, 'max.connections')
    if (this.#open.size >= max && !this.#makeRoom(max)) return { kind: 'rejected', setting: 'max.connections', limit: max }
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

  #makeRoom(max: number): boolean {
    const now = this.#clock.monotonic()
    if (now < this.#noneUntilMs) return false
    const chosen = this.#mostSilent(now - fixedLimits.idleGivesWayMs)
    if (chosen === undefined) {
      this.#noneUntilMs = now + searchAgainAfterMs
      return false
    }
    const why = chosen.silent ? 'it had never sent a request' : 'it had been idle for the longest time'
    // The socket closes a little later, but its place is free now.
    this.closed(chosen)
    chosen.giveWay('connection', `${why}, and a new connection needed one of the ${max} places (max.connections)`)
    return true
  }

  /** The oldest connection that has never sent a request; otherwise the one that has been idle for the longest time, since `beforeMs` or earlier. */
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
