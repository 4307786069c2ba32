// The tested features of each client, and the test that proves each: the rows of docs/reference/compatibility.md.

import { type AdminStep, type ClientProgram, clientPrograms, type ProgramName } from '../clients/clients.ts'

/** What runs on the JVM and creates topics itself, by the package whose version stands for it. */
export const ecosystem = {
  'Kafka Streams': 'kafka-streams',
  'Kafka Connect': 'connect-runtime',
  'MirrorMaker 2': 'connect-mirror',
  'Debezium (debezium-storage-kafka)': 'debezium-storage-kafka',
} as const
const installedClients = ['kcat', 'confluent-kafka (Python), Debian', "Apache Kafka's own tools"] as const
export type EcosystemName = keyof typeof ecosystem
export type ClientName = ProgramName | EcosystemName | (typeof installedClients)[number]
// The cast: the keys of a literal.
const ecosystemNames = Object.keys(ecosystem) as EcosystemName[]
export const clientNames: readonly ClientName[] = [
  ...new Set([...clientPrograms.map(({ name }) => name), ...ecosystemNames, ...installedClients]),
]

export interface Exercised {
  readonly client: ClientName
  /** For a reader of the page; one sentence without its full stop. */
  readonly what: string
  /** In test/e2e. */
  readonly file: string
  /** The test's title as its source has it, with its `%s`. */
  readonly title: string
  /** The title of a `describe` around it, where several clients share the test. */
  readonly within?: string
  /** The file in test/e2e that has that title, where the test takes it from a table. */
  readonly table?: string
}

const shared = 'members come and go, the server is killed in between, and every record is read and committed'
const membership = 'Groups: members come and go over a kill of the server, every record is read and committed'

const administration: Readonly<Record<AdminStep, string>> = {
  create: 'create topics',
  list: 'list topics',
  grow: 'add partitions',
  configs: 'describe configs',
  'change configs': 'change configs',
  cluster: 'describe the cluster',
  groups: 'list groups',
  group: 'describe groups',
  committed: 'list committed offsets',
  end: 'list end offsets',
  'delete records': 'delete records',
  altered: "alter a group's offsets",
  'delete group': 'delete groups',
  delete: 'delete topics',
}

function wordsOf(lacks: readonly AdminStep[]): string {
  return Object.entries(administration)
    .filter(([step]) => !lacks.some((lacking) => lacking === step))
    .map(([, words]) => words)
    .join(', ')
}

/** Which of the shared scenarios each client program runs. */
const programs = clientPrograms.flatMap((client: (typeof clientPrograms)[number]): readonly Exercised[] => {
  const { name, codecs, idempotent, survives, lacks }: ClientProgram & { readonly name: ProgramName } = client
  const row = (what: string, title: string, file = 'newest-clients.test.ts'): Exercised => ({
    client: name,
    what,
    file,
    title,
    within: name,
    table: 'clients/clients.ts',
  })
  return [
    row(
      `Produce with ${codecs.join(', ')}${idempotent ? ', idempotently' : ''}; read back with offsets, keys, values and headers`,
      'reads what it has produced with every codec, and what it has produced idempotently',
    ),
    row(`Administration: ${wordsOf(lacks)}`, 'C1: administers topics, configs, groups and offsets'),
    row(
      'Groups: two members share a topic, one leaves, every record is read and committed',
      'shares a topic between two members, one of which leaves, and every record is read and committed',
    ),
    row(
      'Groups: two members stay in one generation',
      'C2: two members of a group stay in one generation',
      'newest-clients-generation.test.ts',
    ),
    ...(survives
      ? [
          row(
            idempotent
              ? 'An idempotent producer goes on over a kill of the server: nothing lost, doubled or out of order'
              : 'A producer goes on over a kill of the server: nothing lost that was acknowledged',
            'produces on over a kill -9 of the server and its start',
          ),
        ]
      : []),
  ]
})

const oldSarama = {
  client: 'sarama of 2023',
  file: 'newest-clients-old-sarama.test.ts',
  within: 'sarama of 2023',
  table: 'clients/clients.ts',
} as const

