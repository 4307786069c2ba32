// This agent's place among the others: it registers an incarnation, beats its lease, and stops when it finds itself fenced.
import type { Nonce } from './core/ids.ts'
import { limits } from './limits.ts'
import type { Members, RegisterInput, Registration } from './metadata/metadata-store.ts'
import type { EventHook } from './observe/events.ts'
import type { Clock, Random } from './time/clock.ts'
import { Owners } from './view/owners.ts'

export interface MembershipParts {
  readonly members: Members
  readonly slots: number
  readonly clock: Clock
  readonly random: Random
  readonly emit: EventHook
}

export class Membership {
  readonly owners: Owners
  readonly registration: Registration
  readonly #parts: MembershipParts
  #lastBeatMs: number
  #slotsVersion = -1

  private constructor(parts: MembershipParts, registration: Registration) {
    this.#parts = parts
    this.registration = registration
    this.#lastBeatMs = parts.clock.monotonic()
    this.owners = new Owners({ slots: parts.slots, brokerId: registration.brokerId, incarnation: registration.incarnation })
    this.owners.publishSlots(registration.slots)
  }

  /** Registers under the name: a predecessor of the same name is fenced. */
  static async join(parts: MembershipParts, self: Omit<RegisterInput, 'nonce'>): Promise<Membership> {
    const nonce = Buffer.from(parts.random.bytes(8)).toString('hex') as Nonce
    const registration = await parts.members.register({ ...self, nonce })
    const membership = new Membership(parts, registration)
    parts.emit({ kind: 'registered', incarnation: registration.incarnation, brokerId: registration.brokerId })
    await membership.#beat()
    return membership
  }

  /** Milliseconds since the database last answered a heartbeat. */
  get silentMs(): number {
    return this.#parts.clock.monotonic() - this.#lastBeatMs
  }

  /** Beats until the signal aborts. Settles with 'fenced' as soon as a beat finds this incarnation over; a database that is away fences nobody. */
  async run(signal: AbortSignal): Promise<'fenced' | 'stopped'> {
    for await (const _ of this.#parts.clock.every(limits.heartbeatMs, signal)) {
      try {
        if ((await this.#beat()) === 'fenced') return 'fenced'
      } catch (error) {
        if (signal.aborted) return 'stopped'
        this.#parts.emit({ kind: 'heartbeat failed', message: error instanceof Error ? error.message : String(error) })
      }
    }
    return 'stopped'
  }

  /** Gives the slots up. Call it when the chain is drained: nothing of this incarnation may be in flight. */
  async leave(): Promise<void> {
    this.owners.fence()
    await this.#parts.members.leave(this.registration.incarnation)
  }

  async #beat(): Promise<'active' | 'fenced'> {
    const { members, clock, emit } = this.#parts
    const { incarnation } = this.registration
    const beat = await members.beat(incarnation)
    this.#lastBeatMs = clock.monotonic()
    this.owners.publishMembers(beat.members)
    if (beat.slotsVersion !== this.#slotsVersion) {
      this.owners.publishSlots(await members.slots())
      this.#slotsVersion = beat.slotsVersion
    }
    if (beat.kind === 'fenced') {
      this.owners.fence()
      emit({ kind: 'fenced', incarnation })
    }
    return beat.kind
  }
}
