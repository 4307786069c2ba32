// The contract between dispatch and the handlers of the Kafka APIs: the input of a handler, and its answer.
import type { Api, RequestOf, ResponseOf } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import type { Operation, RequestContext } from './request-context.ts'

/**
 * - `now`: the answer is ready.
 * - `later`: the request is admitted in its order, so the connection may hand over the next one. The answer follows, still in the order of the requests. Neither the promise nor `reject` holds bytes of the request. If the promise rejects, dispatch reports a defect, answers with `reject`, and closes the connection.
 * - `none`: the client expects no answer (acks = 0). With `close` the connection is closed instead, as Kafka does on failure.
 */
export type Reply<Response> =
  /** `sent` is called once, when the operating system has the answer or can never get it: the memory of the answer is free again. */
  | { readonly kind: 'now'; readonly response: Response; readonly thenClose?: boolean; readonly sent?: () => void }
  | {
      readonly kind: 'later'
      readonly response: Promise<LateResponse<Response>>
      readonly reject: (error: { readonly code: number; readonly message: string | null }) => Response
    }
  | { readonly kind: 'none'; readonly close: Promise<boolean> | boolean }

/** `thenClose`: the connection is closed after this answer, so that no later request is admitted out of sequence. */
export interface LateResponse<Response> {
  readonly response: Response
  readonly thenClose?: boolean
}

/** `Uses` is the part of the services that the handler works with. */
export interface Handler<A extends Api = Api, Uses = Services> {
  readonly api: A
  /**
   * The right that a client needs. Dispatch checks `resource: 'cluster'` before `handle` runs. A handler with another resource checks each topic, group or transactional id itself,
   * through `services.gate`, and answers the authorization error of those that are denied.
   */
  readonly access: { readonly operation: Operation; readonly resource: 'cluster' | 'topic' | 'group' | 'transactional id' | 'none' }
  /**
   * Settles when the connection may take its next request. A handler awaits everything before the admission, and nothing between the last check and the
   * admission. Throws a KafkaError to reject the whole request; `reject` then shapes the answer.
   */
  handle(request: RequestOf<A>, context: RequestContext, services: Uses): Promise<Reply<ResponseOf<A>>>
  /** True: the client expects no answer (acks = 0). If the whole request is rejected, the connection is closed instead. */
  silent?(request: RequestOf<A>): boolean
  /** The answer when the whole request is rejected with one error code. */
  reject(request: RequestOf<A>, error: { readonly code: number; readonly message: string | null }, apiVersion: number): ResponseOf<A>
}

/** A handler of any API, for the table and for dispatch, which find the handler of a request by its API. */
export interface AnyHandler extends Pick<Handler, 'api' | 'access'> {
  handle(request: object, context: RequestContext, services: Services): Promise<Reply<object>>
  silent?(request: object): boolean
  reject(request: object, error: { readonly code: number; readonly message: string | null }, apiVersion: number): object
}

/** Gives a handler its types and returns it unchanged. */
export function handler<const A extends Api, Uses = unknown>(definition: Handler<A, Uses>): Handler<A, Uses> {
  return definition
}
