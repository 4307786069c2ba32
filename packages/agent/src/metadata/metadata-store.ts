// The Metadata Service: the port to the strongly consistent state, in SQLite or in PostgreSQL. It is one thing: a contract whose types refer to one another.
import type { ConfigChanges } from '../core/config/config-changes.ts'
import type { ClusterId, Incarnation, IncarnationId, LogId, Nonce, Sequence, TopicId, TopicPartition } from '../core/ids.ts'
import type { TransactionalBatch } from '../core/log/append.ts'
import type { ProducerEpoch } from '../core/transaction/transaction-row.ts'
import type { DamageStore } from './damage-store.ts'
import type { ExpiryStore } from './expiry-store.ts'
import type { Lease, WatchedLease } from './lease.ts'
import type { OffsetPlace } from './offset-place.ts'
import type { OrphanStore } from './orphan-store.ts'
import type { RecoveryStore } from './recovery-store.ts'
import type { RetentionStore } from './retention-store.ts'
import type { GrownPartition, Segment } from './segment.ts'
import type { SwapStore } from './swap-store.ts'
import type { SweepStore } from './sweep-store.ts'
import type { TransactionStore } from './transaction-store.ts'

/**
 * Every transaction is one database transaction; it is batched, takes and returns plain data, and is idempotent or fenced. A handle serves one cluster.
 * Reads go to the primary. A transaction rejects with a MetadataError. Only `log.commit` can answer that its outcome is not known (`kind: 'unknown'`);
 * all others run the same call again until its outcome is definite, and reject with `unavailable` at the deadline.
 */
export interface MetadataStore {
  readonly clusterId: ClusterId
  readonly slots: number
  readonly topics: Topics
  readonly resources: ResourceConfigs
  readonly log: LogIndex
  readonly members: Members
  readonly groups: GroupStore
  readonly transactions: TransactionStore
  readonly recovery: RecoveryStore
  readonly damage: DamageStore
  readonly swaps: SwapStore
  readonly retention: RetentionStore
  readonly sweep: SweepStore
  readonly orphans: OrphanStore
  readonly expiry: ExpiryStore
  close(): Promise<void>
}

/**
 * `unavailable`: the database is away or did not answer in time (retriable). `invalid`: its answer is not allowed (a defect, or a foreign schema).
 * `reason` gives the cause where a person can act on it.
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
  /** No server listens at the address, or the host is unknown. */
  | 'unreachable'
  /** The user or the password is wrong, or the server does not admit this client. */
  | 'authentication'
  | 'no such database'
  /** The server, or a pooler in front of it, has settings under which an answered commit may be lost, or a stopped agent may hold locks. */
  | 'unsafe settings'
  /** A standby was promoted, and this server is the primary before that. */
  | 'old primary'
  /** The user may not create or write our tables, or a file or directory is not writable. */
  | 'permission'
  /** The file is not an SQLite database, or it is damaged. */
  | 'not a database'
  | 'disk full'

// ---- topics -------------------------------------------------------------------------------------------------------------------------

export interface Topic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitions: number
  /** Only the configs that were set for this topic, by Kafka's config names. */
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
  /** Creates the topic and its partitions. `collides`: a live topic's name differs from this one only by `.` and `_`, which Kafka forbids. A dry run changes nothing. */
  create(input: NewTopic): Promise<CreateTopicResult>
  /** Soft deletion: from this transaction on the topic is not found and no commit appends to it. Absent topic: `unknown`. */
  delete(topicId: TopicId): Promise<'deleted' | 'unknown'>
  /** Brings a deleted topic back with its records, unless its purge has begun; committed offsets stay removed. `taken`: another topic has the name, or one that collides with it. */
  undelete(topicId: TopicId): Promise<UndeleteTopicResult>
  /** The newest deleted topics whose purge has not begun, the newest deletion first; at most `fixedLimits.namesPerRead`. A primary read. */
  deleted(): Promise<readonly DeletedTopic[]>
  /** Adds partitions up to `partitions`; never fewer. */
  grow(input: { readonly topicId: TopicId; readonly partitions: number; readonly dryRun: boolean }): Promise<GrowTopicResult>
  /** Changes the topic's own configs, all or none of them. The transaction checks the changes against the stored configs. A dry run changes nothing. */
  changeConfigs(input: ChangeTopicConfigs): Promise<ChangeTopicConfigsResult>
}

