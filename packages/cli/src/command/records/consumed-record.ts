// A record as a partition returned it: raw bytes, not decoded.

/** Kafka's null is `null`; an empty key or value is not null. */
export interface ConsumedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch: the create time, or the append time if the topic says so; -1 for none. */
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly ConsumedHeader[]
}

/** A header key may occur more than once; the order is kept. */
export interface ConsumedHeader {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** `orders[3]@42`: the name of a record in all output. */
export function recordName({ topic, partition, offset }: Pick<ConsumedRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}[${partition}]@${offset}`
}
