// Behaviour of clients that may surprise a user of this server, and that is the same with every Kafka.

export interface ClientBehaviour {
  readonly client: string
  /** With which it was seen. */
  readonly version: string
  readonly behaviour: string
  /** What shows it. */
  readonly source: string
}

export const clientBehaviour: readonly ClientBehaviour[] = [
  {
    client: '@platformatic/kafka',
    version: '2.12.1',
    behaviour:
      'Records of one batch whose timestamps are 2^31 ms (24.9 days) or more apart are sent with other timestamps. `lks produce` has an encoder of its own',
    source: '`findings/platformatic-kafka-batch-timestamps.sh`',
  },
  {
    client: '@platformatic/kafka',
    version: '2.12.1',
    behaviour:
      'With `READ_COMMITTED`, records of aborted transactions are delivered if a producer aborted several of them within one fetch, or if the marker of one comes with a later fetch',
    source: '`findings/platformatic-kafka-aborted-transactions.sh`',
  },
  {
    client: '@platformatic/kafka',
    version: '2.12.1',
    behaviour:
      '`close` sends LeaveGroup only if the connection to the coordinator is established at that moment. After a broken connection the closed member stays in the group until its session times out, 60 s by default',
    source: '`test/e2e/groups.test.ts`',
  },
  {
    client: 'kafkajs',
    version: '2.2.4 with lz4js 0.2.0 as its codec',
    behaviour:
      'No Java client can read the LZ4 frames that lz4js writes, because they declare linked blocks. This server rejects such a batch and says so. lz4-napi writes frames that every client reads',
    source: '`findings/lz4js-linked-blocks.sh`',
  },
  {
    client: 'kafkajs',
    version: '2.2.4',
    behaviour: 'A member notices a rebalance only between two fetches: within `maxWaitTimeInMs`, 5 s by default',
    source: '`test/e2e/groups.test.ts`',
  },
  {
    client: 'kafkajs',
    version: '2.2.4',
    behaviour:
      'After a session that has ended, a consumer whose handler calls `commitOffsets` ends for good: it throws UNKNOWN_MEMBER_ID there, and the event CRASH says `restart: false`. With `autoCommit` the consumer joins again. Catch the error in the handler, or run again at CRASH',
    source: '`findings/kafkajs-commit-in-a-handler.sh`',
  },
  {
    client: '@platformatic/kafka',
    version: '2.12.1',
    behaviour:
      'A producer claims producer id 0 with epoch 0 by default, so the next process with the same transactional id is fenced. Give it `producerId: -1n, producerEpoch: -1`',
    source: '`test/e2e/transactions.test.ts`',
  },
  {
    client: 'kafka-go, @platformatic/kafka, kafka-ts',
    version: '0.4.51, 2.12.1, 1.5.0',
    behaviour:
      'In a topic with `message.timestamp.type=LogAppendTime`, messages have the time of the producer, not that of the server. Offsets found by time go by the time of the server',
    source: '`findings/kafka-go-log-append-time.sh`',
  },
  {
    client: 'kafka-go',
    version: '0.4.51',
    behaviour:
      'A reader that receives nothing but a batch without records, which log compaction leaves, goes back to offset 1 and delivers the partition again. This server sends such a batch only if nothing follows it',
    source: '`findings/kafka-go-empty-batch.sh`',
  },
  {
    client: 'kafkajs',
    version: '2.2.4',
    behaviour:
      'A consumer that receives nothing but a batch without records fetches it again and again, and does not reach the records after it. This server sends such a batch only if nothing follows it',
    source: '`findings/kafka-go-empty-batch.sh`',
  },
  {
    client: 'kafkajs, franz-go',
    version: '2.2.4, 1.22.3',
    behaviour:
      'A consumer with a rack keeps to the broker that it was sent to after that has gone: kafkajs for up to `metadataMaxAge` (5 minutes), franz-go for up to `RecheckPreferredReplicaInterval` (30 minutes), unless it joins its group again. Java and librdkafka go back to the leader',
    source: '`test/e2e/racks.test.ts`',
  },
  {
    client: 'librdkafka',
    version: '2.16.0 (confluent-kafka 2.16.1)',
    behaviour:
      'An idempotent producer takes a new epoch for all its partitions when a batch is rejected while the next one of its partition is in flight. Records of other partitions whose answers were lost with the connection at that moment are stored twice, and no error is reported. The commit of a transactional producer fails instead. The Java client stores each record once',
    source: '`findings/librdkafka-epoch-after-a-rejection.sh`',
  },
  {
    client: 'samsa (Rust)',
    version: '0.1.8',
    behaviour:
      'The time of a record is twice as far from that of the first record of its batch as it should be. Null keys and values are written and read as empty ones, so a tombstone does not delete its key',
    source: '`findings/samsa-times-and-nulls.sh`',
  },
  {
    client: 'sarama',
    version: '1.61.1, as `V0_11` or `V1_0`',
    behaviour: '`ListTopics` ends with `EOF`: it asks for DescribeConfigs 0, which Apache Kafka 4 has removed, too',
    source: '`test/e2e/clients/go`',
  },
  {
    client: 'Kafka Connect (connect-json)',
    version: '4.3.1',
    behaviour:
      'JsonConverter turns integers of 2^63 and more into other numbers, and with a schema a value of another JSON type into 0, false or null. No error is raised. The HTTP interface of this server stores JSON as it came',
    source: '`findings/connect-json-numbers.sh`',
  },
  {
    client: 'kafka-clients (Java)',
    version: '4.3.1',
    behaviour: '`poll()` throws again and again at a damaged record until the application seeks past it',
    source: '`packages/agent/src/read/damage.test.ts`',
  },
]
