// The timelines of a PostgreSQL that the agents of a cluster have seen, as a port: they are kept outside of the database, which does not know that it was replaced.

/**
 * A standby that is promoted begins a higher timeline. The old primary, if it still runs, goes on with its own: both accept commits, but only the higher one
 * counts. `system` is PostgreSQL's identifier of the pair.
 */
export interface Timelines {
  /** The highest timeline that was recorded; 0 if there is none. Rejects when the store cannot be reached. */
  highest(system: string): Promise<number>
  /** Idempotent. When it resolves, every agent can see it. */
  record(system: string, timeline: number): Promise<void>
}
