// The recovery's part of the Metadata Service: it finds the objects that were committed last and the logs with records in them, and cuts these logs.
import type { IncarnationId, LogId, ObjectKey, Sequence, TopicPartition } from '../core/ids.ts'

/** Called by upkeep/recovery.ts before any agent runs on these objects: a commit in between could be cut, too. */
export interface RecoveryStore {
  /** A page of the objects that were committed within `windowMs` before the newest commit, by the database's clock; the newest of each chain first. */
  recentObjects(input: { readonly windowMs: number; readonly maxObjects: number; readonly after?: RecentCursor }): Promise<RecentObjects>
  /** The logs with records in one of the objects, each with the first such offset. Changes nothing. */
  damagedLogs(objects: readonly ObjectId[]): Promise<readonly DamagedLog[]>
  /**
   * Ends each log at its `fromOffset`, and removes every reference to later offsets: segments, producers' windows, Idempotency-Keys and groups'
   * committed offsets. Each log is cut whole; a transaction cuts several. Idempotent.
   */
  cut(logs: readonly DamagedLog[]): Promise<void>
  /** Removes the rows of objects in which no log has a record, so that the next recovery skips them. */
  forget(objects: readonly ObjectId[]): Promise<void>
}

/** An object is a flush, so it has the flush's id. */
export interface ObjectId {
  readonly incarnation: IncarnationId
  readonly sequence: Sequence
}

export interface CommittedObject extends ObjectId {
  readonly key: ObjectKey
  readonly sizeBytes: number
  /** CRC-32C, as in the object's trailer. */
  readonly checksum: number
}

export interface RecentObjects {
  readonly objects: readonly CommittedObject[]
  /** Absent: this is the last page. */
  readonly next?: RecentCursor
}

/** The beginning of the next page: in the first of the chains, below that sequence. */
export interface RecentCursor {
  readonly sinceMs: number
  readonly chains: readonly IncarnationId[]
  readonly below: Sequence
}

export interface DamagedLog extends TopicPartition {
  readonly logId: LogId
  /** The topic's name. */
  readonly topic: string
  /** A deleted topic keeps its logs for a while. */
  readonly deleted: boolean
  /** The first lost offset, where the log is to end. */
  readonly fromOffset: number
  /** The number of offsets to cut. */
  readonly offsets: number
}
