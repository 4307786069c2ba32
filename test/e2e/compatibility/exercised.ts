// What each client is known to do here, and the test that proves it: the rows of docs/reference/compatibility.md.

export const clientNames = ['kcat', 'confluent-kafka (Python)', 'kafkajs', '@platformatic/kafka', "Apache Kafka's own tools"] as const
export type ClientName = (typeof clientNames)[number]

export interface Exercised {
  readonly client: ClientName
  /** For a reader of the page; one sentence without its full stop. */
  readonly what: string
  /** In test/e2e. */
  readonly file: string
  /** The test's title as its source has it, or what stands before a `%s`. */
  readonly title: string
  /** A title around it, where several clients share the test. */
  readonly within?: string
}

const shared = 'members come and go, the server is killed in between, and every record is read and committed'
const membership = 'Groups: members come and go over a kill of the server, every record is read and committed'

export const exercised: readonly Exercised[] = [
  {
    client: 'kcat',
    what: 'Produce with every codec, every `acks` and idempotent; read back in order',
    file: 'clients.test.ts',
    title: 'reads what it wrote: ',
  },
  {
    client: 'kcat',
    what: 'Metadata; fetch from any offset, from the end, offsets by time',
    file: 'clients.test.ts',
    title: 'lists the cluster, fetches from any offset and asks for offsets by time',
  },
  {
    client: 'kcat',
    what: 'Groups: reads as a member, and again from where it was',
    file: 'groups.test.ts',
    title: 'kcat reads as a member, and again from where it was',
  },
  {
    client: 'confluent-kafka (Python)',
    what: 'Idempotent produce with every codec and headers, consume, watermarks, offsets by time; topics are made, grown, described, deleted',
    file: 'clients.test.ts',
    title: 'produces, consumes, and administers',
  },
  {
    client: 'confluent-kafka (Python)',
    what: `${membership} (range)`,
    file: 'groups.test.ts',
    title: shared,
    within: 'confluent-kafka, eager',
  },
  {
    client: 'confluent-kafka (Python)',
    what: `${membership} (cooperative-sticky)`,
    file: 'groups.test.ts',
    title: shared,
    within: 'confluent-kafka, cooperative',
  },
  {
    client: 'confluent-kafka (Python)',
    what: 'An idempotent producer goes on over three kills of the server: nothing lost, doubled or out of order',
    file: 'kill.test.ts',
    title: 'an idempotent producer goes on over three kills as if there were none',
  },
  {
    client: 'kafkajs',
    what: 'Produce, idempotent and with gzip; topics are made, listed, deleted; offsets of topics',
    file: 'clients.test.ts',
    title: 'produces, idempotently and with gzip, and administers',
  },
  { client: 'kafkajs', what: membership, file: 'groups.test.ts', title: shared, within: 'kafkajs' },
  {
    client: '@platformatic/kafka',
    what: 'Idempotent produce; topics are made and deleted',
    file: 'clients.test.ts',
    title: 'produces, idempotently, and administers',
  },
  { client: '@platformatic/kafka', what: membership, file: 'groups.test.ts', title: shared, within: '@platformatic/kafka' },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-topics`, `kafka-configs`, `kafka-get-offsets`',
    file: 'clients.test.ts',
    title: 'kafka-topics, kafka-configs, kafka-get-offsets',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-console-producer` and `kafka-console-consumer`',
    file: 'clients.test.ts',
    title: 'the console consumer reads what the console producer wrote',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-producer-perf-test` with every codec',
    file: 'clients.test.ts',
    title: 'the producer performance tool with ',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-consumer-groups`: lists, describes, resets, deletes offsets and groups',
    file: 'groups.test.ts',
    title: "Kafka's console consumer commits, and kafka-consumer-groups lists, describes, resets and deletes",
  },
]

/** docs/reference/compatibility.json, which a test run writes: of each client the version that was seen last, and which rows passed with it. */
export type Results = Readonly<Partial<Record<ClientName, { readonly version: string; readonly passed: readonly string[] }>>>
