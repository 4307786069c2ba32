// Who owns which slot, and where clients reach them. Fed by membership; what it says may be stale, the commit checks the owner again.
import type { Incarnation, IncarnationId, TopicId } from '../core/ids.ts'
import { slotOfName, slotOfPartition } from '../core/slots.ts'
import type { Member, SlotOwner } from '../metadata/metadata-store.ts'

export interface Ownership {
  readonly mine: boolean
  /** The slot's epoch: Kafka's leader epoch. */
  readonly epoch: number
  /** The broker id of the owner; undefined while the slot has none. */
  readonly leader: number | undefined
}

export class Owners {
  readonly slots: number
  readonly brokerId: number
  readonly incarnation: Incarnation
  readonly #owner: (IncarnationId | null)[]
  readonly #epoch: number[]
  readonly #members = new Map<IncarnationId, Member>()
  #fenced = false

  constructor(options: { readonly slots: number; readonly brokerId: number; readonly incarnation: Incarnation }) {
    this.slots = options.slots
    this.brokerId = options.brokerId
    this.incarnation = options.incarnation
    this.#owner = new Array<IncarnationId | null>(options.slots).fill(null)
    this.#epoch = new Array<number>(options.slots).fill(0)
  }

  publishSlots(slots: Iterable<SlotOwner>): void {
    for (const { slot, owner, epoch } of slots) {
      if (epoch < (this.#epoch[slot] ?? 0)) continue
      this.#owner[slot] = owner
      this.#epoch[slot] = epoch
    }
  }

  publishMembers(members: Iterable<Member>): void {
    this.#members.clear()
    for (const member of members) this.#members.set(member.incarnation, member)
  }

  /** This incarnation is over: from now on nothing is mine. */
  fence(): void {
    this.#fenced = true
  }

  /** Living agents as they last beat, this one among them. */
  get members(): Iterable<Member> {
    return this.#members.values()
  }

  ofPartition(topicId: TopicId, partition: number): Ownership {
    return this.#of(slotOfPartition(topicId, partition, this.slots))
  }

  /** Of a group or a transactional id. */
  ofName(name: string): Ownership {
    return this.#of(slotOfName(name, this.slots))
  }

  #of(slot: number): Ownership {
    const owner = this.#owner[slot] ?? null
    const mine = owner === this.incarnation.id && !this.#fenced
    const leader = owner === null ? undefined : owner === this.incarnation.id ? this.brokerId : this.#members.get(owner)?.brokerId
    return { mine, epoch: this.#epoch[slot] ?? 0, leader }
  }
}
