// How a test asks for a topic.

/** A topic to create. */
export interface TopicSpec {
  /** Default: the setting `num.partitions`, which is 1. */
  readonly partitions?: number
  /** Kafka's topic configs by name, such as `{ 'max.message.bytes': 1_000_000 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}
