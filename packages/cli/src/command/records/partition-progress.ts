// The progress of a read of one partition: where it is, and where it ends.

/** The position in one partition. The reader moves it past a block when the next one is requested; a caller that stops within a block may set it. */
export interface PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** The next offset to fetch. */
  position: bigint
  /** Earlier records are skipped: the requested offset did not exist yet. */
  readonly notBefore: bigint
  /** Exclusive. */
  readonly until: bigint | undefined
}
