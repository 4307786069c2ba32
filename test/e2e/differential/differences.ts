// The accepted differences between this server and Apache Kafka 4.3: each row is one difference, its reason, and the fields of answers in which the differential test finds it.
// The rows are docs/reference/kafka-differences.md (pnpm check --write). To add one: write the row here, then name its id in `differs` of the request in the tables beside this file.
// The test fails for a difference without a row, and for a row whose difference no longer occurs.

export interface Difference {
  /** Unique, in kebab-case. */
  readonly id: string
  /** Kafka's name of the API, as in docs/reference/apis.md. */
  readonly api: string
  /** The versions with the difference, in Kafka's notation: `3-12`, `5+`, `7`; `0+` for all. */
  readonly versions: `${number}` | `${number}+` | `${number}-${number}`
  /** The request in words; no full stop. */
  readonly request: string
  /** What Kafka answers; no full stop. */
  readonly kafka: string
  /** What this server answers; no full stop. */
  readonly ours: string
  /** Why the difference stays; a sentence. */
  readonly why: string
  /** Clients that were run against this server and do not mind, with their versions. */
  readonly clientsTried?: readonly string[]
  /** Whether every answer of the API may have the difference; otherwise only requests that name the row in `differs`. */
  readonly everywhere?: true
  readonly shown: InTable | InTest
}

/** Fields of the answer by path, without indexes (`topics.errorCode`), and the pair of values there; `varies` for values that a row cannot name. `answer` is the whole. */
export interface InTable {
  readonly fields: Readonly<Record<string, FieldPair | 'varies'>>
}
/** For what the tables cannot show: another test proves it. */
export interface InTest {
  /** Relative to the repository's root. */
  readonly file: string
  /** The test's title as its source has it. */
  readonly title: string
}
export type FieldPair = readonly [kafka: FieldValue, ours: FieldValue]
export type FieldValue = string | number | boolean | null

