// A lease: the counter that an agent raises as long as it lives, and who the agent is.
import type { IncarnationId } from '../core/ids.ts'
import type { LeaseHolder } from '../observe/events.ts'

export interface WatchedLease {
  readonly incarnation: IncarnationId
  readonly beats: number
}

/** An active incarnation: who it is, and the counter that it raises as long as it lives. */
export interface Lease extends WatchedLease, LeaseHolder {}

export function isUnmoved(lease: WatchedLease, watched: WatchedLease): boolean {
  return lease.incarnation === watched.incarnation && lease.beats === watched.beats
}
