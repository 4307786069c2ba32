// The port of fault injection: an interceptor sees every request of a Kafka client and its answer, and may decide what happens to it.
// Only a server inside a test has one: there is no other switch for faults.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { ClientOfRequest } from '../api/request-context.ts'
import type { EventClient, Misunderstanding } from '../observe/events.ts'

export interface Interceptor {
  /** A client has connected. Called before its first request. */
  opened(connection: InterceptableConnection): ConnectionInterceptor
}

export interface InterceptableConnection {
  /** Unique within the agent's life. */
  readonly id: number
  readonly address: string
  /** Sends everything that was written, then closes. Requests in progress are completed but not answered. */
  readonly close: (reason: string) => void
}

/** None of these may throw: the interceptor catches and reports the errors of a test's own functions. */
export interface ConnectionInterceptor {
  /** Called for each request, in the order of its connection, before the gate and the handler. */
  request(asked: InterceptedRequest): Interception
  /** The client sent bytes that are not a request that the server serves, so the connection is closed. */
  misunderstood(said: Misunderstood): void
  /** The last call. */
  closed(reason: string): void
}

export interface Misunderstood extends Pick<Misunderstanding, 'request' | 'message'> {
  /** Its id is undefined when the bytes have no readable request header. */
  readonly client: EventClient
  /** Milliseconds since the epoch, by the agent's clock. */
  readonly atMs: number
}

export interface InterceptedRequest {
  readonly api: string
  readonly version: number
  readonly client: ClientOfRequest
  /** Milliseconds since the epoch, by the agent's clock. */
  readonly atMs: number
  /** The names of the topics that the request is about, as far as the agent knows them. Ids are looked up, and a request in a fetch session includes the session's topics. */
  readonly topics: readonly string[]
  /** The groups that the request is about. */
  readonly groups: readonly string[]
  /** Returns the name of a topic id in an answer; undefined if the agent does not know it. */
  readonly nameOf: (topicId: string) => string | undefined
  /** The decoded request. Its record batches are slices of the frame, valid until `settled`; no budget counts a copy. */
  readonly body: object
}

export interface Interception {
  /**
   * While the verdict is pending, the connection takes no other request, and a Produce keeps its frame and its permit. Must not reject. If the client
   * disconnects or the agent stops first, the request is dropped.
   */
  readonly verdict: RequestFate | Promise<RequestFate>
  /** Called exactly once, when the outcome of the request is known. Must not keep the answer, which may contain record batches. */
  settled(end: End): void
}

export interface RequestFate {
  readonly act: Act
  /** A delay before `act`. It ends early when the client disconnects or the agent stops; `act` then follows at once, as in a slow server. */
  readonly waitMs?: number
  /** The throttle time for the client (KIP-219); the longer one of this and the gate's applies. */
  readonly throttleMs?: number
}

export type Act =
  | { readonly kind: 'pass' }
  /** Not handled. The answer is that of a request that is rejected as a whole; with acks = 0 the connection is closed instead. */
  | { readonly kind: 'fail'; readonly error: KafkaErrorName; readonly message?: string }
  /** Neither handled nor answered. The connection goes on, with a gap in its answers. */
  | { readonly kind: 'drop' }
  /** Neither handled nor answered, nor are later requests: the connection stays open and silent until the client closes it. A Produce keeps its permit. */
  | { readonly kind: 'hang' }
  /** Not handled; the connection is closed. */
  | { readonly kind: 'close' }
  /** Handled twice, one after the other, as if the client had sent it again; the client gets the second answer only. */
  | { readonly kind: 'duplicate' }
  /** Handled, but then the connection is closed instead of the answer, so that the client sends the request again on another connection. */
  | { readonly kind: 'lose ack' }

export interface End {
  /**
   * `answered`: with a result or an error. `unanswered`: handled, and the client expects no answer. `dropped`: neither handled nor answered. `closed`: the
   * connection was closed instead of an answer. `lost`: handled, but the answer is lost. `gone`: the client had disconnected before the answer was ready.
   */
  readonly outcome: 'answered' | 'unanswered' | 'dropped' | 'closed' | 'lost' | 'gone'
  /** Undefined if there was no answer. */
  readonly response: object | undefined
  /** The time from the arrival of the request to its answer, by the agent's clock. */
  readonly durationMs: number
}
