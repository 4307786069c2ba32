// One request and its answer: gate, handler, reply. It is the only place of the Kafka port that catches a handler's errors.
import {
  type Api,
  ApiVersions,
  encodeResponse,
  encodeResponseInSteps,
  errors,
  isLarge,
  KafkaError,
  Produce,
  type RequestHeader,
  type RequestOf,
} from '@local-kafka-service/protocol'
import { unsupportedVersion } from '../api/api-versions.ts'
import type { AnyHandler, Reply } from '../api/handler.ts'
import { reportRejection } from '../api/rejection.ts'
import type { RequestContext } from '../api/request-context.ts'
import { fixedLimits } from '../limits.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { Services } from '../services.ts'
import { finished } from '../time/turns.ts'
import { errorCodesIn } from './answer-errors.ts'
import { handledAtCoordinator } from './at-coordinator.ts'
import type { RequestMemory } from './decoded-requests.ts'
import { originalClient } from './forwarded-client.ts'
import type { Answer, Handled } from './handled.ts'
import type { Misunderstood } from './interceptor.ts'
import { retriableError } from './retriable-error.ts'

/** Handles one request. Never rejects. What it returns must not hold the request, whose record batches are slices of the frame. */
export type Handle = (request: AnyRequest, exchange: Exchange) => Promise<Handled>

export const handle: Handle = (request, exchange) => exchange.handle(request)

export type AnyRequest = RequestOf<Api>

/** What dispatch knows of a connection. */
export interface Peer {
  readonly connectionId: number
  readonly address: string
  readonly listener: string
  readonly advertised: RequestContext['advertised']
  /** Set once the client has sent it (ApiVersions 3+). */
  software: RequestContext['client']['software']
  requests: number
  /** `handle`, or a wrapper around it. */
  readonly handle: Handle
  /** Reports why the connection is closed, besides the event. */
  readonly onMisunderstood?: (misunderstood: Misunderstood) => void
}

export interface ExchangeParts {
  readonly handler: AnyHandler
  readonly header: RequestHeader
  readonly peer: Peer
  readonly signal: AbortSignal
  readonly services: Services
  readonly served: readonly Api[]
}

type AnyResponse = object
/** `thenClose`: a later request of the connection must not overtake the retry of this one. */
type TopLevelError = { readonly code: number; readonly message: string | null; readonly thenClose?: boolean }

/** It outlives the frame, so it must not hold the request: no budget counts the frame's bytes while an answer is awaited. */
export class Exchange {
  readonly parts: ExchangeParts
  readonly context: RequestContext
  readonly startedAtMs: number
  #throttleMs: number
  #response: AnyResponse | undefined

  constructor(parts: ExchangeParts, memory: RequestMemory | undefined) {
    this.parts = parts
    this.startedAtMs = parts.services.clock.monotonic()
    this.context = contextOf(parts, memory)
    this.#throttleMs = parts.services.gate.throttle(this.context)
  }

  /** The last answer; undefined before there is one. */
  get response(): object | undefined {
    return this.#response
  }

  /** Never rejects. */
  async handle(request: AnyRequest): Promise<Handled> {
    const { handler, peer, services } = this.parts
    let sent: (() => void) | undefined
    try {
      if (handler.access.resource === 'cluster' && !services.gate.authorize(this.context, handler.access.operation, cluster))
        throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
      const reply = await handledAtCoordinator(handler, request, this.context, services)
      if (reply.kind === 'now') sent = reply.sent
      if (handler.api.key === ApiVersions.key) remember(peer, request)
      const handled = this.#handled(reply)
      return handled instanceof Promise ? await handled : handled
    } catch (error) {
      sent?.()
      return await this.reject(request, this.#errorOf(error))
    }
  }

  /** The outcome of a request that is rejected as a whole. */
  async reject(request: AnyRequest, error: TopLevelError): Promise<Handled> {
    const { handler, header, served } = this.parts
    if (handler.api.key === ApiVersions.key && error.code === errors.UNSUPPORTED_VERSION.code)
      return { kind: 'now', answer: tooNew(header, served) }
    if (handler.silent?.(request) !== true)
      return { kind: 'now', answer: await this.#answer(handler.reject(request, error, header.apiVersion), error.thenClose ?? false) }
    this.#emitReply(0)
    return { kind: 'none', close: true }
  }

  /** Throttles the client by at least this time. */
  throttle(forMs: number): void {
    this.#throttleMs = Math.max(this.#throttleMs, forMs)
  }

  #handled(reply: Reply<AnyResponse>): Handled | Promise<Handled> {
    switch (reply.kind) {
      case 'now': {
        const answer = this.#answer(reply.response, reply.thenClose ?? false)
        const handled = (whole: Answer): Handled => ({ kind: 'now', answer: { ...whole, ...(reply.sent && { sent: reply.sent }) } })
        return answer instanceof Promise ? answer.then(handled) : handled(answer)
      }
      case 'later':
        return { kind: 'later', answer: this.#later(reply) }
      case 'none':
        return { kind: 'none', close: this.#silently(reply.close) }
    }
  }

  /** A rejected promise of an answer is a defect, and the outcome of the request is unknown: no later request may be answered. */
  async #later({ response: late, reject }: Extract<Reply<AnyResponse>, { readonly kind: 'later' }>): Promise<Answer> {
    try {
      const { response, thenClose } = await late
      return await this.#answer(response, thenClose ?? false)
    } catch (error) {
      return await this.#answer(reject(this.#defect(error)), true)
    }
  }

  async #silently(close: Promise<boolean> | boolean): Promise<boolean> {
    try {
      return await close
    } catch (error) {
      this.#defect(error)
      return true
    } finally {
      this.#emitReply(0)
    }
  }

  /** Every error but a KafkaError gets a retriable code. An error that is not of a store is a defect. */
  #errorOf(error: unknown): TopLevelError {
    const { signal, services, handler } = this.parts
    if (error instanceof KafkaError) {
      if (hidden.has(error.code)) reportRejection(handler.api, error, { context: this.context, services })
      return { code: error.code, message: error.message }
    }
    if ((error instanceof MetadataError && error.kind === 'unavailable') || error instanceof ObjectStoreError)
      return { code: errors[retriableError(handler, 'not done')].code, message: error.message }
    // The client no longer waits for the answer, so this is not a defect.
    if (signal.aborted && error === signal.reason) return errors[retriableError(handler, 'unknown')]
    return this.#defect(error)
  }

