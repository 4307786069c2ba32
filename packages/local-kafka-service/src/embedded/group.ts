// A consumer group as a test sees it.
import type { WaitOptions } from './wait-options.ts'

/** A consumer group by its id, which need not exist yet. */
export interface KafkaGroup {
  readonly id: string
  /**
   * Resolves when the group is stable with at least this number of members (default 1), each member has its assignment, and each consumer with partitions has
   * started to fetch: from then on it misses no produced record, even if it starts at the end. With `fetching: false` the assignment is enough, for a
   * consumer that is paused or joins long before it reads. Rejects with a WaitTimeoutError that describes the state of the group.
   */
  ready(members?: number, options?: ReadyOptions): Promise<void>
  /**
   * Resolves when everything in the group's partitions is committed: those assigned to members, and all of each topic with a committed offset. A partition with records and
   * without a committed offset is not caught up, whatever its consumers have read; nor is a group without partitions. Rejects with a WaitTimeoutError.
   */
  caughtUp(options?: WaitOptions): Promise<void>
  /** The number of records that are not committed yet, in all its partitions; in a partition without a committed offset, all its records. 0 once it has caught up. */
  lag(): Promise<number>
  /** Rejects with a RefusedError, GROUP_ID_NOT_FOUND, while the group does not exist. */
  describe(): Promise<GroupDescription>
  /**
   * Moves committed offsets: of one topic, or of all topics with committed offsets. Rejects with a RefusedError, NON_EMPTY_GROUP, while the group has members,
   * because they would keep their position and overwrite the change.
   */
  seek(to: SeekTo, options?: SeekOptions): Promise<void>
  /**
   * Removes a member, or all members, as an administrator does: the others get its partitions, and a client that still runs notices at its next
   * heartbeat and rejoins as a new member. Resolves with the ids of the removed members.
   */
  expel(memberId?: string): Promise<string[]>
}

/** The condition of `ready`, and its time-out. */
export interface ReadyOptions extends WaitOptions {
  /** Whether its consumers must have started to fetch. Default: true. */
  readonly fetching?: boolean
}

/** `by`: relative to the committed offset, negative towards the start. `time`: the first record that is not older, otherwise the end. All are limited to start and end. */
export type SeekTo = 'start' | 'end' | { readonly offset: number } | { readonly by: number } | { readonly time: number | Date }

/** The partitions to move. */
export interface SeekOptions {
  /** Omitted: all topics with committed offsets; with `by`, the partitions with committed offsets. */
  readonly topic?: string
  /** Partitions of the topic; omitted: all. */
  readonly partitions?: readonly number[]
}

/** A group at one moment. */
export interface GroupDescription {
  readonly id: string
  /** Kafka's state: Empty, PreparingRebalance, CompletingRebalance, Stable. */
  readonly state: string
  /** Kafka's generation of the group. */
  readonly generation: number
  /** The assignor; '' unless the group is stable. */
  readonly protocol: string
  readonly members: readonly GroupMember[]
  /** The committed or assigned partitions, by topic and partition. */
  readonly partitions: readonly GroupPartition[]
}

/** A member of a group, with the client id that it sent and the host of its connection. */
export interface GroupMember {
  readonly memberId: string
  /** Undefined: not a static member. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  readonly host: string
  /** It has its assignment of this generation. */
  readonly assigned: boolean
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
}

/** The progress of a group in one partition. All but `lag` are offsets; without a committed offset, `lag` is the number of all its records. */
export interface GroupPartition {
  readonly topic: string
  readonly partition: number
  /** Undefined: there is no committed offset. */
  readonly committed: number | undefined
  readonly start: number
  readonly end: number
  readonly lag: number
  /** The member to which it is assigned. */
  readonly memberId: string | undefined
}
