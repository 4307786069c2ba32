// A transactional id as a test sees it.

/** A transactional id, with what its open transaction has. */
export interface KafkaTransaction {
  readonly transactionalId: string
  /** Kafka's state. There are no states between the end of a transaction and its markers, because they are one step. */
  readonly state: 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'
  readonly producerId: number
  readonly producerEpoch: number
  /** The producer's `transaction.timeout.ms`. */
  readonly timeoutMs: number
  /** When the open transaction began, by this server's clock; undefined if none is open. */
  readonly startedAt: Date | undefined
  /** The broker id of the coordinator. */
  readonly coordinator: number | undefined
  /** The partitions of the open transaction, by topic and partition. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
  /** The groups whose offsets the open transaction commits. */
  readonly groups: readonly string[]
}
