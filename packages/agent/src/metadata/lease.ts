// A lease: the counter that an agent raises while it lives, and the agent's identity.
import type { IncarnationId } from '../core/ids.ts'
import type { LeaseHolder } from '../observe/events.ts'

export interface WatchedLease {
  readonly incarnation: IncarnationId
  readonly beats: number
}

/** An active incarnation: its identity, and the counter that it raises while it lives. */
export interface Lease extends WatchedLease, LeaseHolder {}

export function isUnmoved(lease: WatchedLease, watched: WatchedLease): boolean {
  return lease.incarnation === watched.incarnation && lease.beats === watched.beats
}