export interface ChangeTopicConfigs {
  readonly name: string
  readonly changes: ConfigChanges
  readonly dryRun: boolean
}

export type ChangeTopicConfigsResult =
  | { readonly kind: 'changed'; readonly topic: Topic }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'rejected'; readonly code: number; readonly message: string | undefined }

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

/** Can be brought back until its purge begins. */
export interface DeletedTopic extends Topic {
  /** By the database's clock. */
  readonly deletedAtMs: number
}

export type UndeleteTopicResult =
  | { readonly kind: 'undeleted'; readonly topic: Topic }
  | { readonly kind: 'taken'; readonly by: string }
  /** No deleted topic has this id: it was never deleted, or it is purged. */
  | { readonly kind: 'unknown' }

export type GrowTopicResult =
  | { readonly kind: 'grown'; readonly topic: Topic }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not more'; readonly partitions: number }

// ---- configs of other resources -------------------------------------------------------------------------------------------------------

/** Called by operations/broker-configs.ts and by the APIs of client metrics. */
export interface ResourceConfigs {
  /** All resources with configs of their own, by name. A primary read. */
  list(): Promise<readonly ConfiguredResource[]>
  /** Changes the configs of one resource, all or none of them. Without configs, the resource is not listed. A dry run changes nothing. */
  change(input: ChangeResourceConfigs): Promise<ChangeResourceConfigsResult>
}

/** The kinds of resources whose configs are rows of `resource_configs`. The broker with the empty name stands for all brokers. */
export type StoredResourceKind = 'client metrics' | 'broker'

export interface ConfiguredResource {
  readonly kind: StoredResourceKind
  readonly name: string
  readonly configs: Readonly<Record<string, string>>
}

export interface ChangeResourceConfigs {
  readonly kind: StoredResourceKind
  readonly name: string
  readonly changes: ConfigChanges
  readonly dryRun: boolean
}

export type ChangeResourceConfigsResult =
  | { readonly kind: 'changed' }
  | { readonly kind: 'rejected'; readonly code: number; readonly message: string | undefined }

// ---- log ----------------------------------------------------------------------------------------------------------------------------

export interface LogIndex {
  /**
   * The one transaction that assigns offsets to a flush's batches (core/log/append.ts decides). Only flush/chain.ts calls it, one call at a time and
   * in the order of the sequences. A replay of the last committed flush gets its stored answer, even after fencing. On `unknown` the caller repeats
   * the identical call. `prev` is the last sequence that this chain knows to be committed (0 at first). `batches` may be empty: this is how
   * flushes between `prev` and `sequence` are abandoned permanently.
   */
  commit(input: CommitInput): Promise<CommitOutcome>
  /** Segments from the offset on, in order, until `maxBytes` are reached (always at least one when there is one) or `maxSegments`. One primary read for all asks. */
  find(asks: readonly FindSegments[]): Promise<readonly FoundSegments[]>
  /** The states of the partitions, in the order of the request. A primary read. Absent partition: undefined. */
  partitions(asked: readonly TopicPartition[]): Promise<readonly (PartitionState | undefined)[]>
  /**
   * For ListOffsets: the first segment that has a record with a timestamp of at least `timestamp`, or the first with the largest timestamp. Records before
   * the start of the log count if they are in the same segment as the start. A primary read.
   */
  findByTime(asks: readonly FindByTime[]): Promise<readonly FoundByTime[]>
  /** The bytes of the partitions' segments, in the order of the request. A primary read. Absent partition: undefined. */
  sizes(asked: readonly TopicPartition[]): Promise<readonly (number | undefined)[]>
  /** The idempotent producers that each partition remembers, by id, in the order of the request. A primary read. Absent partition: undefined. */
  producers(
    asked: readonly TopicPartition[],
    options: { readonly expirationMs: number },
  ): Promise<readonly (readonly ActiveProducer[] | undefined)[]>
  /**
   * Moves the starts of logs forward, each under its partition's lock; never back. Only the agent that owns a partition may do it, because it is the one that
   * knows the start from then on. The answers are in the order of the request, each with the start that the log has now. Idempotent.
   */
  deleteRecords(owner: IncarnationId, asks: readonly DeleteRecordsAsk[]): Promise<readonly DeletedRecords[]>
  /** Allocates a block of `count` producer ids that were never used before; returns the first. */
  allocateProducerIds(count: number): Promise<number>
}

