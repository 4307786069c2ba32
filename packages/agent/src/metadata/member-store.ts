// The agents of a cluster, their leases and their slots, as rows of the Metadata Service.
import type { Incarnation, IncarnationId, Nonce } from '../core/ids.ts'
import type { Lease, WatchedLease } from './lease.ts'

/** Called by membership.ts. */
export interface Members {
  /**
   * Begins an incarnation of the named agent: fences the incarnations that `fences` names (under their row locks), gives the agent its stable
   * broker id, and takes the slots that no living agent owns, each with its epoch plus one. `held`: an incarnation of the same name is active and was not
   * to be fenced, so nothing was changed. Repeating the call with the same nonce gives the same answer.
   */
  register(input: RegisterInput): Promise<RegisterResult>
  /** The leases of all active incarnations. Changes nothing. */
  leases(): Promise<readonly Lease[]>
  /** Raises the lease's counter, notes where the agent serves HTTP, and reads the members. `fenced`: this incarnation is over; the agent must stop. */
  beat(incarnation: Incarnation, http?: HttpUrls): Promise<Beat>
  /**
   * Fences the agents whose leases were silent, unless they have beaten since, and takes the slots that no living agent owns, each with its epoch plus one.
   * `fenced`: this incarnation is over. Repeating the call changes nothing more.
   */
  take(input: TakeSlots): Promise<TakenSlots>
  /**
   * Gives slots of this incarnation to other living agents, each with its epoch plus one, under the row lock of this incarnation. Call it when nothing of these slots is on its way
   * to a commit. Slots that this incarnation does not own, and those for an agent that has ended, stay. `fenced`: this incarnation is over. Repeating the call changes nothing more.
   */
  give(input: GiveSlots): Promise<GivenSlots>
  /** The owner of each slot. */
  slots(): Promise<readonly SlotOwner[]>
  /** Ends the incarnation after its chain is drained: it is fenced, and its slots go to the living agents. Without one they have no owner. Idempotent. */
  leave(incarnation: Incarnation): Promise<void>
}

/** Where HTTP clients reach an agent, such as `http://host:8123`. Null: it serves no HTTP, or not yet. */
export interface HttpUrls {
  readonly controlUrl: string | null
  readonly dataUrl: string | null
}

export interface Beat {
  readonly kind: 'active' | 'fenced'
  readonly members: readonly Member[]
  /** Changes with every owner of a slot. */
  readonly slotsVersion: number
  /** Changes with every topic, and with every config of a topic or a broker. */
  readonly viewVersion: number
}

export interface TakeSlots {
  readonly incarnation: Incarnation
  /** The leases that this agent has seen unchanged for a whole time-out. */
  readonly silent: readonly WatchedLease[]
}

export interface GiveSlots {
  readonly incarnation: Incarnation
  readonly gifts: readonly { readonly slot: number; readonly to: IncarnationId }[]
}

export type GivenSlots =
  | { readonly kind: 'given'; readonly given: number; readonly slots: readonly SlotOwner[] }
  | { readonly kind: 'fenced' }

export type TakenSlots =
  | { readonly kind: 'taken'; readonly fenced: readonly Lease[]; readonly taken: number; readonly slots: readonly SlotOwner[] }
  | { readonly kind: 'fenced' }

export interface RegisterInput {
  readonly agent: string
  readonly nonce: Nonce
  /** The address at which clients reach this agent when the connection does not determine a better one. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** The name of the agent's machine, for people. */
  readonly machine: string | null
  /** The zone of the agent, for clients of the same one. */
  readonly rack: string | null
  /** `all`: every active agent of the cluster. `own name`: the one of this name. Otherwise the listed leases, unless they have beaten since. */
  readonly fences: 'all' | 'own name' | readonly WatchedLease[]
}

export type RegisterResult = ({ readonly kind: 'registered' } & Registration) | { readonly kind: 'held'; readonly holder: Lease }

export interface Registration {
  readonly incarnation: Incarnation
  readonly brokerId: number
  readonly slots: readonly SlotOwner[]
}

export interface Member extends HttpUrls {
  readonly brokerId: number
  readonly agent: string
  readonly incarnation: IncarnationId
  /** The lease's counter. An agent that sees it unchanged for a whole time-out, by its own clock, may fence. */
  readonly beats: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface SlotOwner {
  readonly slot: number
  readonly owner: IncarnationId | null
  readonly epoch: number
}
