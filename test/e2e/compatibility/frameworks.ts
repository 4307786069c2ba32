// Frameworks that create their topics themselves, tried by hand: installing them would take CI longer than the tests.

export interface TriedFramework {
  readonly framework: string
  readonly version: string
  /** What it did against `lks dev`, without any setting for this server. */
  readonly seen: string
}

export const triedFrameworks: readonly TriedFramework[] = [
  {
    framework: 'Spring Kafka',
    version: '3.3.4 (Java client 3.8.1)',
    seen: '`KafkaAdmin` creates a compacted topic with `min.insync.replicas` and `segment.bytes`, and one by defaults. `@RetryableTopic` creates its retry topic and its dead-letter topic; a record that fails is retried and ends there',
  },
  {
    framework: 'faust-streaming',
    version: '0.15.3 (aiokafka 0.14.0)',
    seen: 'A word count with `group_by` creates its leader topic, its repartition topic and the compacted changelog of its table. After a restart the table goes on from the changelog',
  },
  {
    framework: 'quixstreams',
    version: '3.28.1 (confluent-kafka 2.12.2)',
    seen: 'A stateful count creates its input and output topics and a compacted changelog, counts, and stops at its time-out',
  },
]
