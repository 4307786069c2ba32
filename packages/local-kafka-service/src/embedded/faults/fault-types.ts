// The public types of faults: what a test can do to its clients' requests, to the object store and to the metadata database.
import type { ApiName, KafkaErrorName } from './kafka-names.ts'
import type { MetadataVerb } from './metadata-verbs.ts'
import type { SeenRequest } from './seen-request.ts'

/** Milliseconds, or a text such as `800ms`, `2s`, `1.5m`, `1h30m`, `8d`. */
export type Duration = number | string

/** An error by Kafka's name. NONE is not an error. */
export type FaultError = Exclude<KafkaErrorName, 'NONE'>

/** The requests that a fault affects: those that match all fields. Without options: every request of its API. */
export interface FaultOptions {
  /** Requests about this topic, possibly among others. */
  readonly topic?: string
  readonly clientId?: string
  readonly group?: string
  /** The number of times before it ends. Default: until it is removed. */
  readonly times?: number
  /** The fraction of requests, chosen at random: 0.1 is a tenth. The choice is the same in every run; `seed` changes it. */
  readonly rate?: number
  readonly seed?: number
  readonly when?: (request: FaultRequest) => boolean
}

/** A request as a fault sees it, before it runs. */
export interface FaultRequest
  extends Pick<SeenRequest, 'at' | 'api' | 'version' | 'clientId' | 'software' | 'connection' | 'topics' | 'groupId' | 'summary'> {
  /** A copy of the decoded request, with Kafka's field names; read it while the fault decides, not later. */
  readonly body: Readonly<Record<string, unknown>>
}

/** The fate of a request; omitted steps do not happen. Without `error` and `act` the request runs as usual. */
export interface FaultVerdict {
  /** A delay before the request. */
  readonly delay?: Duration
  /** The throttle time in the answer to the client. */
  readonly throttle?: Duration
  /** Answers with this error without running the request. */
  readonly error?: FaultError
  /** Replaces the error's default message, if the answer has a message field. */
  readonly message?: string
  readonly act?: 'drop' | 'hang' | 'disconnect' | 'duplicate' | 'loseAck'
}

/** An active fault. `using` removes it at the end of its block. */
export interface Fault extends Disposable {
  /** Its description: `fail Produce NOT_LEADER_OR_FOLLOWER, topic orders, 2 times`. */
  readonly words: string
  /** The number of requests that it has affected. */
  readonly hits: number
  /** Removes the fault. Idempotent. */
  remove(): void
}

/** One application of a fault. */
export interface SeenFault {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly fault: string
  /** The affected request: `Produce 7 of billing: orders[0] 3 records …`, `put 01/…`, `commit`. */
  readonly struck: string
}

/** If several faults match one request, delays add up, the first fault that decides it wins, and the others wait for the next request. */
export interface Faults {
  /** Answers with an error, without running the request. An acks=0 producer expects no answer: its connection is closed. */
  fail(api: ApiName, error: FaultError, options?: FaultOptions): Fault
  /** Delays the request and those after it on its connection. If the client gives up meanwhile, the request still runs. */
  delay(api: ApiName, duration: Duration, options?: FaultOptions): Fault
  /** Neither runs nor answers the request; the connection continues. Clients that match answers by correlation id (kafkajs, @platformatic/kafka, librdkafka) see a missing answer, others close the connection. */
  drop(api: ApiName, options?: FaultOptions): Fault
  /** Neither runs nor answers the request or those after it: the connection stays open and silent, like a broker that hangs. */
  hang(api: ApiName, options?: FaultOptions): Fault
  /** Closes the connection instead of running the request. */
  disconnect(api: ApiName, options?: FaultOptions): Fault
  /** Closes the connections of one client, or of all, now: pending requests run, but are not answered. Returns the number of connections. */
  disconnect(options?: { readonly clientId?: string }): number
  /** Runs the request twice, as if the client had retried after a time-out; the client receives the second answer. */
  duplicate(api: ApiName, options?: FaultOptions): Fault
  /** Runs the request; then closes the connection instead of answering. */
  loseAck(api: ApiName, options?: FaultOptions): Fault
  /** Throttles clients for this time after every answer, and does not read from their connections meanwhile. */
  throttle(duration: Duration, options?: FaultOptions & { readonly api?: ApiName }): Fault
  /** Your own function decides every request of one API, or of all (`*`). It may be asynchronous; only its connection waits. Undefined: the request passes. `expectNoErrors` reports what it throws. */
  on(
    api: ApiName | '*',
    judge: (request: FaultRequest) => FaultVerdict | undefined | Promise<FaultVerdict | undefined>,
    options?: FaultOptions,
  ): Fault
  /** Below the protocol: the object store. */
  readonly store: StoreFaults
  /** Below the protocol: the metadata database. */
  readonly metadata: MetadataFaults
  /** Active faults: first those of requests, then those of the store and of the database. */
  list(): readonly Fault[]
  /** The last 1,000 applications of faults, oldest first. */
  seen(): readonly SeenFault[]
  /** Removes all faults. */
  clear(): void
}

/** The server's operations on its object store. */
export type StoreOperation = 'put' | 'read' | 'list' | 'remove'

/** The server retries `throttled`, `unavailable` and `timeout` for 15 seconds; the others are final. After `timeout` it does not know whether the operation ran. */
export type StoreErrorKind = 'throttled' | 'unavailable' | 'timeout' | 'denied' | 'full' | 'missing' | 'corrupt'

/** The store or database requests that a fault affects, and how often: `times`, `rate` and `seed` as in FaultOptions. */
export interface BelowOptions<Seen> {
  readonly times?: number
  readonly rate?: number
  readonly seed?: number
  /** The fault is active only for this time, from now on. */
  readonly for?: Duration
  readonly when?: (seen: Seen) => boolean
}

/** A request of the server to its object store. */
export interface StoreRequest {
  readonly operation: StoreOperation
  /** The key of the object, the prefix of a list, or the first key to remove. */
  readonly key: string
}

/** A fault can affect each request to the store, including the server's retries. */
export interface StoreFaults {
  fail(operation: StoreOperation, kind: StoreErrorKind, options?: BelowOptions<StoreRequest>): Fault
  delay(operation: StoreOperation, duration: Duration, options?: BelowOptions<StoreRequest>): Fault
  /** The object is stored or removed, but the server gets a time-out. */
  loseReply(operation: 'put' | 'remove', options?: BelowOptions<StoreRequest>): Fault
  /** The store is unreachable, for this time or until the fault is removed. */
  disconnect(duration?: Duration): Fault
}

/** A request of the server to its database. */
export interface MetadataRequest {
  /** The transaction: `commit`, `beat`, `saveGroup` … */
  readonly verb: MetadataVerb
}

/** A fault can affect each transaction of the server, including its retries. */
export interface MetadataFaults {
  delay(duration: Duration, options?: BelowOptions<MetadataRequest>): Fault
  /** The transaction is committed, but the server gets no reply. `commit` commits records. Without a name: any transaction. */
  loseReply(verb?: MetadataVerb, options?: BelowOptions<MetadataRequest>): Fault
  /** The database is unreachable, for this time or until the fault is removed. */
  disconnect(duration?: Duration): Fault
}
