// The Metadata Service: the port behind which everything that must be strongly consistent lives, in SQLite or in PostgreSQL. It is one thing: the contract of one database, whose types refer to one another.
import type { ClusterId, Incarnation, IncarnationId, LogId, Nonce, ObjectKey, Sequence, TopicId, TopicPartition } from '../core/ids.ts'
import type { Lease, WatchedLease } from './lease.ts'
import type { RecoveryStore } from './recovery-store.ts'

/**
 * Every transaction is one database transaction, batched, takes and returns plain data, and is idempotent or fenced. A handle is opened for one cluster.
 * Reads go to the primary. A transaction rejects with a MetadataError when nothing was changed; only `log.commit` can answer that it does not know
 * (`kind: 'unknown'`), all others resolve that inside by running the same call again until the deadline, and then reject with `unavailable`.
 */
export interface MetadataStore {
  readonly clusterId: ClusterId
  readonly slots: number
  readonly topics: Topics
  readonly log: LogIndex
  readonly members: Members
  readonly groups: GroupStore
  readonly recovery: RecoveryStore
  close(): Promise<void>
}

/**
 * `unavailable`: the database did not answer in time or is away (retriable). `invalid`: it answered what it must not (a defect, or a foreign schema).
 * `reason` says more where somebody can do something about it.
 */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  readonly kind: 'unavailable' | 'invalid'
  readonly reason: MetadataReason | undefined

  constructor(kind: 'unavailable' | 'invalid', message: string, options?: { readonly cause?: unknown; readonly reason?: MetadataReason }) {
    super(message, options)
    this.kind = kind
    this.reason = options?.reason
  }
}

export type MetadataReason =
  /** The stored schema's minimum reader version is above ours. */
  | 'newer schema'
  /** No cluster was named, and the database holds more than one. */
  | 'several clusters'
  /** Nobody listens there, or the host is not known. */
  | 'unreachable'
  /** The user or the password is wrong, or the server lets this client not in. */
  | 'authentication'
  | 'no such database'
  /** The user may not make or write our tables; or a file or directory may not be written. */
  | 'permission'
  /** The file is not an SQLite database, or a damaged one. */
  | 'not a database'
  | 'disk full'

// ---- topics -------------------------------------------------------------------------------------------------------------------------

export interface Topic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  /** Only what was set for this topic, by Kafka's config names. */
  readonly configs: Readonly<Record<string, string>>
  /** Milliseconds since the epoch, by the database's clock. */
  readonly createdAtMs: number
}

/** Called by operations/topics.ts. */
export interface Topics {
  /** Live topics; absent ones are missing from the answer. */
  find(asked: { readonly names?: readonly string[]; readonly topicIds?: readonly TopicId[] }): Promise<readonly Topic[]>
  /** All live topics, in order of their names. */
  list(): Promise<readonly Topic[]>
  /** Makes the topic and its partitions. `collides`: a live topic's name differs from this one only by `.` and `_`, as Kafka forbids. A dry run changes nothing. */
  create(input: NewTopic): Promise<CreateTopicResult>
  /** Soft deletion: from this transaction on the topic is not found and no commit appends to it. Absent: `unknown`. */
  delete(topicId: TopicId): Promise<'deleted' | 'unknown'>
  /** Adds partitions up to `partitions`; never fewer. */
  grow(input: { readonly topicId: TopicId; readonly partitions: number; readonly dryRun: boolean }): Promise<GrowTopicResult>
}

export interface NewTopic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  readonly dryRun: boolean
}

export type CreateTopicResult =
  | { readonly kind: 'created'; readonly topic: Topic }
  | { readonly kind: 'exists'; readonly topic: Topic }
  | { readonly kind: 'collides'; readonly with: string }

export type GrowTopicResult =
  | { readonly kind: 'grown'; readonly topic: Topic }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not more'; readonly partitions: number }

// ---- log ----------------------------------------------------------------------------------------------------------------------------

export interface LogIndex {
  /**
   * The one transaction that gives a flush's batches their offsets (core/log/append.ts decides). Called by flush/chain.ts alone, one at a time and
   * in the order of the sequences. A replay of the last committed flush gets its stored answer, also when fenced. On `unknown` the caller repeats
   * the identical call. `prev` is the last sequence that this chain knows to be committed (0 at first); batches may be empty: that is how
   * flushes between `prev` and `sequence` are abandoned for ever.
   */
  commit(input: CommitInput): Promise<CommitOutcome>
  /** Segments from the offset on, in order, until `maxBytes` are reached (always at least one when there is one) or `maxSegments`. One primary read for all asks. */
  find(asks: readonly FindSegments[]): Promise<readonly FoundSegments[]>
  /** The state of partitions, in the order asked. A primary read. Absent partition: undefined. */
  partitions(asked: readonly TopicPartition[]): Promise<readonly (PartitionState | undefined)[]>
  /** For ListOffsets: the segment that holds the first record with a timestamp of at least `timestamp`, or the largest timestamp of the log. A primary read. */
  findByTime(asks: readonly FindByTime[]): Promise<readonly FoundByTime[]>
  /** A block of `count` producer ids never given before; answers the first. */
  allocateProducerIds(count: number): Promise<number>
}

