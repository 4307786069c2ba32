// The Metadata Service: the port to the strongly consistent state, in SQLite or in PostgreSQL. Each subject of the contract has a file of its own.
import type { ClusterId } from '../core/ids.ts'
import type { DamageStore } from './damage-store.ts'
import type { ExpiryStore } from './expiry-store.ts'
import type { GroupStore } from './group-store.ts'
import type { LogIndex } from './log-store.ts'
import type { Members } from './member-store.ts'
import type { OrphanStore } from './orphan-store.ts'
import type { RecoveryStore } from './recovery-store.ts'
import type { ResourceConfigs } from './resource-config-store.ts'
import type { RetentionStore } from './retention-store.ts'
import type { SwapStore } from './swap-store.ts'
import type { SweepStore } from './sweep-store.ts'
import type { Topics } from './topic-store.ts'
import type { TransactionStore } from './transaction-store.ts'

// The types of the contract, for those who use the port.
export type {
  AgedTopic,
  CommittedOffset,
  ExpireOffsets,
  GroupHead,
  GroupOffset,
  GroupOwner,
  GroupStore,
  JournalEntry,
  OffsetsOfGroups,
  OffsetToCommit,
  OpenedGroup,
  OpenGroup,
  PendingOffset,
  SavedGroup,
  SaveGroup,
} from './group-store.ts'
export type {
  ActiveProducer,
  BatchOfTransaction,
  CommitBatch,
  CommitInput,
  CommitOutcome,
  CommitRejection,
  CommitResult,
  DeletedRecords,
  DeleteRecordsAsk,
  FindByTime,
  FindSegments,
  FoundByTime,
  FoundSegments,
  LogIndex,
  PartitionState,
  Verdict,
  Watermarks,
} from './log-store.ts'
export type {
  Beat,
  GivenSlots,
  GiveSlots,
  HttpUrls,
  Member,
  Members,
  RegisterInput,
  RegisterResult,
  Registration,
  SlotOwner,
  TakenSlots,
  TakeSlots,
} from './member-store.ts'
export type { OffsetPlace } from './offset-place.ts'
export type {
  ChangeResourceConfigs,
  ChangeResourceConfigsResult,
  ConfiguredResource,
  ResourceConfigs,
  StoredResourceKind,
} from './resource-config-store.ts'
export type { GrownPartition, Segment } from './segment.ts'
export type {
  ChangeTopicConfigs,
  ChangeTopicConfigsResult,
  CreateTopicResult,
  DeletedTopic,
  GrowTopicResult,
  NewTopic,
  Topic,
  Topics,
  UndeleteTopicResult,
} from './topic-store.ts'

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
