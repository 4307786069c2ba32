// The part of the Metadata Service for transactional ids: each request is decided under the lock of its id (core/transaction/), and done in the same transaction.
import type { Incarnation, TopicPartition } from '../core/ids.ts'
import type { TransactionRejection, TransactionRequest } from '../core/transaction/transaction.ts'
import type { TransactionRow } from '../core/transaction/transaction-row.ts'
import type { OffsetPlace } from './offset-place.ts'
import type { GrownPartition } from './segment.ts'

export interface TransactionStore {
  /**
   * Decides a request and does what follows, all or nothing. A transaction that ends gets one marker in each of its partitions. On `needs producer id` the caller
   * allocates one and repeats the call with it. Any agent may call it with `add`, `fence` and `expire`, only the owner of the id's slot with `init` and `end`.
   */
  decide(input: TransactionalRequest): Promise<TransactionalAnswer>
  /** Ids whose transaction has been open for longer than its time-out, in their order: the first page after `after`. An empty page ends the list. */
  timedOut(after?: string): Promise<readonly string[]>
  /** Ids without an open transaction that did not change for `unusedMs`, in their order: the first page after `after`. An empty page ends the list. */
  unused(input: { readonly unusedMs: number; readonly after?: string | undefined }): Promise<readonly string[]>
  /** All ids, in their order: the first page after `after`. An empty page ends the list. A primary read. */
  list(after?: string): Promise<readonly ListedTransaction[]>
  /** The present row of an id, and the partitions of its open transaction. A primary read. Undefined: the id is not known. */
  find(transactionalId: string): Promise<FoundTransaction | undefined>
  /** The places in these groups that have pending offsets, in any order. A primary read: name at most `fixedLimits.namesPerRead`. */
  pendingIn(groupIds: readonly string[]): Promise<readonly OffsetPlace[]>
  /** The aborted transactions that overlap each range, in the order of their markers; the answers are in the order of the request. A primary read. */
  aborted(asks: readonly AbortedIn[]): Promise<readonly (readonly AbortedTransaction[])[]>
}

export interface TransactionalRequest {
  readonly transactionalId: string
  /** A verification is made where its batch or its offsets are stored. */
  readonly request: Exclude<TransactionRequest, { readonly kind: 'verify' }>
  /** The partitions that an `add` adds. Those that do not exist are left out. */
  readonly partitions?: readonly TopicPartition[]
  /** The groups that an `add` adds. */
  readonly groupIds?: readonly string[]
  /** The request counts only if this holds under the lock; otherwise the answer is that nothing has changed. */
  readonly onlyIf?: { readonly kind: 'timed out' } | { readonly kind: 'unused'; readonly unusedMs: number }
  readonly newProducerId?: number
  /** The agent that makes the call: the segments of markers name it. */
  readonly incarnation: Incarnation
}

export type TransactionalAnswer =
  | { readonly kind: 'rejected'; readonly error: TransactionRejection }
  | { readonly kind: 'needs producer id' }
  /** Another agent owns the slot of the id now, and nothing has changed. */
  | { readonly kind: 'not owner' }
  | DecidedTransaction

export interface DecidedTransaction {
  readonly kind: 'decided'
  /** Undefined: the id has no row now. */
  readonly row: TransactionRow | undefined
  /** The partitions that got markers. `unknown`: an earlier attempt of the call may have written them. */
  readonly grown: readonly GrownPartition[] | 'unknown'
  /** The groups whose pending offsets were committed. `unknown`: as above. */
  readonly committed: readonly CommittedOffsets[] | 'unknown'
}

export interface CommittedOffsets {
  readonly groupId: string
  /** How many there are. */
  readonly offsets: number
}

export interface ListedTransaction {
  readonly transactionalId: string
  readonly row: TransactionRow
  /** When the transaction that is open, or was the last, began, by the database's clock, and how long ago that is. */
  readonly beganAtMs: number
  readonly openMs: number
}

export interface FoundTransaction {
  readonly row: TransactionRow
  /** When the transaction that is open, or was the last, began, by the database's clock. */
  readonly beganAtMs: number
  readonly partitions: readonly TopicPartition[]
  readonly groupIds: readonly string[]
}

/** Offsets of a partition. */
export interface AbortedIn extends TopicPartition {
  readonly fromOffset: number
  /** The first offset after them. */
  readonly untilOffset: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The offset of its marker: the producer's records between the two were aborted. */
  readonly markerOffset: number
}
