// This agent's membership in the cluster: it registers an incarnation, beats its lease, fences agents whose leases are over, and stops when it is fenced itself.
import type { Nonce } from './core/ids.ts'
import { LeaseWatch } from './lease-watch.ts'
import { fixedLimits, type Limits } from './limits.ts'
import { isUnmoved, type Lease, type WatchedLease } from './metadata/lease.ts'
import type { Members, RegisterInput, Registration, SlotOwner } from './metadata/metadata-store.ts'
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

/** What an agent does when its membership finds a change. */
export interface MembershipListener {
  /** These slots have another owner or another epoch than before. */
  onSlotsMoved(slots: ReadonlySet<number>): void
  /** Another agent may have changed topics or configs. If it rejects, the next heartbeat calls it again. */
  onViewChanged(): Promise<void>
}

/**
 * When a starting agent fences the agents that the database lists as active. `all at once`: the caller has proof that they have ended. `own name at once`: the
 * caller wants the agent of its name to end. `once silent`: the agent of its name, and only when its lease did not beat for a whole time-out.
 */
export type TakeOver = 'all at once' | 'own name at once' | 'once silent'

/** A living agent has the name. Nothing was changed. */
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
  readonly #watch = new LeaseWatch()
  #lastBeatMs: number
  #slotsVersion = -1
  #viewVersion: number | undefined
  #alone = true

  private constructor(parts: MembershipParts, registration: Registration) {
    this.#parts = parts
    this.registration = registration
    this.#lastBeatMs = parts.clock.monotonic()
    this.owners = new Owners({ slots: parts.slots, brokerId: registration.brokerId, incarnation: registration.incarnation })
    this.owners.publishSlots(registration.slots)
  }

  /** Registers under the agent's name, after fencing the agents that `takeOver` allows. Rejects with a LeaseHeldError when a living agent has the name. */
  static async join(parts: MembershipParts, self: Self, takeOver: TakeOver): Promise<Membership> {
    const membership = new Membership(parts, await register(parts, self, takeOver))
    const { incarnation, brokerId } = membership.registration
    parts.emit({ kind: 'registered', incarnation, brokerId })
    await membership.#beat(undefined)
    return membership
  }

  /** Milliseconds since the database last answered a heartbeat. */
  get silentMs(): number {
    return this.#parts.clock.monotonic() - this.#lastBeatMs
  }

  /**
   * Beats until the signal aborts, and fences agents whose leases are over. Settles with 'fenced' as soon as a beat finds this incarnation over. A database that
   * is away fences no agent.
   */
  async run(signal: AbortSignal, listener: MembershipListener): Promise<'fenced' | 'stopped'> {
    for await (const _ of every(this.#parts.clock, this.#parts.limits.heartbeatMs, signal)) {
      try {
        if ((await this.#beat(listener)) === 'fenced') return 'fenced'
      } catch (error) {
        if (signal.aborted) return 'stopped'
        this.#parts.emit({ kind: 'heartbeat failed', message: errorText(error) })
      }
    }
    return 'stopped'
  }

  /** Gives the slots to the other agents. Call it when the chain is drained: no commit of this incarnation may be in flight. */
  async leave(): Promise<void> {
    this.owners.fence()
    await this.#parts.members.leave(this.registration.incarnation)
  }

  async #beat(listener: MembershipListener | undefined): Promise<'active' | 'fenced'> {
    const { members, clock } = this.#parts
    const { incarnation } = this.registration
    const askedMs = clock.monotonic()
    const beat = await members.beat(incarnation)
    const answeredMs = clock.monotonic()
    this.#lastBeatMs = answeredMs
    this.owners.publishMembers(beat.members)
    if (beat.slotsVersion !== this.#slotsVersion) {
      this.#publishSlots(await members.slots(), listener)
      this.#slotsVersion = beat.slotsVersion
    }
    if (beat.kind === 'fenced') return this.#isFenced()
    const others = beat.members.filter((member) => member.incarnation !== incarnation.id)
    const silent = this.#watch.observe(others, { askedMs, answeredMs })
    if ((silent.length > 0 || this.owners.anyFree) && (await this.#take(silent, listener)) === 'fenced') return this.#isFenced()
    await this.#noticeChanges(beat.viewVersion, others.length === 0, listener)
    return 'active'
  }

  async #take(silent: readonly WatchedLease[], listener: MembershipListener | undefined): Promise<'active' | 'fenced'> {
    const { members, emit } = this.#parts
    const result = await members.take({ incarnation: this.registration.incarnation, silent })
    if (result.kind === 'fenced') return 'fenced'
    this.#publishSlots(result.slots, listener)
    for (const lease of result.fenced) emit({ kind: 'agent fenced', lease, slots: result.taken })
    return 'active'
  }

  /** An agent that is alone makes all changes itself. One that had another agent beside it may have missed the last change of that agent. */
  async #noticeChanges(viewVersion: number, alone: boolean, listener: MembershipListener | undefined): Promise<void> {
    const missed = this.#viewVersion !== viewVersion && !(alone && this.#alone)
    if (missed) await listener?.onViewChanged()
    this.#viewVersion = viewVersion
    this.#alone = alone
  }

  #publishSlots(slots: readonly SlotOwner[], listener: MembershipListener | undefined): void {
    const moved = this.owners.publishSlots(slots)
    if (moved.size > 0) listener?.onSlotsMoved(moved)
  }

  #isFenced(): 'fenced' {
    this.owners.fence()
    this.#parts.emit({ kind: 'fenced', incarnation: this.registration.incarnation })
    return 'fenced'
  }
}

async function register(parts: MembershipParts, self: Self, takeOver: TakeOver): Promise<Registration> {
  const { members, random } = parts
  const nonce = Buffer.from(random.bytes(8)).toString('hex') as Nonce
  const result = await members.register({ ...self, nonce, fences: await fencesOf(parts, self, takeOver) })
  // Another start was quicker, or a silent lease beats again.
  if (result.kind === 'held') throw new LeaseHeldError(result.holder)
  return result
}

async function fencesOf(parts: MembershipParts, self: Self, takeOver: TakeOver): Promise<RegisterInput['fences']> {
  switch (takeOver) {
    case 'all at once':
      return 'all'
    case 'own name at once':
      return 'own name'
    case 'once silent':
      return await silentLeases(parts, self)
  }
}

/**
 * Watches the lease of the agent's name, if there is one, for a whole time-out by this agent's monotonic clock. Resolves with it when it did not beat; rejects
 * with a LeaseHeldError as soon as it does. Leases of other names are watched by the heartbeats of the running agent.
 */
async function silentLeases({ members, clock, emit, limits }: MembershipParts, { agent }: Self): Promise<readonly WatchedLease[]> {
  const watch = new LeaseWatch()
  let watched: Lease | undefined
  for (;;) {
    const askedMs = clock.monotonic()
    const lease = (await members.leases()).find((one) => one.agent === agent)
    if (lease === undefined) return []
    if (watched === undefined) emit({ kind: 'lease watched', lease, forMs: fixedLimits.leaseMs })
    else if (!isUnmoved(lease, watched)) throw new LeaseHeldError(lease)
    watched = lease
    const silent = watch.observe([lease], { askedMs, answeredMs: clock.monotonic() })
    if (silent.length > 0) return silent
    await sleep(clock, limits.heartbeatMs)
  }
}
