// The part of the Metadata Service that a recovery speaks to: which objects were committed last, whose records were in some of them, and the cut.
import type { IncarnationId, LogId, ObjectKey, Sequence, TopicPartition } from '../core/ids.ts'

/** Called by upkeep/recovery.ts, before any agent runs on these objects: a commit in between could be cut, too. */
export interface RecoveryStore {
  /** A page of the objects that were committed within `windowMs` before the newest commit, by the database's clock; the newest of each chain first. */
  recentObjects(input: { readonly windowMs: number; readonly maxObjects: number; readonly after?: RecentCursor }): Promise<RecentObjects>
  /** The logs with records in one of the objects, each from the first such record on. Changes nothing. */
  damagedLogs(objects: readonly ObjectId[]): Promise<readonly DamagedLog[]>
  /**
   * Ends each log at its `fromOffset`, and nothing claims any more what was behind it: no segment, no producer's window, no Idempotency-Key, no
   * group's committed offset. Whole logs, some per transaction. The same call again changes nothing.
   */
  cut(logs: readonly DamagedLog[]): Promise<void>
  /** The rows of objects in which no log has a record: the next recovery does not look at them again. */
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
  /** CRC-32C, as it stands in the object's trailer. */
  readonly checksum: number
}

export interface RecentObjects {
  readonly objects: readonly CommittedObject[]
  /** Absent: there are no more. */
  readonly next?: RecentCursor
}

/** Where the next page begins: in the first of the chains, below that sequence. */
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
  /** The first offset that is gone, where the log is to end. */
  readonly fromOffset: number
  /** How many are to be cut. */
  readonly offsets: number
}
