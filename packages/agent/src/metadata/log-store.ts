// The index of the logs: commits, segments, and the state of partitions, as rows of the Metadata Service.
import type { Incarnation, IncarnationId, LogId, Sequence, TopicId, TopicPartition } from '../core/ids.ts'
import type { TransactionalBatch } from '../core/log/append.ts'
import type { GrownPartition, Segment } from './segment.ts'

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
