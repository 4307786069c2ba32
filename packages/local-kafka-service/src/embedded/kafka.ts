// A Kafka server in the calling process, as its user sees it.
import type { ClientConfigs } from './client-config.ts'
import type { Faults } from './faults/fault-types.ts'
import type { ExpectNoErrorsOptions, RequestFilter, SeenRequest } from './faults/seen-request.ts'
import type { KafkaGroup } from './group.ts'
import type { KafkaClock } from './kafka-clock.ts'
import type { KafkaRecord, RecordInput, RecordRef, RecordsQuery } from './record.ts'
import type { TopicSpec } from './topic-spec.ts'
import type { KafkaTransaction } from './transaction.ts'
import type { WaitOptions } from './wait-options.ts'

/** A running server from `startKafka` or `fork`. `await using` stops it at the end of its block. After it starts to end, its asynchronous methods reject with a RefusedError, SERVER_STOPPED. */
export interface Kafka extends AsyncDisposable {
  /** `127.0.0.1:54321`: the address for clients. */
  readonly bootstrapServers: string
  /** The same as a list, as Node's clients expect it. */
  readonly brokers: string[]
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /** Undefined without HTTP. */
  readonly urls: { readonly control: string; readonly data: string } | undefined
  /** For a child process, or for code that reads its environment: KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS and, with HTTP, LKS_URL (the control plane). */
  readonly env: Readonly<Record<string, string>>
  /** The configuration for the constructor of the named library, with short retries: a plain object that you may change. */
  clientConfig<K extends keyof ClientConfigs>(library: K): ClientConfigs[K]

  /** The topic can be used as soon as this resolves. Rejects with a RefusedError: TOPIC_ALREADY_EXISTS, INVALID_CONFIG, … */
  createTopic(name: string, spec?: number | TopicSpec): Promise<void>
  /**
   * Stores records through the same path as a client, resolves when they can be read, and creates a missing topic (unless
   * `auto.create.topics.enable` is false). A string is a value. Keys choose their partition as in Kafka's own producer; the records without a key of one call
   * go to one partition, those of the next call to the next. Rejects with a RefusedError: some records may then be stored, as with a client.
   */
  produce(topic: string, ...records: readonly (string | RecordInput)[]): Promise<RecordRef[]>
  /** The current records of the topic, oldest first; within a partition in order. Reads the log itself: no consumer, no group, no waiting. */
  records(topic: string, query?: RecordsQuery): Promise<KafkaRecord[]>
  /**
   * Resolves with the first `count` records of the topic, from its start, as soon as it has that many; the topic may be created meanwhile.
   * Rejects with a WaitTimeoutError that lists the records it saw.
   */
  waitFor(topic: string, count: number, options?: WaitOptions): Promise<[KafkaRecord, ...KafkaRecord[]]>
  /** Resolves with a list of one record, `const [record] = await kafka.waitFor(…)`: the first match from the start of the topic. Rejects with whatever the function throws. */
  waitFor(topic: string, matches: (record: KafkaRecord) => boolean, options?: WaitOptions): Promise<[KafkaRecord]>
  /** A consumer group, which need not exist yet. */
  group(id: string): KafkaGroup
  /** The transactional ids that were used since the start or the last `reset()`, in order, each with the partitions and groups of its open transaction. "The coordinator dies between prepare and complete" does not exist here: a transaction ends in one step. */
  transactions(): Promise<KafkaTransaction[]>
  /** Faults on request: lost acks, errors, delays, broken connections, unavailable stores. docs/guides/faults.md */
  readonly faults: Faults
  /** The last 2,000 requests of clients, oldest first. Each is a copy of the current state: call it again for requests that still wait. */
  requests(filter?: RequestFilter): readonly SeenRequest[]
  /** Throws an Error that lists the errors that clients got without a fault, and requests that could not be decoded. */
  expectNoErrors(options?: ExpectNoErrorsOptions): void
  /**
   * Returns to the state after the start: removes all faults, aborts open transactions, deletes all topics and groups, removes the configs of brokers that were set at
   * run time, creates the topics of the option `topics` again, and clears the recorded requests. Rejects with a RefusedError, and changes nothing else, while a group
   * has members: their consumers would continue in topics that no longer exist. Producers may stay connected, also transactional ones.
   */
  reset(): Promise<void>

  /**
   * Compacts the topic now, and resolves when that is done: of each key, only the last record is left. It includes records that Kafka's cleaner would not look at yet,
   * but not those younger than `min.compaction.lag.ms`. Tombstones stay for `delete.retention.ms` after the first compaction, and go with the next one after that.
   * Rejects with a RefusedError, POLICY_VIOLATION, if the topic's `cleanup.policy` does not name `compact`.
   */
  compact(topic: string): Promise<void>

  /** This server's clock, which can be moved. docs/guides/clock-and-forks.md */
  readonly clock: KafkaClock
  /**
   * A writable copy of all committed data, in memory and on its own port: topics, records, committed offsets, groups (without their members, which
   * are not connected to it), and the time. Neither sees later changes of the other, and either may end first.
   */
  fork(options?: ForkOptions): Promise<Kafka>
  /** Writes all committed data into one file, for `startKafka({ from })`. An existing file is replaced once the new one is complete. */
  snapshot(path: string): Promise<void>

  /**
   * Settles once: `drained` after `stop`, `killed` after `kill`, `fenced` when another server took over. The server kills itself after a defect that makes its
   * state unreliable; nothing that was acknowledged is lost.
   */
  readonly ended: Promise<'drained' | 'fenced' | 'killed'>
  /** Answers pending requests, flushes and closes. A second call waits for the same end. */
  stop(): Promise<void>
  /** Ends as a crash would: connections drop, nothing is flushed. */
  kill(): Promise<void>
}

/** The options that a fork does not inherit from its parent. */
export interface ForkOptions {
  /** As in `startKafka`, for events of the fork. */
  readonly onEvent?: (event: KafkaEvent) => void
}

/** `kind` says what happened; the other fields are its details. */
export interface KafkaEvent {
  readonly kind: string
  readonly [field: string]: unknown
}
