// The owner of each slot, and the members' addresses. Membership updates it. It may be stale: the commit checks the owner again.
import { must } from '../core/assert.ts'
import type { Incarnation, IncarnationId, TopicId, TopicPartition } from '../core/ids.ts'
import { readReplicasByRack } from '../core/read-replicas.ts'
import { slotOfName, slotOfPartition } from '../core/slots.ts'
import type { Member, SlotOwner } from '../metadata/metadata-store.ts'

export interface Ownership {
  readonly mine: boolean
  /** The slot's epoch: Kafka's leader epoch. */
  readonly epoch: number
  /** The broker id of the owner; undefined while the slot has none. */
  readonly leader: number | undefined
}

/** Slots in a row that have the same owner and epoch. */
export interface OwnedSlots {
  readonly first: number
  readonly last: number
  readonly epoch: number
  /** The broker id of the owner; undefined while they have none. */
  readonly leader: number | undefined
}

export class Owners {
  readonly slots: number
  readonly brokerId: number
  readonly incarnation: Incarnation
  readonly #owner: (IncarnationId | null)[]
  readonly #epoch: number[]
  /** The broker id of the last owner that was a member. */
  readonly #lastLeader: (number | undefined)[]
  readonly #members = new Map<IncarnationId, Member>()
  /** By leader. Computed from the members when it is asked for. */
  readonly #readReplicas = new Map<number, ReadonlyMap<string, number>>()
  #fenced = false
  #leaving = false
  #moving: { readonly slots: ReadonlySet<number>; readonly done: Promise<void> } | undefined

  constructor(options: { readonly slots: number; readonly brokerId: number; readonly incarnation: Incarnation }) {
    this.slots = options.slots
    this.brokerId = options.brokerId
    this.incarnation = options.incarnation
    this.#owner = new Array<IncarnationId | null>(options.slots).fill(null)
    this.#epoch = new Array<number>(options.slots).fill(0)
    this.#lastLeader = new Array<number | undefined>(options.slots).fill(undefined)
  }

