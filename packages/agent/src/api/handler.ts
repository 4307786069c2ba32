// The contract between dispatch and the handlers of the Kafka APIs: what a handler is given and what it answers.
import type { Api, RequestOf, ResponseOf } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Gate } from './gate.ts'

/** Everything about one request that is not in its body. The same for Kafka and HTTP. */
export interface RequestContext {
  /** Who asks. `User:ANONYMOUS` until a listener authenticates. */
  readonly principal: string
  /** The name of the listener that the request came in by. */
  readonly listener: string
  readonly client: ClientOfRequest
  /** Unique within the agent; it is in logs and in HTTP's answers. */
  readonly requestId: string
  /** The API version that the client speaks; 0 for HTTP. */
  readonly apiVersion: number
  /** Aborts when the connection is gone or the agent stops: nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Where the client should connect to reach this agent: depends on the address that the connection came in by. */
  readonly advertised: { readonly host: string; readonly port: number }
}

export interface ClientOfRequest {
  readonly id: string | null
  /** `kafkajs`, `apache-kafka-java` …, once ApiVersions 3+ told. */
  readonly software: { readonly name: string; readonly version: string } | undefined
  readonly address: string
  /** Unique within the agent's life. */
  readonly connectionId: number
}

/**
 * `now`: the answer is ready. `later`: the request is admitted in its order, the connection may hand over the next one, and the answer follows; answers are
 * still sent in the order of the requests; the promise never rejects and holds no bytes of the request. `none`: the client asked for no answer (acks = 0); with `close` the connection is closed instead, as Kafka does on failure.
 */
export type Reply<Response> =
  /** `sent` is called once, when the answer is with the system, or never will be: what it held may be used again. */
  | { readonly kind: 'now'; readonly response: Response; readonly thenClose?: boolean; readonly sent?: () => void }
  | { readonly kind: 'later'; readonly response: Promise<LateResponse<Response>> }
  | { readonly kind: 'none'; readonly close: Promise<boolean> | boolean }

/** `thenClose`: after this answer the connection is closed, so that nothing behind it is admitted out of sequence (DESIGN §6.6). */
export interface LateResponse<Response> {
  readonly response: Response
  readonly thenClose?: boolean
}

export interface Handler<A extends Api = Api> {
  readonly api: A
  /** What the gate asks before `handle` runs. Handlers with `resource: 'topic'` ask again per topic, through `services.gate`, and answer TOPIC_AUTHORIZATION_FAILED for those refused. */
  readonly access: { readonly operation: Operation; readonly resource: 'cluster' | 'topic' | 'group' | 'none' }
  /**
   * Settles when the next request of the same connection may be taken. Whatever must be awaited is awaited before admission; nothing awaits between
   * the last check and the admission. Throws a KafkaError when the whole request is refused; `refuse` then shapes the answer.
   */
  handle(request: RequestOf<A>, context: RequestContext, services: Services): Promise<Reply<ResponseOf<A>>>
  /** True: the client expects no answer (acks = 0); when the whole request is refused, the connection is closed instead. */
  silent?(request: RequestOf<A>): boolean
  /** The answer when the whole request is refused with one error code. */
  refuse(request: RequestOf<A>, error: { readonly code: number; readonly message: string | null }, apiVersion: number): ResponseOf<A>
}

/** Any of the handlers: for the table and for dispatch, which pair a request with the handler of its API. */
export interface AnyHandler extends Pick<Handler, 'api' | 'access'> {
  handle(request: object, context: RequestContext, services: Services): Promise<Reply<object>>
  silent?(request: object): boolean
  refuse(request: object, error: { readonly code: number; readonly message: string | null }, apiVersion: number): object
}

/** Kafka's ACL operations. */
export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
  | 'NONE'

export interface Resource {
  readonly type: 'CLUSTER' | 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID'
  readonly name: string
}

/** Gives a handler its types; the value is what was passed. */
export function handler<const A extends Api>(definition: Handler<A>): Handler<A> {
  return definition
}

export type { Gate }
