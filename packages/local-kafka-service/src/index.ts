// The public surface: a Kafka inside the calling process, for tests and for whoever wants to embed one. Its types are in plain words and name no internal package.
import type { EventHook } from '@local-kafka-service/agent'
import { embeddedPlan } from './embedded/embedded-plan.ts'
import type { Faults } from './embedded/faults/fault-types.ts'
import { embeddedFaults } from './embedded/faults/make-faults.ts'
import type { ExpectNoErrorsOptions, RequestFilter, SeenRequest } from './embedded/faults/seen-request.ts'
import { startServer } from './server/server.ts'

export type {
  BelowOptions,
  Duration,
  Fault,
  FaultOptions,
  FaultRequest,
  Faults,
  FaultVerdict,
  SeenFault,
} from './embedded/faults/fault-types.ts'
export type { ApiName, KafkaErrorName } from './embedded/faults/kafka-names.ts'
export type { ExpectNoErrorsOptions, RequestFilter, RequestOutcome, SeenError, SeenRequest } from './embedded/faults/seen-request.ts'
export { UserError, type UserErrorCode } from './user-error.ts'

export interface StartKafkaOptions {
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
  /** Every request to the object store takes so much longer, in milliseconds, as S3 does. */
  readonly storeLatencyMs?: number
  /** Also serve HTTP, on any free ports or on the given ones. Default: no HTTP. */
  readonly http?: boolean | { readonly controlPort?: number; readonly dataPort?: number; readonly allowedHosts?: readonly string[] }
  /** Settings by name, as `{ 'num.partitions': 3 }`; docs/reference/configuration.md has them all. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Told what happens: requests, flushes, topics, trouble. Called in the turn in which it happens. */
  readonly onEvent?: (event: KafkaEvent) => void
}

/** `kind` says what happened, the other fields what with. */
export interface KafkaEvent {
  readonly kind: string
  readonly [field: string]: unknown
}

export interface Kafka extends AsyncDisposable {
  /** `127.0.0.1:54321`: what a client needs to connect. */
  readonly bootstrapServers: string
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /** Undefined without HTTP. */
  readonly urls: { readonly control: string; readonly data: string } | undefined
  /** Settles once: `drained` after `stop` or `kill`, `fenced` when another server took this one's place. */
  readonly ended: Promise<'drained' | 'fenced'>
  /** Trouble on demand: lost acks, errors, delays, broken connections, stores that are away. docs/guides/faults.md */
  readonly faults: Faults
  /** What clients sent, the last 2,000 requests, the oldest first. Each is a copy of what is known now: ask again for what still waits. */
  requests(filter?: RequestFilter): readonly SeenRequest[]
  /** Throws an Error that lists them when a client got an error that no fault asked for, or was not understood. */
  expectNoErrors(options?: ExpectNoErrorsOptions): void
  /** Answers what was admitted, flushes, closes. Called again it waits for the same end. */
  stop(): Promise<void>
  /** Ends as a crash would: connections drop, nothing is flushed. */
  kill(): Promise<void>
}

/** Any number in one process. Rejects with a UserError where a person can help: a busy port, a directory in use, a store out of reach. */
export async function startKafka(options: StartKafkaOptions = {}): Promise<Kafka> {
  const { onEvent } = options
  const { faults, record, interceptor, useClock } = embeddedFaults()
  const emit: EventHook = onEvent === undefined ? () => {} : (event) => onEvent({ ...event })
  const server = await startServer(embeddedPlan(options), emit, { interceptor })
  useClock(server.clock)
  const [address] = server.kafka
  if (address === undefined) throw new RangeError('it listens nowhere')
  const { host, port } = address
  return {
    bootstrapServers: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    host,
    port,
    clusterId: server.clusterId,
    urls: server.http && { control: server.http.control.url, data: server.http.data.url },
    ended: server.ended,
    faults,
    requests: (filter) => record.requests(filter),
    expectNoErrors: (ignoring) => record.expectNoErrors(ignoring),
    stop: () => server.stop(),
    kill: () => server.kill(),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}
