// The port of faults: who is handed in with the agent's parts sees every request of a Kafka client and every answer, and may decide what becomes of it.
// Absent in every server but the one inside a test: there is no other switch for faults.
import type { KafkaErrorName } from '@local-kafka-service/protocol'
import type { ClientOfRequest } from '../api/handler.ts'
import type { EventClient, Misunderstanding } from '../observe/events.ts'

export interface Interceptor {
  /** A client has connected. Called before its first request. */
  opened(connection: InterceptableConnection): ConnectionInterceptor
}

export interface InterceptableConnection {
  /** Unique within the agent's life. */
  readonly id: number
  readonly address: string
  /** Sends what is written, then closes. What is under way is done, and not answered. */
  readonly close: (reason: string) => void
}

/** None of these may throw: what a test's own function throws is the interceptor's to catch and to tell. */
export interface ConnectionInterceptor {
  /** One request, in the order of its connection and before the gate and the handler see it. */
  request(asked: InterceptedRequest): Interception
  /** It sent what is not a request that the server serves: the connection is closed. */
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
  /** The names of the topics that it is about, as far as the agent knows them: ids are looked up, a fetch session's topics are those of the session. */
  readonly topics: readonly string[]
  /** The groups that it is about. */
  readonly groups: readonly string[]
  /** The name of a topic that an answer names by its id; undefined where the agent does not know it. */
  readonly nameOf: (topicId: string) => string | undefined
  /** As decoded. Its record batches are slices of the frame: they are gone once the request is `settled`, and nobody counts a copy. */
  readonly body: object
}

export interface Interception {
  /**
   * While it is awaited no other request of the connection is taken, and a Produce keeps its frame, counted by its permit. Must not reject. When the client
   * goes or the agent stops before it is there, the request is dropped.
   */
  readonly verdict: Verdict | Promise<Verdict>
  /** Exactly once, when it is known what became of the request. Keeps nothing of the answer: it may hold record batches. */
  settled(end: End): void
}

export interface Verdict {
  readonly act: Act
  /** Before `act`. It ends early when the client goes or the agent stops: then the rest follows at once, as in a server that is slow and not dead. */
  readonly waitMs?: number
  /** What the client is told to stay silent (KIP-219), beside what the gate says. */
  readonly throttleMs?: number
}

export type Act =
  | { readonly kind: 'pass' }
  /** Not handled; answered as its API answers a request that is refused as a whole. Without an answer to give (acks = 0) the connection is closed. */
  | { readonly kind: 'fail'; readonly error: KafkaErrorName; readonly message?: string }
  /** Neither handled nor answered. The connection goes on, with a gap in its answers. */
  | { readonly kind: 'drop' }
  /** Neither handled nor answered, and nothing behind it is: the connection stays open and silent until the client closes it; a Produce keeps its permit. */
  | { readonly kind: 'hang' }
  /** Not handled; the connection is closed. */
  | { readonly kind: 'close' }
  /** Handled twice, one after the other, as when a client sends it again; it hears the second answer only. */
  | { readonly kind: 'duplicate' }
  /** Handled to its end; then the connection is closed in place of the answer, so that the client sends it again elsewhere. */
  | { readonly kind: 'lose ack' }

export interface End {
  /**
   * `answered`: also with an error. `unanswered`: done, no answer was owed. `dropped`: neither done nor answered. `closed`: the connection, in place of an
   * answer. `lost`: done, and the answer is lost. `gone`: the client had left before the answer was made.
   */
  readonly outcome: 'answered' | 'unanswered' | 'dropped' | 'closed' | 'lost' | 'gone'
  /** Undefined where none was made. */
  readonly response: object | undefined
  /** From the whole request to its answer, by the agent's clock. */
  readonly durationMs: number
}
