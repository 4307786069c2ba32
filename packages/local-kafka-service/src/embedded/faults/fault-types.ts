// The public shape of faults: what a test may do to the requests of its clients, to the object store and to the metadata database.
import type { ApiName, KafkaErrorName, MetadataVerb } from './kafka-names.ts'
import type { SeenRequest } from './seen-request.ts'

/** Milliseconds, or a text such as `800ms`, `2s`, `1.5m`, `1h30m`, `8d`. */
export type Duration = number | string

/** An error by Kafka's name. NONE is none. */
export type FaultError = Exclude<KafkaErrorName, 'NONE'>

/** Which requests a fault touches: those that fit all of it. Without options: every one of its API. */
export interface FaultOptions {
  /** Requests that are about this topic, maybe among others. */
  readonly topic?: string
  readonly clientId?: string
  readonly group?: string
  /** So often, then never again. Default: until it is removed. */
  readonly times?: number
  /** One in so many, by dice: 0.1 is a tenth. The dice fall alike in every run; `seed` makes them fall otherwise. */
  readonly rate?: number
  readonly seed?: number
  readonly when?: (request: FaultRequest) => boolean
}

/** A request as a fault sees it, before it is done. */
export interface FaultRequest
  extends Pick<SeenRequest, 'at' | 'api' | 'version' | 'clientId' | 'software' | 'connection' | 'topics' | 'groupId' | 'summary'> {
  /** A copy of the decoded request, by Kafka's own field names; to be read while the fault decides, not later. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What becomes of a request; what is left out does not happen. With neither `error` nor `act` it is done as always. */
export interface FaultVerdict {
  /** Wait so long first. */
  readonly delay?: Duration
  /** Tell the client to be silent so long. */
  readonly throttle?: Duration
  /** Answer with this, and do nothing. */
  readonly error?: FaultError
  /** In place of the error's own words, where the answer has room for any. */
  readonly message?: string
  readonly act?: 'drop' | 'hang' | 'disconnect' | 'duplicate' | 'loseAck'
}

/** A fault that was asked for. `using` removes it at the end of its block. */
export interface Fault extends Disposable {
  /** What it does: `fail Produce NOT_LEADER_OR_FOLLOWER, topic orders, 2 times`. */
  readonly words: string
  /** How often it has struck. */
  readonly hits: number
  /** It strikes no more. Called again it does nothing. */
  remove(): void
}

/** One stroke of a fault. */
export interface SeenFault {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly fault: string
  /** Whom it struck: `Produce 7 of billing: orders[0] 3 records …`, `put 01/…`, `commit`. */
  readonly struck: string
}

/** Several that fit one request: delays add up, the first one that decides its fate decides it, and the others wait for the next request. */
export interface Faults {
  /** Answers with an error, and does nothing. An acks=0 producer has no answer to hear it in: its connection is closed. */
  fail(api: ApiName, error: FaultError, options?: FaultOptions): Fault
  /** The request waits so long before it is done, and with it what comes behind it on its connection. A client that gives up meanwhile has still sent it: it is done. */
  delay(api: ApiName, duration: Duration, options?: FaultOptions): Fault
  /** Neither done nor answered; the connection goes on. A gap in the answers: for clients that take answers by their number (kafkajs, @platformatic/kafka, librdkafka), others give the connection up. */
  drop(api: ApiName, options?: FaultOptions): Fault
  /** Neither done nor answered, nor is anything behind it: the connection stays open and silent, as with a broker that hangs. */
  hang(api: ApiName, options?: FaultOptions): Fault
  /** Closes the connection in place of doing such a request. */
  disconnect(api: ApiName, options?: FaultOptions): Fault
  /** Closes the connections of one client, or all, now: what they have under way is done and not answered. Answers how many. */
  disconnect(options?: { readonly clientId?: string }): number
  /** Done twice, as when a client sends it again after a time-out; the client hears the second answer. */
  duplicate(api: ApiName, options?: FaultOptions): Fault
  /** Done to its end; then the connection is closed in place of the answer. */
  loseAck(api: ApiName, options?: FaultOptions): Fault
  /** Clients are told to be silent so long after every answer, and their connections are not read meanwhile. */
  throttle(duration: Duration, options?: FaultOptions & { readonly api?: ApiName }): Fault
  /** Your own judge of every request of one API, or of all (`*`). It may take its time; only its connection waits. Undefined: it passes. What it throws `expectNoErrors` tells. */
  on(
    api: ApiName | '*',
    judge: (request: FaultRequest) => FaultVerdict | undefined | Promise<FaultVerdict | undefined>,
    options?: FaultOptions,
  ): Fault
  /** Below the protocol: the object store. */
  readonly store: StoreFaults
  /** Below the protocol: the metadata database. */
  readonly metadata: MetadataFaults
  /** Those that may still strike, those of requests first, then those of the store and of the database. */
  list(): readonly Fault[]
  /** The last 1,000 strokes, the oldest first. */
  seen(): readonly SeenFault[]
  /** Removes all of them. */
  clear(): void
}

/** What the server asks of its object store. */
export type StoreOperation = 'put' | 'read' | 'list' | 'remove'

/** `throttled`, `unavailable` and `timeout` are tried again by the server, for 15 seconds; the others are final. With `timeout` it does not know that nothing was done. */
export type StoreErrorKind = 'throttled' | 'unavailable' | 'timeout' | 'denied' | 'full' | 'missing' | 'corrupt'

/** Which requests of the server to its store or database a fault touches, and how often: `times`, `rate` and `seed` as in FaultOptions. */
export interface BelowOptions<Seen> {
  readonly times?: number
  readonly rate?: number
  readonly seed?: number
  /** It strikes for so long only, from now on. */
  readonly for?: Duration
  readonly when?: (seen: Seen) => boolean
}

/** A request of the server to its object store, as a fault sees it. */
export interface StoreRequest {
  readonly operation: StoreOperation
  /** The object, the prefix of a list, the first of those to be removed. */
  readonly key: string
}

/** Each request to the store is one chance to strike, the server's own tries included. */
export interface StoreFaults {
  fail(operation: StoreOperation, kind: StoreErrorKind, options?: BelowOptions<StoreRequest>): Fault
  delay(operation: StoreOperation, duration: Duration, options?: BelowOptions<StoreRequest>): Fault
  /** The object is there, or gone, and the server hears of a time-out. */
  loseReply(operation: 'put' | 'remove', options?: BelowOptions<StoreRequest>): Fault
  /** Nothing is reached: for so long, or until it is removed. */
  disconnect(duration?: Duration): Fault
}

/** A request of the server to its database, as a fault sees it. */
export interface MetadataRequest {
  /** What is to be done, in one transaction: `commit`, `beat`, `saveGroup` … */
  readonly verb: MetadataVerb
}

/** Each transaction that the server asks for is one chance to strike, its own tries included. */
export interface MetadataFaults {
  delay(duration: Duration, options?: BelowOptions<MetadataRequest>): Fault
  /** The transaction is committed, and the server does not hear of it. `commit` is that of records. Without a verb: any. */
  loseReply(verb?: MetadataVerb, options?: BelowOptions<MetadataRequest>): Fault
  /** Nothing is reached: for so long, or until it is removed. */
  disconnect(duration?: Duration): Fault
}
