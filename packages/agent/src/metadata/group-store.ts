// Groups and their committed offsets, as rows of the Metadata Service.
import type { Incarnation, TopicId, TopicPartition } from '../core/ids.ts'
import type { ProducerEpoch } from '../core/transaction/transaction-row.ts'
import type { OffsetPlace } from './offset-place.ts'

/** Called by coordinate/. A group's machine keeps a journal (the last change per key), never a log; committed offsets are rows. */
export interface GroupStore {
  /** Takes the group over for reloading: from this transaction on, a save under another epoch changes nothing. Repeating it with the same epoch gives the same answer. */
  open(input: OpenGroup): Promise<OpenedGroup>
  /** One step of the group's coordinator, all or nothing. `stale`: another coordinator took over or changed the group, so this one must reload it. */
  save(input: SaveGroup): Promise<SavedGroup>
  /** All groups of the cluster, by id. */
  list(): Promise<readonly GroupHead[]>
  /** The existing ones among these groups, in any order. One read: name at most `fixedLimits.namesPerRead`. */
  find(groupIds: readonly string[]): Promise<readonly GroupHead[]>
  /** Committed offsets of living topics, by group, topic id and partition: the first page after `after`. An empty page ends the list. A primary read. */
  offsets(input: OffsetsOfGroups): Promise<readonly GroupOffset[]>
  /** The offsets committed at the named places of living topics, in any order. A primary read: name at most `fixedLimits.offsetsPerRead`. */
  offsetsAt(places: readonly OffsetPlace[]): Promise<readonly GroupOffset[]>
  /** The ids, in order, of groups without members that have offsets older than the retention, or no offsets: the first page after `after`. An empty page ends the list. */
  expirable(input: ExpireOffsets & { readonly after?: string | undefined }): Promise<readonly string[]>
  /** In those of the named groups that have no members: removes the offsets older than the retention, and then each group without offsets. */
  expire(input: ExpireOffsets & { readonly groupIds: readonly string[] }): Promise<void>
  /**
   * Topics with offsets older than the retention, of stable groups of consumers, by group and topic: the first page after `after`. An empty page ends
   * the list. Only the groups' coordinators know whether members consume these topics; they remove the offsets of the others by `save`.
   */
  aged(input: ExpireOffsets & { readonly after?: AgedTopic | undefined }): Promise<readonly AgedTopic[]>
}

/** The incarnation that coordinates, and the group's slot: checked inside each transaction. */
export interface GroupOwner {
  readonly incarnation: Incarnation
  readonly slot: number
}

export interface OpenGroup {
  readonly groupId: string
  /** Drawn for this opening alone; never used before. */
  readonly epoch: string
  readonly owner: GroupOwner
}

export type OpenedGroup =
  | {
      readonly kind: 'opened'
      /** The version that the next save must name. */
      readonly version: number
      readonly exists: boolean
      readonly entries: readonly { readonly key: string; readonly value: string }[]
    }
  | { readonly kind: 'not owner' }

export interface JournalEntry {
  readonly key: string
  /** Null removes the key. */
  readonly value: string | null
}

export interface SaveGroup {
  readonly groupId: string
  readonly epoch: string
  /** The version from the opening, plus one for each save since. */
  readonly version: number
  readonly owner: GroupOwner
  /** The fields that lists of groups show. Null deletes the group with its journal and its offsets. */
  readonly head: Omit<GroupHead, 'groupId'> | null
  readonly entries: readonly JournalEntry[]
  readonly offsets: readonly OffsetToCommit[]
  readonly removedOffsets: readonly TopicPartition[]
  /** Stored if the transaction of each is still open when the save holds its lock; otherwise its producer is fenced, and cannot commit them. */
  readonly pendingOffsets: readonly PendingOffset[]
  /** Removes the offsets of these topics that are older than the retention; offsets that the same save commits stay. */
  readonly expiredOffsets: readonly (ExpireOffsets & { readonly topicId: TopicId })[]
}

export type SavedGroup = { readonly kind: 'saved' | 'stale' | 'not owner' }

export interface GroupHead {
  readonly groupId: string
  /** The group's protocol: 'classic'. */
  readonly kind: string
  /** Null: no member has joined yet; the group only keeps offsets. */
  readonly protocolType: string | null
  /** Kafka's name of the state at the last save. */
  readonly state: string
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** How long after this commit a group without members keeps the offset. Undefined: the server's own retention. */
  readonly retentionMs?: number
}

/** An offset that becomes the group's when its transaction is committed. */
export interface PendingOffset extends Omit<OffsetToCommit, 'retentionMs'>, ProducerEpoch {
  readonly transactionalId: string
  /** The transaction to which the group was added. */
  readonly transactionNumber: number
  /** The same save has an offset for the place that was sent after this one, so this one never becomes the group's. */
  readonly isOverwritten?: boolean
}

export interface CommittedOffset extends Omit<OffsetToCommit, 'retentionMs'> {
  /** The topic's name. */
  readonly topic: string
}

export interface GroupOffset extends CommittedOffset, OffsetPlace {}

export interface OffsetsOfGroups {
  /** At most `fixedLimits.namesPerRead`. */
  readonly groupIds: readonly string[]
  readonly after?: OffsetPlace | undefined
}

export interface ExpireOffsets {
  /** Counted from the commit, by the database's clock. */
  readonly retentionMs: number
}

export interface AgedTopic {
  readonly groupId: string
  readonly topicId: TopicId
  readonly topic: string
}