export const exercised: readonly Exercised[] = [
  ...programs,
  {
    client: 'Kafka Streams',
    what: 'A word count with its changelog and repartition topics, at least once: right after kills of the server and of the application, and with its state restored',
    file: 'streams.test.ts',
    title: 'a word count is right after kills of the server and of the application, and restores its lost state',
  },
  {
    client: 'Kafka Connect',
    what: 'A distributed worker creates its compacted topics; a file source and a file sink go on after a kill of the worker',
    file: 'connect.test.ts',
    title: 'its topics are compacted, records pass through a source and a sink, and a restart repeats and loses none',
  },
  {
    client: 'MirrorMaker 2',
    what: 'Topics with their records, headers, configs and committed offsets are copied from Apache Kafka and back, over a kill of the server',
    file: 'mirror-maker.test.ts',
    title: 'copies topics with their records, headers, configs and committed offsets from Apache Kafka and back',
  },
  {
    client: 'Debezium (debezium-storage-kafka)',
    what: 'The schema history creates its topic with configs, and is recovered after a kill of the server',
    file: 'schema-history.test.ts',
    title: 'creates the topic of its schema history with configs, writes to it, and recovers from it',
  },
  {
    ...oldSarama,
    what: 'Offsets by time, of batches without their greatest timestamp',
    title: 'C4: records of a batch with the codec %s are found by their times',
  },
  {
    ...oldSarama,
    what: 'Groups: commits with its default retention time; a consumer that starts again goes on from there',
    title: 'C6: a consumer that starts again goes on from its committed offsets, also after a kill of the server',
  },
  {
    client: 'kcat',
    what: 'Produce with every codec, every `acks` and idempotent; read back in order',
    file: 'clients.test.ts',
    title: 'reads what it wrote: %s, with every acks and idempotent',
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
    client: 'confluent-kafka (Python), Debian',
    what: 'Idempotent produce with every codec and headers, consume, watermarks, offsets by time; topics are made, grown, described, deleted',
    file: 'clients.test.ts',
    title: 'produces, consumes, and administers',
  },
  {
    client: 'confluent-kafka (Python), Debian',
    what: `${membership} (range)`,
    file: 'groups.test.ts',
    title: shared,
    within: 'confluent-kafka, eager',
  },
  {
    client: 'confluent-kafka (Python), Debian',
    what: `${membership} (cooperative-sticky)`,
    file: 'groups.test.ts',
    title: shared,
    within: 'confluent-kafka, cooperative',
  },
  {
    client: 'confluent-kafka (Python), Debian',
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
    title: 'the producer performance tool with %s',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-consumer-groups`: lists, describes, resets, deletes offsets and groups',
    file: 'groups.test.ts',
    title: "Kafka's console consumer commits, and kafka-consumer-groups lists, describes, resets and deletes",
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-topics` creates a topic with the configs that Connect and Streams set',
    file: 'kafka-tools.test.ts',
    title: 'kafka-topics creates a topic with the configs that Connect and Streams set',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-configs` sets, describes and deletes configs of a topic',
    file: 'kafka-tools.test.ts',
    title: 'kafka-configs sets, describes and deletes configs of a topic',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-configs` describes groups, brokers and client metrics',
    file: 'kafka-tools.test.ts',
    title: 'kafka-configs describes groups, brokers and client metrics',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-client-metrics` alters, lists, describes and deletes',
    file: 'kafka-tools.test.ts',
    title: 'kafka-client-metrics alters, lists, describes and deletes',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-log-dirs` shows the size of each partition',
    file: 'kafka-tools.test.ts',
    title: 'kafka-log-dirs shows the size of each partition',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-delete-records` deletes the oldest records, and consumers begin after them',
    file: 'kafka-tools.test.ts',
    title: 'kafka-delete-records deletes the oldest records, and consumers begin after them',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-leader-election` finds every leader elected',
    file: 'kafka-tools.test.ts',
    title: 'kafka-leader-election finds every leader elected',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-reassign-partitions` executes and verifies what is in place, and lists nothing',
    file: 'kafka-tools.test.ts',
    title: 'kafka-reassign-partitions executes and verifies what is in place, and lists nothing',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-features` describes the version of transactions, and upgrades nothing',
    file: 'kafka-tools.test.ts',
    title: 'kafka-features describes the version of transactions, and upgrades nothing',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-metadata-quorum` describes this server as a quorum of one',
    file: 'kafka-tools.test.ts',
    title: 'kafka-metadata-quorum describes this server as a quorum of one',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-cluster` shows the id, and unregisters no unknown broker',
    file: 'kafka-tools.test.ts',
    title: 'kafka-cluster shows the id, and unregisters no unknown broker',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-broker-api-versions` lists the APIs',
    file: 'kafka-tools.test.ts',
    title: 'kafka-broker-api-versions lists the APIs',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-acls` reports that there is no authorizer',
    file: 'kafka-tools.test.ts',
    title: 'kafka-acls reports that there is no authorizer',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-verifiable-producer` and `kafka-verifiable-consumer` agree, and `kafka-groups` lists the group',
    file: 'kafka-tools.test.ts',
    title: 'kafka-verifiable-producer and kafka-verifiable-consumer agree, and kafka-groups lists the group',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-consumer-perf-test` reads all records, and `kafka-e2e-latency` gets each record back',
    file: 'kafka-tools.test.ts',
    title: 'kafka-consumer-perf-test reads all records, and kafka-e2e-latency gets each record back',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-configs` reports that a config of a broker is read-only',
    file: 'kafka-tools.test.ts',
    title: 'kafka-configs reports that a config of a broker is read-only',
  },
  {
    client: "Apache Kafka's own tools",
    what: '`kafka-transactions` describes the producers of a partition',
    file: 'kafka-tools.test.ts',
    title: 'kafka-transactions describes the producers of a partition',
  },
]

/** docs/reference/compatibility.json, which a test run writes: of each client the version that was seen last, and which rows passed with it. */
export type Results = Readonly<Partial<Record<ClientName, { readonly version: string; readonly passed: readonly string[] }>>>

/** A test as a run reports it. */
export interface RanTest {
  readonly file: string
  /** The titles of the `describe`s around it. */
  readonly suites: readonly string[]
  readonly title: string
}

/** Compares whole titles: `sarama` is another client than `sarama as V1_0`. */
export function proves({ file, suites, title }: RanTest, row: Exercised): boolean {
  const [before = '', after] = row.title.split('%s')
  const hasTitle = after === undefined ? title === before : title.startsWith(before) && title.endsWith(after)
  return file === row.file && hasTitle && (row.within === undefined || suites.includes(row.within))
}
