// The options of `startKafka`.
import type { KafkaEvent } from './kafka.ts'
import type { TopicSpec } from './topic-spec.ts'

/** All are optional: the default is an empty server in memory, on any free port of this machine. */
export interface StartKafkaOptions {
  /** Topics to create, by name: the number of partitions, or a spec. A topic that already exists (from an earlier run in the same `dir`) must match. */
  readonly topics?: Readonly<Record<string, number | TopicSpec>>
  /** The port for Kafka clients; 0 (the default) = any free port. */
  readonly port?: number
  /** Addresses to listen on. Default: `127.0.0.1` and `::1`. */
  readonly hosts?: readonly string[]
  /** A data directory, created if it is missing: it has the messages and metadata, unless `storage` and `metadata` put them elsewhere. */
  readonly dir?: string
  /** `s3://bucket/prefix`: messages are kept in S3; endpoint and credentials come from the same sources as for AWS tools. Default: in `dir`, or else in memory. */
  readonly storage?: string
  /** `postgres://user@host/database`: metadata is kept in PostgreSQL. Default: in `dir`, or else in memory. */
  readonly metadata?: string
  /** A file from `snapshot`: the server is a writable copy of it, in memory. The file is never changed. Not with `dir`, `storage` or `metadata`. */
  readonly from?: string
  /** End the agent of the same name in `metadata`, and take its place. Default: false; then a start is rejected while that agent is alive. */
  readonly takeOver?: boolean
  /** The additional time of every request to the object store, in milliseconds, to imitate S3. */
  readonly storeLatencyMs?: number
  /** Also serve HTTP, on free ports or on the given ones. Default: no HTTP. */
  readonly http?: boolean | { readonly controlPort?: number; readonly dataPort?: number; readonly allowedHosts?: readonly string[] }
  /** Settings by name, such as `{ 'num.partitions': 3 }`; docs/reference/configuration.md lists them. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /**
   * The default time-out of `waitFor`, `ready` and `caughtUp`. Default: 4,000 ms. That is less than the 5 s of Vitest and Jest, so that a
   * wait that times out reports what was there, instead of the runner's own time-out.
   */
  readonly timeoutMs?: number
  /** The level for standard error, or a function that gets one line at a time. Default: `warn`, which is only failures of the server. */
  readonly log?: 'silent' | 'warn' | 'debug' | ((line: string) => void)
  /** Called with each event: requests, flushes, topics, failures. Called in the turn in which it happens. */
  readonly onEvent?: (event: KafkaEvent) => void
  /** Whether the server alone keeps the process alive, for a program that does nothing but serve. Default: false, so that test runners end by themselves. */
  readonly holdsProcess?: boolean
}