  /** Returns the slots that have another owner or another epoch than before. A read that is older than what is known changes nothing. */
  publishSlots(slots: Iterable<SlotOwner>): ReadonlySet<number> {
    const moved = new Set<number>()
    for (const { slot, owner, epoch } of slots) {
      const known = must(this.#epoch[slot], `the epoch of slot ${slot}`)
      if (epoch < known || (epoch === known && owner === this.#owner[slot])) continue
      this.#owner[slot] = owner
      this.#keepLeader(slot)
      this.#epoch[slot] = epoch
      moved.add(slot)
    }
    return moved
  }

  /** In the order of the slots. */
  get ownerOfEach(): readonly (IncarnationId | null)[] {
    return this.#owner
  }

  /** Whether a slot has no owner. */
  get anyFree(): boolean {
    return this.#owner.includes(null)
  }

  publishMembers(members: Iterable<Member>): void {
    this.#members.clear()
    this.#readReplicas.clear()
    for (const member of members) this.#members.set(member.incarnation, member)
    for (let slot = 0; slot < this.slots; slot += 1) this.#keepLeader(slot)
  }

  /** This incarnation has ended: from now on it owns nothing. */
  fence(): void {
    this.#fenced = true
  }

  /** This agent gives all slots away, and its clients should move. */
  leave(): void {
    this.#leaving = true
  }

  get isLeaving(): boolean {
    return this.#leaving
  }

  /** This agent is about to give the slots: it serves them no more, and requests wait. Call the result when the new owners are published, or nothing was given. */
  beginMove(slots: ReadonlySet<number>): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const moving = { slots, done: promise }
    this.#moving = moving
    return () => {
      if (this.#moving === moving) this.#moving = undefined
      resolve()
    }
  }

  /** Settles when this agent has given the partition, or has kept it; undefined if it is not about to give it. */
  moving({ topicId, partition }: TopicPartition): Promise<void> | undefined {
    return this.#movingSlot(slotOfPartition(topicId, partition, this.slots))
  }

  /** As `moving`, of a group or a transactional id. */
  movingName(name: string): Promise<void> | undefined {
    return this.#movingSlot(slotOfName(name, this.slots))
  }

  #movingSlot(slot: number): Promise<void> | undefined {
    return this.#moving?.slots.has(slot) === true ? this.#moving.done : undefined
  }

  get isFenced(): boolean {
    return this.#fenced
  }

  /** The living agents as of their last heartbeats, including this one. */
  get members(): Iterable<Member> {
    return this.#members.values()
  }

  /** Of this agent, as of its last heartbeat. */
  get rack(): string | null {
    return this.#members.get(this.incarnation.id)?.rack ?? null
  }

  /** No other agent lives, and this one is not about to leave: every partition that exists is its own. */
  get isUndivided(): boolean {
    return this.isAlone && !this.#leaving && !this.#fenced
  }

  /** No other agent lives, as of the last heartbeat. */
  get isAlone(): boolean {
    for (const incarnation of this.#members.keys()) if (incarnation !== this.incarnation.id) return false
    return true
  }

  /** The broker that clients send administration to. Every agent can do it; all agents name the same one, which has the lowest id. */
  get controllerId(): number {
    let lowest = this.#fenced && !this.isAlone ? Number.POSITIVE_INFINITY : this.brokerId
    for (const { brokerId } of this.#members.values()) if (brokerId < lowest) lowest = brokerId
    return lowest
  }

  /** The broker that serves the leader's partitions to consumers of the rack, undefined if it is the leader itself. */
  readReplica(leader: number, rack: string): number | undefined {
    return this.#readReplicasOf(leader).get(rack)
  }

  /**
   * The replicas that clients see: the leader, its reader in every other rack, and further agents up to the count, if there are so many. All of them have every
   * record, because they share the store.
   */
  replicas(leader: number, count: number): readonly number[] {
    const first = [leader, ...this.#readReplicasOf(leader).values()]
    if (first.length >= count || this.isAlone) return first
    const others = Array.from(this.#members.values(), ({ brokerId }) => brokerId).filter((brokerId) => !first.includes(brokerId))
    return [...first, ...others.toSorted((a, b) => a - b).slice(0, count - first.length)]
  }

  #readReplicasOf(leader: number): ReadonlyMap<string, number> {
    const known = this.#readReplicas.get(leader)
    if (known !== undefined) return known
    const replicas = readReplicasByRack(leader, [...this.#members.values()])
    this.#readReplicas.set(leader, replicas)
    return replicas
  }

  /** All slots in order, as of the last heartbeat. */
  ownedSlots(): readonly OwnedSlots[] {
    const ranges: OwnedSlots[] = []
    for (let slot = 0; slot < this.slots; slot += 1) {
      const { epoch, leader } = this.#of(slot)
      const range = ranges.at(-1)
      if (range?.epoch === epoch && range.leader === leader) ranges[ranges.length - 1] = { ...range, last: slot }
      else ranges.push({ first: slot, last: slot, epoch, leader })
    }
    return ranges
  }

  /** Whether this agent serves the slot. */
  isMine(slot: number): boolean {
    return this.#of(slot).mine
  }

  slotOf({ topicId, partition }: TopicPartition): number {
    return slotOfPartition(topicId, partition, this.slots)
  }

  ofPartition(topicId: TopicId, partition: number): Ownership {
    return this.#of(slotOfPartition(topicId, partition, this.slots))
  }

  /** The ownership of a group or a transactional id. */
  ofName(name: string): Ownership {
    return this.#of(slotOfName(name, this.slots))
  }

  #of(slot: number): Ownership {
    const owner = must(this.#owner[slot], `the owner of slot ${slot}`)
    const mine = owner === this.incarnation.id && !this.#fenced && this.#moving?.slots.has(slot) !== true
    const leader = this.#leaderOf(slot, owner)
    return { mine, epoch: must(this.#epoch[slot], `the epoch of slot ${slot}`), leader }
  }

  /** The slots of an agent that has just started may be known before the agent: until then its predecessor is named, which has the same broker id or forwards requests, rather than none. */
  #leaderOf(slot: number, owner: IncarnationId | null): number | undefined {
    if (owner === null) return undefined
    const listed = this.#listedLeader(owner)
    if (listed !== undefined) return listed
    const last = this.#lastLeader[slot]
    const isListed = last === this.brokerId || [...this.#members.values()].some(({ brokerId }) => brokerId === last)
    return isListed ? last : undefined
  }

  #listedLeader(owner: IncarnationId): number | undefined {
    return owner === this.incarnation.id ? this.brokerId : this.#members.get(owner)?.brokerId
  }

  #keepLeader(slot: number): void {
    const owner = this.#owner[slot] ?? null
    const leader = owner === null ? undefined : this.#listedLeader(owner)
    if (leader !== undefined) this.#lastLeader[slot] = leader
  }
}
