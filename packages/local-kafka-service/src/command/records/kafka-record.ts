// A record as it came from a partition: raw bytes, nothing decoded.

/** Kafka's null is `null`, and an empty key or value is not null. */
export interface KafkaRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch: when it was made, or appended where the topic says so; -1 where nobody said. */
  readonly timestamp: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** A key may come more than once; the order is kept. */
export interface RecordHeader {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** `orders[3]@42`: how a record is named everywhere. */
export function recordName({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}[${partition}]@${offset}`
}