export const differences: readonly Difference[] = [
  {
    id: 'create-topics-collision',
    api: 'CreateTopics',
    versions: '2+',
    request: 'Two names that differ only in `.` and `_` in one request',
    kafka: 'makes both',
    ours: 'makes the first and answers INVALID_TOPIC_EXCEPTION (17) for the second',
    why: 'Kafka itself rejects the second name when it comes in a request of its own, because both topics would have the same metric names.',
    shown: { fields: { 'topics.errorCode': [0, 17], 'topics.errorMessage': 'varies' } },
  },
  {
    id: 'produce-partition-twice',
    api: 'Produce',
    versions: '3+',
    request: 'One partition twice in a request',
    kafka: 'writes the last batch, drops the first, and answers once without an error',
    ours: 'answers INVALID_REQUEST (42) and writes nothing to the partition',
    why: 'An acknowledged batch must not be lost, so a request that cannot be answered truthfully is rejected.',
    shown: { fields: { 'responses.partitionResponses.errorCode': [0, 42], 'responses.partitionResponses': 'varies' } },
  },
  {
    id: 'produce-lost-first-batch',
    api: 'Produce',
    versions: '3+',
    request: 'The first batch of an idempotent producer in a partition that is older than its producer id, with a base sequence above 0',
    kafka: 'appends it',
    ours: 'answers OUT_OF_ORDER_SEQUENCE_NUMBER (45)',
    why: 'The batches before it were lost or are still to be retried, and would land after it or never. In a partition that is younger than the id, as after a topic was deleted and made again, any sequence is accepted.',
    clientsTried: ['confluent-kafka 2.16.1', 'kafkajs 2.2.4', 'sarama 1.61.1', 'Java 4.3.1', '@platformatic/kafka 2.12.1'],
    shown: {
      file: 'packages/agent/src/metadata/metadata-store.contract.ts',
      title: 'a young producer begins at 0; one whose id is old, or not ours, where it likes',
    },
  },
  {
    id: 'produce-offset-deltas',
    api: 'Produce',
    versions: '3+',
    request: 'A batch whose records have offset deltas other than 0, 1, 2 …',
    kafka: 'appends it as it is, so that consumers see the wrong offsets; compressed, it answers UNKNOWN_SERVER_ERROR (-1)',
    ours: 'answers INVALID_RECORD (87)',
    why: 'Consumers could not read the records at the offsets that the answer gives them.',
    shown: { file: 'packages/agent/src/api/produce-batches.test.ts', title: 'H7: a batch with %s is rejected, and nothing is appended' },
  },
  {
    id: 'produce-broken-compression',
    api: 'Produce',
    versions: '3+',
    request: 'A batch whose records are not what its codec writes, or break off',
    kafka: 'answers UNKNOWN_SERVER_ERROR (-1)',
    ours: 'answers INVALID_RECORD (87) with a message that names the codec',
    why: 'The code says what is wrong, and clients do not retry after either.',
    shown: { file: 'packages/agent/src/api/produce-batches.test.ts', title: 'C5: and %s are rejected, and nothing is appended' },
  },
  {
    id: 'produce-record-length-compressed',
    api: 'Produce',
    versions: '3+',
    request: 'A compressed batch with a record that is longer or shorter than it says',
    kafka: 'appends it',
    ours: 'answers INVALID_RECORD (87), as both do without compression',
    why: 'Consumers cannot read it.',
    shown: {
      file: 'packages/agent/src/api/produce-batches.test.ts',
      title: 'C5, H7: whatever is done to a batch, it is rejected and nothing is appended, or every record can be read',
    },
  },
  {
    id: 'produce-unpacked-size',
    api: 'Produce',
    versions: '3+',
    request: 'A compressed batch that unpacks to more than 64 MiB',
    kafka: 'appends it',
    ours: 'answers MESSAGE_TOO_LARGE (10)',
    why: 'Whatever opens a batch has a bound of memory. Clients split such a batch.',
    shown: {
      file: 'packages/agent/src/api/produce-batches.test.ts',
      title: 'C5: a batch that unpacks to more than any reader unpacks is too large, and takes no memory for it',
    },
  },
  {
    id: 'produce-opaque-compression',
    api: 'Produce',
    versions: '3+',
    request: 'A compressed batch whose records are malformed although its header is plausible, under `lks start`',
    kafka: 'opens every compressed batch, and answers INVALID_RECORD (87) or UNKNOWN_SERVER_ERROR (-1)',
    ours: 'opens only batches with a suspicious header, and appends the others; `lks dev` opens all, and `lks start` does with `validate.compressed.batches`',
    why: 'Opening costs several times the CPU of everything else that a produce does (docs/benchmarks.md).',
    shown: {
      file: 'packages/agent/src/api/produce-batches.test.ts',
      title: 'C5: and %s are rejected where batches are not opened, too',
    },
  },
  {
    id: 'offset-commit-empty-group',
    api: 'OffsetCommit',
    versions: '2+',
    request: 'A commit to the group with the empty name',
    kafka: 'makes a group with the empty name',
    ours: 'answers INVALID_GROUP_ID (24)',
    why: "Kafka's own tools fail on such a group: `kafka-configs --describe --entity-type groups` ends with an error while it exists.",
    shown: { fields: { 'topics.partitions.errorCode': [0, 24] } },
  },
  {
    id: 'metadata-internal-topic',
    api: 'Metadata',
    versions: '0+',
    request: "A name of one of Kafka's internal topics, with auto creation",
    kafka:
      'makes `__consumer_offsets`, `__transaction_state` or `__share_group_state` as an internal topic and answers UNKNOWN_TOPIC_OR_PARTITION (3) until it is there',
    ours: 'answers UNKNOWN_TOPIC_OR_PARTITION (3)',
    why: 'This server keeps offsets in its database, so a topic with this name could hold nothing.',
    shown: { file: 'packages/agent/src/api/create-topics.test.ts', title: 'C8: %s is never made, neither by Metadata nor by CreateTopics' },
  },
  {
    id: 'create-topics-internal',
    api: 'CreateTopics',
    versions: '2+',
    request: "A name of one of Kafka's internal topics",
    kafka: 'makes the topic, or answers TOPIC_ALREADY_EXISTS (36); for `__cluster_metadata` INVALID_REQUEST (42)',
    ours: 'answers INVALID_REQUEST (42) to all of them',
    why: 'This server keeps offsets in its database, so a topic with this name could hold nothing. The code and the text are those of Kafka for `__cluster_metadata`.',
    shown: { file: 'packages/agent/src/api/create-topics.test.ts', title: 'C8: %s is never made, neither by Metadata nor by CreateTopics' },
  },
  {
    id: 'offset-commit-beyond',
    api: 'OffsetCommit',
    versions: '2+',
    request: 'An offset beyond 2^53',
    kafka: 'keeps it',
    ours: 'answers INVALID_REQUEST (42) for the partition',
    why: 'No log reaches such an offset, and this server keeps offsets as numbers that are exact below 2^53.',
    shown: {
      file: 'packages/agent/src/api/groups.test.ts',
      title: 'C17: an offset beyond 2^53 is an error of its partition, and the connection goes on',
    },
  },
  {
    id: 'consumer-group-heartbeat',
    api: 'ConsumerGroupHeartbeat',
    versions: '0+',
    request: 'Any',
    kafka:
      'serves the consumer protocol (KIP-848); with `group.coordinator.rebalance.protocols=classic` it answers UNSUPPORTED_VERSION (35)',
    ours: 'answers UNSUPPORTED_VERSION (35)',
    why: 'The consumer protocol does not exist here yet. The API is advertised all the same, because librdkafka waits indefinitely where it is not.',
    clientsTried: ['confluent-kafka 2.16.1'],
    shown: { file: 'packages/agent/src/api/handlers.test.ts', title: '$name $version answers' },
  },
]
