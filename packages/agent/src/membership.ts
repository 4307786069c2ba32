// This agent's membership in the cluster: it registers an incarnation, beats its lease, and stops when it finds itself fenced.
import type { Nonce } from './core/ids.ts'
import { fixedLimits, type Limits } from './limits.ts'
import { isUnmoved, type Lease } from './metadata/lease.ts'
import type { Members, RegisterInput, Registration } from './metadata/metadata-store.ts'
import { errorText } from './native-error.ts'
import type { EventHook } from './observe/events.ts'
import type { Clock, Random } from './time/clock.ts'
import { every } from './time/every.ts'
import { sleep } from './time/sleep.ts'
import { Owners } from './view/owners.ts'

export interface MembershipParts {
  readonly members: Members
  readonly slots: number
  readonly clock: Clock
  readonly random: Random
  readonly emit: EventHook
  readonly limits: Pick<Limits, 'heartbeatMs'>
}

/**
 * When a starting agent fences the agents that the database lists as active. `at once`: the caller has proof that they have ended, or wants them to end.
 * `once silent`: only when their leases did not beat for a whole time-out.
 */
export type TakeOver = 'at once' | 'once silent'

/** Another agent serves the cluster and renews its lease. Nothing was changed. */
export class LeaseHeldError extends Error {
  override readonly name = 'LeaseHeldError'
  readonly holder: Lease

  constructor(holder: Lease) {
    super(`The lease of the agent '${holder.agent}' is alive.`)
    this.holder = holder
  }
}

export type Self = Omit<RegisterInput, 'nonce' | 'fences'>

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

  /** Registers under the agent's name, after fencing the agents that `takeOver` allows. Rejects with a LeaseHeldError when another agent serves the cluster. */
  static async join(parts: MembershipParts, self: Self, takeOver: TakeOver): Promise<Membership> {
    const membership = new Membership(parts, await register(parts, self, takeOver))
    const { incarnation, brokerId } = membership.registration
    parts.emit({ kind: 'registered', incarnation, brokerId })
    await membership.#beat()
    return membership
  }

  /** Milliseconds since the database last answered a heartbeat. */
  get silentMs(): number {
    return this.#parts.clock.monotonic() - this.#lastBeatMs
  }

  /** Beats until the signal aborts. Settles with 'fenced' as soon as a beat finds this incarnation over. A database that is away fences no agent. */
  async run(signal: AbortSignal): Promise<'fenced' | 'stopped'> {
    for await (const _ of every(this.#parts.clock, this.#parts.limits.heartbeatMs, signal)) {
      try {
        if ((await this.#beat()) === 'fenced') return 'fenced'
      } catch (error) {
        if (signal.aborted) return 'stopped'
        this.#parts.emit({ kind: 'heartbeat failed', message: errorText(error) })
      }
    }
    return 'stopped'
  }

  /** Gives the slots up. Call it when the chain is drained: no commit of this incarnation may be in flight. */
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

async function register(parts: MembershipParts, self: Self, takeOver: TakeOver): Promise<Registration> {
  const { members, random } = parts
  const nonce = Buffer.from(random.bytes(8)).toString('hex') as Nonce
  const fences = takeOver === 'at once' ? 'all' : await silentLeases(parts)
  const result = await members.register({ ...self, nonce, fences })
  // Another start was quicker, or a silent lease beats again.
  if (result.kind === 'held') throw new LeaseHeldError(result.holder)
  const { incarnation, slots } = result
  if (slots.some(({ owner }) => owner === incarnation.id)) return result
  // Two starts under two names raced. For now one agent serves a cluster, so the one without a slot would never serve a partition.
  const leases = await members.leases()
  await members.leave(incarnation)
  const holder = leases.find((lease) => slots.some(({ owner }) => owner === lease.incarnation))
  // The owner has left in the meantime, so its slots are free.
  if (holder === undefined) return await register(parts, self, takeOver)
  throw new LeaseHeldError(holder)
}

/**
 * Watches every lease for a whole time-out, by this agent's monotonic clock. Resolves with those that did not beat; rejects with a LeaseHeldError as soon as
 * one does. Reads that are too far apart restart the time-out: while the database was away or this process was paused, no holder could beat either.
 */
async function silentLeases({ members, clock, emit, limits }: MembershipParts): Promise<readonly Lease[]> {
  let watched = await members.leases()
  for (const lease of watched) emit({ kind: 'lease watched', lease, forMs: fixedLimits.leaseMs })
  let since = clock.monotonic()
  let lastRead = since
  while (watched.length > 0 && lastRead - since < fixedLimits.leaseMs) {
    await sleep(clock, limits.heartbeatMs)
    const leases = await members.leases()
    const living = leases.find((lease) => !watched.some((before) => isUnmoved(lease, before)))
    if (living !== undefined) throw new LeaseHeldError(living)
    watched = leases
    const now = clock.monotonic()
    if (now - lastRead > fixedLimits.leaseReadGapMs) since = now
    lastRead = now
  }
  return watched
}
