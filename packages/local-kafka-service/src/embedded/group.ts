// A consumer group as a test sees it.
import type { WaitOptions } from './kafka.ts'

/** A consumer group by its id, whether it exists or not yet. */
export interface KafkaGroup {
  readonly id: string
  /**
   * Resolves when the group is stable with at least so many members (default 1), each of them has its assignment, and each consumer that got partitions has
   * begun to fetch: from then on it misses nothing that is produced, also when it starts at the end. With `fetching: false` the assignment is enough, as for a
   * consumer that is paused or joins long before it reads. Rejects with a WaitTimeoutError that says how far the group has come.
   */
  ready(members?: number, options?: ReadyOptions): Promise<void>
  /**
   * Resolves when everything in the group's partitions is committed: those that a member has, and all of each topic of which any is committed. A partition with records and
   * without a commit is not caught up, whatever its consumers have read; nor is a group that has no partition at all. Rejects with a WaitTimeoutError.
   */
  caughtUp(options?: WaitOptions): Promise<void>
  /** Records that are not committed yet, of all its partitions; of one without a commit, all that it holds. 0 once it has caught up. */
  lag(): Promise<number>
  /** Rejects with a RefusedError, GROUP_ID_NOT_FOUND, while there is no such group. */
  describe(): Promise<GroupDescription>
  /**
   * Moves what is committed: of one topic, or of all that the group has commits of. Rejects with a RefusedError, NON_EMPTY_GROUP, while it has members, for
   * they would go on where they are and commit over it.
   */
  seek(to: SeekTo, options?: SeekOptions): Promise<void>
  /**
   * Takes a member out, or all of them, as an administrator does: the others share its partitions out anew, and a client that still runs hears it at its next
   * heartbeat and comes back as a new member. Resolves with the ids of those who went.
   */
  expel(memberId?: string): Promise<string[]>
}

/** What `ready` waits for, and how long. */
export interface ReadyOptions extends WaitOptions {
  /** Whether its consumers must have begun to fetch. Default: true. */
  readonly fetching?: boolean
}

/** `by`: from the committed offset, negative to the start. `time`: to the first record that is not older, else to the end. All stay within start and end. */
export type SeekTo = 'start' | 'end' | { readonly offset: number } | { readonly by: number } | { readonly time: number | Date }

/** Which partitions are moved. */
export interface SeekOptions {
  /** Left out: all topics of which the group has committed any; with `by`, the partitions that are committed. */
  readonly topic?: string
  /** Of the topic; left out, all. */
  readonly partitions?: readonly number[]
}

/** A group at one moment. */
export interface GroupDescription {
  readonly id: string
  /** Kafka's: Empty, PreparingRebalance, CompletingRebalance, Stable. */
  readonly state: string
  /** Kafka's generation of the group. */
  readonly generation: number
  /** The assignor; '' unless the group is stable. */
  readonly protocol: string
  readonly members: readonly GroupMember[]
  /** What is committed or assigned, by topic and partition. */
  readonly partitions: readonly GroupPartition[]
}

/** A member of a group; its client and host as it named itself and where it came from. */
export interface GroupMember {
  readonly memberId: string
  /** Undefined: no static member. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  readonly host: string
  /** It has its assignment of this generation. */
  readonly assigned: boolean
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
}

/** How far a group is in one partition. All but `lag` are offsets; of a partition without a commit, `lag` is all that it holds. */
export interface GroupPartition {
  readonly topic: string
  readonly partition: number
  /** Undefined: nothing is committed. */
  readonly committed: number | undefined
  readonly start: number
  readonly end: number
  readonly lag: number
  /** Whose it is. */
  readonly memberId: string | undefined
}
