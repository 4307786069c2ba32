// A Kafka inside the calling process, as its user sees it.
import type { ClientConfigs } from './client-config.ts'
import type { Faults } from './faults/fault-types.ts'
import type { ExpectNoErrorsOptions, RequestFilter, SeenRequest } from './faults/seen-request.ts'
import type { KafkaGroup } from './group.ts'
import type { KafkaClock } from './kafka-clock.ts'
import type { KafkaRecord, RecordInput, RecordRef, RecordsQuery } from './record.ts'
import type { TopicSpec } from './start-options.ts'

/** A running server, made by `startKafka` or `fork`. `await using` stops it at the end of its block. Once it was told to end, its asynchronous methods reject with a RefusedError, SERVER_STOPPED. */
export interface Kafka extends AsyncDisposable {
  /** `127.0.0.1:54321`: what a client needs to connect. */
  readonly bootstrapServers: string
  /** The same as a list, as Node's clients take it. */
  readonly brokers: string[]
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /** Undefined without HTTP. */
  readonly urls: { readonly control: string; readonly data: string } | undefined
  /** For a child process, or for code that reads its environment: KAFKA_BROKERS, KAFKA_BOOTSTRAP_SERVERS and, with HTTP, LKS_URL (the control plane). */
  readonly env: Readonly<Record<string, string>>
  /** What the constructor of the named library takes, with short retries: a plain object of your own to change. */
  clientConfig<K extends keyof ClientConfigs>(library: K): ClientConfigs[K]

  /** It can be used as soon as this resolves. Rejects with a RefusedError: TOPIC_ALREADY_EXISTS, INVALID_CONFIG, … */
  createTopic(name: string, spec?: number | TopicSpec): Promise<void>
  /**
   * Stores records through the same path as a client's, resolves when they can be read, and makes the topic where it is missing (unless
   * `auto.create.topics.enable` says no). A string is a value. Keys choose their partition as Kafka's own producer does; the records without a key of one call
   * go to one partition, those of the next call to the next. Rejects with a RefusedError: then, as with a client, some may be stored.
   */
  produce(topic: string, ...records: readonly (string | RecordInput)[]): Promise<RecordRef[]>
  /** What is in the topic now, oldest first; within a partition in its order. Reads the log itself: no consumer, no group, no waiting. */
  records(topic: string, query?: RecordsQuery): Promise<KafkaRecord[]>
  /**
   * Resolves with the first `count` records of the topic, counted from its beginning, as soon as there are so many; the topic may be made meanwhile.
   * Rejects with a WaitTimeoutError that says what was there instead.
   */
  waitFor(topic: string, count: number, options?: WaitOptions): Promise<[KafkaRecord, ...KafkaRecord[]]>
  /** Resolves with a list of one record, `const [record] = await kafka.waitFor(…)`: the first that matches, from the topic's beginning on. What the function throws is what it rejects with. */
  waitFor(topic: string, matches: (record: KafkaRecord) => boolean, options?: WaitOptions): Promise<[KafkaRecord]>
  /** A consumer group, whether it exists or not yet. */
  group(id: string): KafkaGroup
  /** Trouble on demand: lost acks, errors, delays, broken connections, stores that are away. docs/guides/faults.md */
  readonly faults: Faults
  /** What clients sent, the last 2,000 requests, the oldest first. Each is a copy of what is known now: ask again for what still waits. */
  requests(filter?: RequestFilter): readonly SeenRequest[]
  /** Throws an Error that lists them when a client got an error that no fault asked for, or was not understood. */
  expectNoErrors(options?: ExpectNoErrorsOptions): void
  /**
   * Back to how it was after the start: removes all faults, deletes all topics and groups, makes those of the option `topics` anew, forgets the requests that
   * it saw. Rejects with a RefusedError, and changes nothing else, while a group has members: their consumers would go on in topics that are not there any
   * more. Producers may stay connected.
   */
  reset(): Promise<void>

  /** This server's time, and how to move it on. docs/guides/clock-and-forks.md */
  readonly clock: KafkaClock
  /**
   * A writable copy of everything that is committed, in memory and on a port of its own: topics, records, committed offsets, groups (without their members, who
   * are not connected to it), and the time. Neither sees what the other does from here on, and either may end first.
   */
  fork(options?: ForkOptions): Promise<Kafka>
  /** Writes everything that is committed into one file, for `startKafka({ from })`. A file that is there is replaced once the new one is whole. */
  snapshot(path: string): Promise<void>

  /** Settles once: `drained` after `stop` or `kill`, `fenced` when another server took this one's place. */
  readonly ended: Promise<'drained' | 'fenced'>
  /** Answers what was admitted, flushes, closes. Called again it waits for the same end. */
  stop(): Promise<void>
  /** Ends as a crash would: connections drop, nothing is flushed. */
  kill(): Promise<void>
}

/** What a fork does not have from its parent. */
export interface ForkOptions {
  /** As of `startKafka`, for what happens in the fork. */
  readonly onEvent?: (event: KafkaEvent) => void
}

/** How long a wait may take, in real time. */
export interface WaitOptions {
  /** Default: what `startKafka` was told, else 4,000. */
  readonly timeoutMs?: number
}

/** `kind` says what happened, the other fields what with. */
export interface KafkaEvent {
  readonly kind: string
  readonly [field: string]: unknown
}
