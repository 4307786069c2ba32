// This agent's membership in the cluster: it registers an incarnation, beats its lease, fences agents whose leases are over, and stops when it is fenced itself.
import type { IncarnationId, Nonce } from './core/ids.ts'
import type { SlotGift } from './core/slot-shares.ts'
import { LeaseWatch } from './lease-watch.ts'
import { fixedLimits, type Limits } from './limits.ts'
import { isUnmoved, type Lease, type WatchedLease } from './metadata/lease.ts'
import type { HttpUrls, Members, RegisterInput, Registration, SlotOwner } from './metadata/metadata-store.ts'
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
  #http: HttpUrls = { controlUrl: null, dataUrl: null }
  #alone = true
  #listener: MembershipListener | undefined
  /** When this agent first read that another one lives, in monotonic milliseconds. */
  #knownSinceMs: ReadonlyMap<IncarnationId, number> = new Map()
  /** The heartbeat that is under way, and the one that those wait for who came after it began. */
  #beating: Promise<unknown> | undefined
  #next: Promise<void> | undefined

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
    await membership.#beatAlone()
    return membership
  }

  /** Milliseconds since the database last answered a heartbeat. */
  get silentMs(): number {
    return this.#parts.clock.monotonic() - this.#lastBeatMs
  }

  /** Tells the other agents with the next heartbeat where this one serves HTTP. */
  publishHttp(http: HttpUrls): void {
    this.#http = http
  }

  /**
   * Beats until the signal aborts, and fences agents whose leases are over. Settles with 'fenced' as soon as a beat finds this incarnation over. A database that
   * is away fences no agent.
   */
  async run(signal: AbortSignal, listener: MembershipListener): Promise<'fenced' | 'stopped'> {
    this.#listener = listener
    for await (const _ of every(this.#parts.clock, this.#parts.limits.heartbeatMs, signal)) {
      try {
        if ((await this.#beatAlone()) === 'fenced') return 'fenced'
      } catch (error) {
        if (signal.aborted) return 'stopped'
        this.#parts.emit({ kind: 'heartbeat failed', message: errorText(error) })
      }
    }
    return 'stopped'
  }

  /** The other agents that may get slots: every living agent has listed them to its clients, because it beats, or it would be fenced by now. */
  eligible(): readonly IncarnationId[] {
    const { clock, limits } = this.#parts
    const since = clock.monotonic() - fixedLimits.leaseMs - 2 * limits.heartbeatMs
    return [...this.#knownSinceMs].flatMap(([id, atMs]) => (id !== this.registration.incarnation.id && atMs <= since ? [id] : []))
  }

  /** Gives slots to other agents, and publishes it. Call it when nothing of them is on its way to a commit. Returns how many it gave. Rejects with a MetadataError. */
  async give(gifts: readonly SlotGift[]): Promise<number> {
    const result = await this.#parts.members.give({ incarnation: this.registration.incarnation, gifts })
    // The next heartbeat ends the agent.
    if (result.kind === 'fenced') return 0
    this.#publishSlots(result.slots, this.#listener)
    return result.given
  }

  /** Gives the slots to the other agents. Call it when the chain is drained: no commit of this incarnation may be in flight. */
  async leave(): Promise<void> {
    this.owners.fence()
    await this.#parts.members.leave(this.registration.incarnation)
  }

  /** After `leave`: publishes who owns what, again and again until the signal aborts, so that this agent can send clients on. Settles after an abort only. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, limits, emit } = this.#parts
    for await (const _ of every(clock, limits.heartbeatMs, signal))
      await this.#beatAlone().catch((error: unknown) => emit({ kind: 'heartbeat failed', message: errorText(error) }))
  }

  /**
   * Reads who owns what, in a heartbeat that begins after the call: for requests that arrive where they do not belong, because something has moved. Many callers share
   * one heartbeat. An agent that is alone reads nothing. While the database is away, what was known stays.
   */
  async refresh(): Promise<void> {
    if (this.owners.isAlone && this.#alone) return
    await (this.#next ??= this.#refresh())
  }

  async #refresh(): Promise<void> {
    const { clock, emit } = this.#parts
    await this.#beating?.catch(() => {})
    await sleep(clock, Math.max(0, this.#lastBeatMs + fixedLimits.refreshPauseMs - clock.monotonic()))
    this.#next = undefined
    await this.#beatAlone().catch((error: unknown) => emit({ kind: 'heartbeat failed', message: errorText(error) }))
  }

  /** One heartbeat after another. */
  async #beatAlone(): Promise<'active' | 'fenced'> {
    while (this.#beating !== undefined) await this.#beating.catch(() => {})
    const beating = this.#beat()
    this.#beating = beating
    return await beating.finally(() => (this.#beating = undefined))
  }

  async #beat(): Promise<'active' | 'fenced'> {
    const { members, clock } = this.#parts
    const listener = this.#listener
    const { incarnation } = this.registration
    const askedMs = clock.monotonic()
    const beat = await members.beat(incarnation, this.#http)
    const answeredMs = clock.monotonic()
    this.#lastBeatMs = answeredMs
    this.owners.publishMembers(beat.members)
    this.#knownSinceMs = new Map(beat.members.map(({ incarnation: id }) => [id, this.#knownSinceMs.get(id) ?? answeredMs]))
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
    if (this.owners.isFenced) return 'fenced'
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