export interface ActiveProducer {
  readonly producerId: number
  readonly epoch: number
  /** -1: none in this epoch. */
  readonly lastSequence: number
  /** The largest timestamp of its last batch; without one, when its transaction ended. */
  readonly lastTimestamp: number
  /** The first offset of its open transaction; undefined if none is open. */
  readonly transactionFirstOffset: number | undefined
}

export interface CommitInput {
  readonly incarnation: Incarnation
  readonly prev: Sequence | 0
  readonly sequence: Sequence
  /** Null for an empty successor, which has no object. */
  readonly object: { readonly sizeBytes: number; readonly checksum: number } | null
  /** In the order of admission within each partition, and grouped by partition like the object. */
  readonly batches: readonly CommitBatch[]
  /** `producer.id.expiration.ms`: how long a silent idempotent producer's window is remembered, by the database's clock. */
  readonly producerIdExpirationMs: number
}

export interface CommitBatch {
  readonly topicId: TopicId
  readonly partition: number
  /** The slot epoch that was written into the batch as its leader epoch. */
  readonly epoch: number
  /** The number of offsets that the batch takes: lastOffsetDelta + 1. */
  readonly offsets: number
  readonly maxTimestamp: number
  /** The location of its bytes in the object. */
  readonly byteStart: number
  readonly sizeBytes: number
  /** -1 when the producer is not idempotent; then the next two fields mean nothing. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Present if the batch is part of a transaction. */
  readonly transaction?: BatchOfTransaction
  /** An HTTP Idempotency-Key. Its scope is the cluster. `bodyHash` is the hex SHA-256 of topic, partition and body; it shows whether the body is the same. */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string; readonly timestamp: number }
}

export interface BatchOfTransaction extends TransactionalBatch {
  readonly transactionalId: string
}

/** The commit's decision on one batch. It is stored with the flush, so a replay gets the identical verdicts. */
export type Verdict =
  /** Appended. */
  | { readonly kind: 'appended'; readonly baseOffset: number }
  /** One of the producer's last five batches, or a replayed idempotency key: nothing was appended; the original offset. */
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestamp: number; readonly partition?: number }
  /** Rejected, definitely not appended. */
  | { readonly kind: 'rejected'; readonly reason: CommitRejection }

/** The names of Kafka's error codes; protocol/errors.ts has the numbers. `IDEMPOTENCY_KEY_REUSED` is ours: same key, another body. */
export type CommitRejection =
  | 'UNKNOWN_TOPIC_ID'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'INVALID_TXN_STATE'
  | 'TRANSACTION_ABORTABLE'
  | 'IDEMPOTENCY_KEY_REUSED'

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly result: CommitResult }
  /** Another incarnation took over: no part of this flush was or will be stored. */
  | { readonly kind: 'fenced' }
  /** `sequence` is below the last committed one: this flush was abandoned permanently. */
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

export type { OffsetPlace } from './offset-place.ts'
export type { GrownPartition, Segment } from './segment.ts'

export interface DeleteRecordsAsk extends TopicPartition {
  /** The first offset to keep: a number, so that an attempt that runs late deletes nothing that was appended since. */
  readonly beforeOffset: number
}

export type DeletedRecords =
  | { readonly kind: 'deleted'; readonly logStartOffset: number }
  /** The offset lies beyond the high watermark, or is negative. */
  | { readonly kind: 'out of range' }
  | { readonly kind: 'not owner' }
  | { readonly kind: 'unknown partition' }

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
  /** The offset of the last marker that aborted records of the log, -1 if there is none. */
  readonly lastAbortOffset: number
  /** The largest timestamp of any accepted batch, -1 when there is none. LogAppendTime never goes below it. */
  readonly maxTimestamp: number
  /** The owner of the partition's slot, and the slot's epoch. */
  readonly owner: IncarnationId | null
  readonly epoch: number
}

export type FindByTime = TopicPartition & {
  /** Looks only at segments from this offset on. Default: the start of the log. */
  readonly fromOffset?: number
  readonly at: { readonly kind: 'timestamp'; readonly timestamp: number } | { readonly kind: 'max timestamp' }
}

export type FoundByTime =
  | ({ readonly kind: 'found'; readonly segment: Segment | undefined } & Watermarks)
  | { readonly kind: 'unknown partition' }

// ---- members ------------------------------------------------------------------------------------------------------------------------

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

// ---- groups -------------------------------------------------------------------------------------------------------------------------

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
