// What `startKafka` takes.
import type { KafkaEvent } from './kafka.ts'

/** All may be left out: then it is in memory, empty, on any free port of this machine. */
export interface StartKafkaOptions {
  /** Topics to begin with, by name: how many partitions, or a spec. One that is there already (from an earlier run in the same `dir`) must be as it is said here. */
  readonly topics?: Readonly<Record<string, number | TopicSpec>>
  /** For Kafka clients; 0 (the default) = any free one. */
  readonly port?: number
  /** Addresses to listen on. Default: `127.0.0.1` and `::1`. */
  readonly hosts?: readonly string[]
  /** A data directory, made where it is missing: messages and metadata are kept there, but for what `storage` and `metadata` put elsewhere. */
  readonly dir?: string
  /** `s3://bucket/prefix`: messages are kept in S3; endpoint and credentials come from where AWS tools look for them. Default: in `dir`, without one in memory. */
  readonly storage?: string
  /** `postgres://user@host/database`: metadata is kept in PostgreSQL. Default: in `dir`, without one in memory. */
  readonly metadata?: string
  /** A file that `snapshot` has written: the server is a writable copy of it, in memory. The file is never changed. Not with `dir`, `storage` or `metadata`. */
  readonly from?: string
  /** End the agent that serves the cluster in `metadata`, and take its place. Default: false; then a start beside a living agent is rejected. */
  readonly takeOver?: boolean
  /** Every request to the object store takes so much longer, in milliseconds, as S3 does. */
  readonly storeLatencyMs?: number
  /** Also serve HTTP, on any free ports or on the given ones. Default: no HTTP. */
  readonly http?: boolean | { readonly controlPort?: number; readonly dataPort?: number; readonly allowedHosts?: readonly string[] }
  /** Settings by name, as `{ 'num.partitions': 3 }`; docs/reference/configuration.md has them all. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /**
   * How long `waitFor`, `ready` and `caughtUp` wait when they are not told. Default: 4,000 ms. That is less than the 5 s of Vitest and Jest, so that a test
   * which waits in vain shows what was there, instead of the runner's own time-out.
   */
  readonly timeoutMs?: number
  /** What goes to the standard error output, or one line after another to a function. Default: `warn`, trouble of the server only. */
  readonly log?: 'silent' | 'warn' | 'debug' | ((line: string) => void)
  /** Told what happens: requests, flushes, topics, trouble. Called in the turn in which it happens. */
  readonly onEvent?: (event: KafkaEvent) => void
  /** Whether the server alone keeps the process running, as a program wants it that does nothing but serve. Default: false, so that test runners end by themselves. */
  readonly holdsProcess?: boolean
}

/** A topic to be made. */
export interface TopicSpec {
  /** Default: as many as the setting `num.partitions` says, which is 1. */
  readonly partitions?: number
  /** Kafka's topic configs by name, as `{ 'max.message.bytes': 1_000_000 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}
