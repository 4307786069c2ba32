// The contract between handlers and the connections to other agents: a request that this agent cannot serve is sent on to the agent that can.
import type { Api, DecodedResponseOf, RequestOf } from '@local-kafka-service/protocol'
import type { RequestContext } from './request-context.ts'

/**
 * - `answered`: what the other agent answers.
 * - `not sent`: it could not be reached, so nothing was done.
 * - `lost`: the connection ended, or the time was over, before the answer: the outcome is unknown.
 */
export type Forwarded<Response> =
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'not sent' | 'lost'; readonly why: string }

export interface ForwardTo {
  /** The broker id of the agent. */
  readonly to: number
  readonly timeoutMs: number
  /** The client's request. Its connection has connections of its own to other agents, which end with it, so its requests stay in order. */
  readonly context: RequestContext
}

/** Handlers call it with requests of clients, never with a request that another agent has forwarded. It never rejects. */
export interface Forwarder {
  forward<A extends Api>(api: A, request: RequestOf<A>, to: ForwardTo): Promise<Forwarded<DecodedResponseOf<A>>>
}