export interface CommitInput {
  readonly incarnation: Incarnation
  readonly prev: Sequence | 0
  readonly sequence: Sequence
  /** Null for an empty successor: nothing was put. */
  readonly object: { readonly sizeBytes: number; readonly checksum: number } | null
  /** In the order of admission within each partition, and grouped by partition as the object is. */
  readonly batches: readonly CommitBatch[]
  /** `producer.id.expiration.ms`: how long a silent idempotent producer's window is remembered, by the database's clock. */
  readonly producerIdExpirationMs: number
}

export interface CommitBatch {
  readonly topicId: TopicId
  readonly partition: number
  /** The slot epoch that was written into the batch as its leader epoch. */
  readonly epoch: number
  /** Offsets that the batch takes: lastOffsetDelta + 1. */
  readonly offsets: number
  readonly maxTimestamp: number
  /** Where its bytes are in the object. */
  readonly byteStart: number
  readonly sizeBytes: number
  /** -1 when the producer is not idempotent; then the two below mean nothing. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** An HTTP Idempotency-Key: the key is scoped to the cluster; `bodyHash` tells whether the body is the same (hex SHA-256 of topic, partition and body). */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string; readonly timestamp: number }
}

/** What the commit decided for one batch. Stored with the flush: a replay answers the identical verdicts. */
export type Verdict =
  /** Appended. */
  | { readonly kind: 'appended'; readonly baseOffset: number }
  /** One of the producer's last five batches, or a replayed idempotency key: nothing appended, the original place. */
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number; readonly partition?: number }
  /** Refused, definitely not appended. */
  | { readonly kind: 'refused'; readonly reason: Refusal }

/** In the words of Kafka's error codes; protocol/errors.ts has the numbers. `IDEMPOTENCY_KEY_REUSED` is ours: same key, another body. */
export type Refusal =
  | 'UNKNOWN_TOPIC_ID'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'IDEMPOTENCY_KEY_REUSED'

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly result: CommitResult }
  /** Another incarnation took over: nothing of this flush was or will be stored. */
  | { readonly kind: 'fenced' }
  /** `sequence` is below the last committed one: given up for ever. */
  | { readonly kind: 'abandoned' }
  /** `prev` is not the last committed sequence: a defect of the caller, or a database that lost commits. Nothing was stored. */
  | { readonly kind: 'out of order'; readonly lastSequence: number }
  | { readonly kind: 'rolled back'; readonly error: Error }
  | { readonly kind: 'unknown'; readonly error: Error }

export interface CommitResult {
  /** One per batch, in the order of the input. */
  readonly verdicts: readonly Verdict[]
  /** The partitions that grew, with their new high watermark and the segments written. */
  readonly grown: readonly GrownPartition[]
}

export interface GrownPartition extends TopicPartition {
  readonly highWatermark: number
  readonly segments: readonly Segment[]
}

/** A contiguous run of accepted batches of one log inside one object. Base offsets inside follow from the batches' own lengths, one after another. */
export interface Segment {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly objectKey: ObjectKey
  readonly byteStart: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
}

export interface FindSegments extends TopicPartition {
  readonly offset: number
  readonly maxBytes: number
  readonly maxSegments: number
}

export type FoundSegments =
  | ({ readonly kind: 'found'; readonly segments: readonly Segment[] } & Watermarks)
  | { readonly kind: 'unknown partition' }

