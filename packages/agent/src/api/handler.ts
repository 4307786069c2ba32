// The contract between dispatch and the handlers of the Kafka APIs: the input of a handler, and its answer.
import type { Api, RequestOf, ResponseOf } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Gate } from './gate.ts'

/** Everything about one request that is not in its body. Kafka and HTTP share it. */
export interface RequestContext {
  /** The client's identity: `User:ANONYMOUS` until a listener authenticates clients. */
  readonly principal: string
  /** The name of the listener that received the request. */
  readonly listener: string
  readonly client: ClientOfRequest
  /** Unique within the agent. Logs and HTTP answers contain it. */
  readonly requestId: string
  /** The API version that the client speaks; 0 for HTTP. */
  readonly apiVersion: number
  /** Aborts when the connection is closed or the agent stops: no client waits for the answer any more. */
  readonly signal: AbortSignal
  /** The address at which the client reaches this agent. It depends on the address that the client connected to. */
  readonly advertised: { readonly host: string; readonly port: number }
}

export interface ClientOfRequest {
  readonly id: string | null
  /** `kafkajs`, `apache-kafka-java` …, after the client has sent ApiVersions 3+. */
  readonly software: { readonly name: string; readonly version: string } | undefined
  readonly address: string
  /** Unique within the agent's life. */
  readonly connectionId: number
}

/**
 * - `now`: the answer is ready.
 * - `later`: the request is admitted in its order, so the connection may hand over the next one. The answer follows, still in the order of the requests. Neither the promise nor `refuse` holds bytes of the request. If the promise rejects, dispatch reports a defect, answers with `refuse`, and closes the connection.
 * - `none`: the client expects no answer (acks = 0). With `close` the connection is closed instead, as Kafka does on failure.
 */
export type Reply<Response> =
  /** `sent` is called once, when the operating system has the answer or can never get it: the memory of the answer is free again. */
  | { readonly kind: 'now'; readonly response: Response; readonly thenClose?: boolean; readonly sent?: () => void }
  | {
      readonly kind: 'later'
      readonly response: Promise<LateResponse<Response>>
      readonly refuse: (error: { readonly code: number; readonly message: string | null }) => Response
    }
  | { readonly kind: 'none'; readonly close: Promise<boolean> | boolean }

/** `thenClose`: the connection is closed after this answer, so that no later request is admitted out of sequence. */
export interface LateResponse<Response> {
  readonly response: Response
  readonly thenClose?: boolean
}

export interface Handler<A extends Api = Api> {
  readonly api: A
  /**
   * The right that a client needs. Dispatch checks `resource: 'cluster'` before `handle` runs. A handler with another resource checks each topic or group itself,
   * through `services.gate`, and answers the authorization error of those that are denied.
   */
  readonly access: { readonly operation: Operation; readonly resource: 'cluster' | 'topic' | 'group' | 'none' }
  /**
   * Settles when the connection may take its next request. A handler awaits everything before the admission, and nothing between the last check and the
   * admission. Throws a KafkaError to reject the whole request; `refuse` then shapes the answer.
   */
  handle(request: RequestOf<A>, context: RequestContext, services: Services): Promise<Reply<ResponseOf<A>>>
  /** True: the client expects no answer (acks = 0). If the whole request is rejected, the connection is closed instead. */
  silent?(request: RequestOf<A>): boolean
  /** The answer when the whole request is rejected with one error code. */
  refuse(request: RequestOf<A>, error: { readonly code: number; readonly message: string | null }, apiVersion: number): ResponseOf<A>
}

/** A handler of any API, for the table and for dispatch, which find the handler of a request by its API. */
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

/** Gives a handler its types and returns it unchanged. */
export function handler<const A extends Api>(definition: Handler<A>): Handler<A> {
  return definition
}

export type { Gate }