  /** The text of a defect is for the log, not for the client. */
  #defect(error: unknown): TopLevelError {
    const { services, handler } = this.parts
    services.emit({ kind: 'defect', where: handler.api.name, error })
    const { code, message } = errors[retriableError(handler, 'unknown')]
    return { code, message, thenClose: handler.api.key === Produce.key }
  }

  /** A large response is encoded in several turns, and must stay as it is until then. */
  #answer(response: AnyResponse, thenClose: boolean): Answer | Promise<Answer> {
    const { handler, header, services } = this.parts
    this.#response = response
    const throttled = this.#throttleMs > 0 ? { ...response, throttleTimeMs: this.#throttleMs } : response
    const { apiVersion, correlationId } = header
    if (!isLarge(throttled)) return this.#encoded(encodeResponse(handler.api, apiVersion, correlationId, throttled), thenClose)
    const steps = encodeResponseInSteps(handler.api, apiVersion, correlationId, throttled)
    return finished(steps, services.turns, fixedLimits.elementsPerUnit).then((chunks) => this.#encoded(chunks, thenClose))
  }

  #encoded(chunks: readonly Uint8Array[], thenClose: boolean): Answer {
    const sizeBytes = totalOf(chunks)
    this.#emitReply(sizeBytes)
    return { chunks, sizeBytes, thenClose, throttleMs: this.#throttleMs }
  }

  #emitReply(sizeBytes: number): void {
    const { handler, header, peer, services } = this.parts
    services.emit({
      kind: 'reply',
      connectionId: peer.connectionId,
      clientId: header.clientId,
      api: handler.api.name,
      version: header.apiVersion,
      durationMs: services.clock.monotonic() - this.startedAtMs,
      sizeBytes,
      errors: this.#response && errorCodesIn(this.#response),
    })
  }
}

/** The answer to a client that is newer than this server: it can read version 0 only, and asks again in a version from it (KIP-511). */
export function tooNew(header: RequestHeader, served: readonly Api[]): Answer {
  const chunks = encodeResponse(ApiVersions, 0, header.correlationId, unsupportedVersion(served))
  return { chunks, sizeBytes: totalOf(chunks), thenClose: false, throttleMs: 0 }
}

function totalOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

/** Error codes of a whole request that mean that the server does not support it. */
const hidden: ReadonlySet<number> = new Set([
  errors.UNSUPPORTED_VERSION.code,
  errors.ILLEGAL_SASL_STATE.code,
  errors.INVALID_TXN_STATE.code,
])

const cluster = { type: 'CLUSTER', name: 'kafka-cluster' } as const

function contextOf({ header, peer, signal }: ExchangeParts, memory: RequestMemory | undefined): RequestContext {
  peer.requests += 1
  const { id, forwarded } = originalClient(header.clientId)
  return {
    principal: 'User:ANONYMOUS',
    listener: peer.listener,
    client: { id, software: peer.software, address: peer.address, connectionId: peer.connectionId },
    requestId: `${peer.connectionId}-${peer.requests}`,
    apiVersion: header.apiVersion,
    signal,
    advertised: peer.advertised,
    ...(memory && { memory }),
    ...(forwarded && { forwarded }),
  }
}

function remember(peer: Peer, request: object): void {
  const { clientSoftwareName, clientSoftwareVersion } = request as RequestOf<typeof ApiVersions>
  if (clientSoftwareName !== '') peer.software = { name: clientSoftwareName, version: clientSoftwareVersion }
}