export interface Watermarks {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

export interface PartitionState extends TopicPartition, Watermarks {
  readonly logId: LogId
  /** The largest timestamp of any accepted batch, -1 when there is none: LogAppendTime never goes below it. */
  readonly maxTimestamp: number
  /** The owner of the partition's slot, and the slot's epoch. */
  readonly owner: IncarnationId | null
  readonly epoch: number
}

export type FindByTime = TopicPartition & {
  readonly at: { readonly kind: 'timestamp'; readonly timestamp: number } | { readonly kind: 'max timestamp' }
}

export type FoundByTime =
  | ({ readonly kind: 'found'; readonly segment: Segment | undefined } & Watermarks)
  | { readonly kind: 'unknown partition' }

// ---- members ------------------------------------------------------------------------------------------------------------------------

/** Called by membership.ts. */
export interface Members {
  /**
   * Begins an incarnation for the agent of that name: fences what `fences` names (under the row locks of those incarnations), gives the agent its stable
   * broker id, and takes the slots that no living agent owns, each with its epoch plus one. `held`: an incarnation of the same name is active and was not
   * to be fenced, so nothing was changed. Running the same call (same nonce) again answers alike.
   */
  register(input: RegisterInput): Promise<RegisterResult>
  /** The leases of all active incarnations. Changes nothing. */
  leases(): Promise<readonly Lease[]>
  /** Raises the lease's counter and reads who is there. `fenced`: this incarnation is over; the agent must stop. */
  beat(
    incarnation: Incarnation,
  ): Promise<{ readonly kind: 'active' | 'fenced'; readonly members: readonly Member[]; readonly slotsVersion: number }>
  /** Who owns what. */
  slots(): Promise<readonly SlotOwner[]>
  /** Ends the incarnation after its chain is drained: it is fenced and its slots have no owner. Idempotent. */
  leave(incarnation: Incarnation): Promise<void>
}

export interface RegisterInput {
  readonly agent: string
  readonly nonce: Nonce
  /** Where clients reach this agent when the connection does not say better. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** The name of the machine it runs on, for people. */
  readonly machine: string | null
  /** `all`: every active incarnation of the cluster. Else those leases, unless they have beaten since. */
  readonly fences: 'all' | readonly WatchedLease[]
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
  /** The lease's counter: whoever sees it unchanged for a whole time-out, by its own clock, may fence. */
  readonly beats: number
  readonly host: string
  readonly port: number
}

export interface SlotOwner {
  readonly slot: number
  readonly owner: IncarnationId | null
  readonly epoch: number
}

// ---- groups -------------------------------------------------------------------------------------------------------------------------

/** Called by coordinate/. What a group's machine keeps is a journal (the last change per key), never a log; committed offsets are rows. */
export interface GroupStore {
  /** Takes the group over for reloading: from this transaction on, a save under another epoch changes nothing. Running it again with the same epoch answers alike. */
  open(input: OpenGroup): Promise<OpenedGroup>
  /** One step of the group's coordinator, all or nothing. `stale`: another coordinator took over, or the group was changed behind this one's back: reload. */
  save(input: SaveGroup): Promise<SavedGroup>
  /** All groups of the cluster, by id. */
  list(): Promise<readonly GroupHead[]>
  /** Of these groups those that there are, in any order. One read: name no more than `limits.namesPerRead`. */
  find(groupIds: readonly string[]): Promise<readonly GroupHead[]>
  /** Committed offsets of living topics, by group, topic id and partition: a page of the first ones after `after`; none: that were all. A primary read. */
  offsets(input: OffsetsOfGroups): Promise<readonly GroupOffset[]>
  /** Those that are committed in the named places of living topics, in any order. A primary read: name no more than `limits.offsetsPerRead`. */
  offsetsAt(places: readonly OffsetPlace[]): Promise<readonly GroupOffset[]>
  /** Groups without members that have offsets older than the retention, or no offsets: a page of ids in order, the first ones after `after`; none: that were all. */
  expirable(input: ExpireOffsets & { readonly after?: string | undefined }): Promise<readonly string[]>
  /** Removes, of those named groups that are without members, the offsets older than the retention, and then each group that has none left. */
  expire(input: ExpireOffsets & { readonly groupIds: readonly string[] }): Promise<void>
  /**
   * Topics of which stable groups of consumers have offsets older than the retention, by group and topic, the first ones after `after`; none: that were
   * all. Whether members read them is known to the groups' coordinators, which remove what they do not by `save`.
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
  /** Drawn for this opening alone, never used before. */
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
  /** As opened, then one more with each save. */
  readonly version: number
  readonly owner: GroupOwner
  /** What lists of groups say; null deletes the group with its journal and its offsets. */
  readonly head: Omit<GroupHead, 'groupId'> | null
  readonly entries: readonly JournalEntry[]
  readonly offsets: readonly OffsetToCommit[]
  readonly removedOffsets: readonly TopicPartition[]
  /** Of these topics the offsets that are older than the retention go; what the same save commits stays. */
  readonly expiredOffsets: readonly (ExpireOffsets & { readonly topicId: TopicId })[]
}

export type SavedGroup = { readonly kind: 'saved' | 'stale' | 'not owner' }

export interface GroupHead {
  readonly groupId: string
  /** The protocol that runs in it: 'classic'. */
  readonly kind: string
  /** Null: nobody has joined yet; the group only keeps offsets. */
  readonly protocolType: string | null
  /** Kafka's name, as of the last save. */
  readonly state: string
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** How long after this commit it is kept in a group without members. Undefined: the server's own retention. */
  readonly retentionMs?: number
}

export interface CommittedOffset extends Omit<OffsetToCommit, 'retentionMs'> {
  /** The topic's name. */
  readonly topic: string
}

export interface OffsetPlace extends TopicPartition {
  readonly groupId: string
}

export interface GroupOffset extends CommittedOffset, OffsetPlace {}

export interface OffsetsOfGroups {
  /** No more than `limits.namesPerRead`. */
  readonly groupIds: readonly string[]
  readonly after?: OffsetPlace | undefined
}

export interface ExpireOffsets {
  /** Since the commit, by the database's clock. */
  readonly retentionMs: number
}

export interface AgedTopic {
  readonly groupId: string
  readonly topicId: TopicId
  readonly topic: string
}
