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
  /** Raises the lease's counter and reads the members. `fenced`: this incarnation is over; the agent must stop. */
  beat(incarnation: Incarnation): Promise<Beat>
  /**
   * Fences the agents whose leases were silent, unless they have beaten since, and takes the slots that no living agent owns, each with its epoch plus one.
   * `fenced`: this incarnation is over. Repeating the call changes nothing more.
   */
  take(input: TakeSlots): Promise<TakenSlots>
  /** The owner of each slot. */
  slots(): Promise<readonly SlotOwner[]>
  /** Ends the incarnation after its chain is drained: it is fenced, and its slots go to the living agents. Without one they have no owner. Idempotent. */
  leave(incarnation: Incarnation): Promise<void>
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
  /** `all`: every active agent of the cluster. `own name`: the one of this name. Otherwise the listed leases, unless they have beaten since. */
  readonly fences: 'all' | 'own name' | readonly WatchedLease[]
}

export type RegisterResult = ({ readonly kind: 'registered' } & Registration) | { readonly kind: 'held'; readonly holder: Lease }

export interface Registration {
  readonly incarnation: Incarnation
  readonly brokerId: number
  readonly slots: readonly SlotOwner[]
}

export interface Member {
  readonly brokerId: number
  readonly agent: string
  readonly incarnation: IncarnationId
  /** The lease's counter. An agent that sees it unchanged for a whole time-out, by its own clock, may fence. */
  readonly beats: number
  readonly host: string
  readonly port: number
}

export interface SlotOwner {
  readonly slot: number
  readonly owner: IncarnationId | null
  readonly epoch: number
}
