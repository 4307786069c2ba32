// Turns a frame into an answer: header, handler, gate, body, reply. It is the only place of the Kafka port that catches a handler's errors.
import {
  type Api,
  ApiVersions,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  errors,
  KafkaError,
  Produce,
  ProtocolError,
  type RequestHeader,
  type RequestOf,
} from '@local-kafka-service/protocol'
import { unsupportedVersion } from '../api/api-versions.ts'
import type { AnyHandler, Reply } from '../api/handler.ts'
import { reportRejection } from '../api/rejection.ts'
import type { RequestContext } from '../api/request-context.ts'
import type { TopicId } from '../core/ids.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { Misunderstanding } from '../observe/events.ts'
import type { Services } from '../services.ts'
import type { Answer, Handled } from './connection.ts'
import type { ConnectionInterceptor, Interception } from './interceptor.ts'
import { notKafka, notServed, unreadable } from './misunderstanding.ts'
import { requestNames } from './request-names.ts'
import { retriableError } from './retriable-error.ts'
import { carryOut, type Interceptable, type Watched } from './verdict.ts'

/** The state of a connection that dispatch uses. */
export interface Peer {
  readonly connectionId: number
  readonly address: string
  readonly listener: string
  readonly advertised: RequestContext['advertised']
  /** Set once the client has sent it (ApiVersions 3+). */
  software: RequestContext['client']['software']
  requests: number
  /** Decides about every request, if the agent's parts include an interceptor. */
  readonly interceptor?: ConnectionInterceptor
}

/** Never rejects. */
export type Dispatch = (frame: Uint8Array, peer: Peer, signal: AbortSignal, unpin: () => void) => Promise<Handled>

export function dispatcher(handlers: readonly AnyHandler[], services: Services): Dispatch {
  const byKey = new Map(handlers.map((handler) => [handler.api.key, handler]))
  const served = handlers.map(({ api }) => api)
  return async (frame, peer, signal, unpin) => {
    let header: RequestHeader | undefined
    try {
      header = decodeRequestHeader(frame)
      const handler = byKey.get(header.apiKey)
      if (handler !== undefined && speaks(handler.api, header.apiVersion))
        return await new Exchange({ handler, header, peer, signal, services, served }).run(frame, unpin)
      if (header.apiKey === ApiVersions.key) return { kind: 'now', answer: tooNew(header, served) }
      return misunderstood(notServed(header, handler?.api), { peer, services, clientId: header.clientId })
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        services.emit({ kind: 'defect', where: 'the Kafka port', error })
        return { kind: 'close', reason: 'a defect of the server' }
      }
      const why = header === undefined ? notKafka(error) : unreadable(header, error)
      return misunderstood(why, { peer, services, clientId: header?.clientId })
    }
  }
}

/** Reports to the log and to an interceptor why the connection is closed. */
export function misunderstood(
  why: Misunderstanding,
  of: { readonly peer: Peer; readonly services: Pick<Services, 'emit' | 'clock'>; readonly clientId?: string | null | undefined },
): { readonly kind: 'close'; readonly reason: string } {
  const { peer, services, clientId } = of
  const client = { id: clientId, software: peer.software, address: peer.address }
  services.emit({ kind: 'protocol error', connectionId: peer.connectionId, client, ...why })
  peer.interceptor?.misunderstood({ request: why.request, message: why.message, client, atMs: services.clock.now() })
  return { kind: 'close', reason: why.message }
}

interface ExchangeParts {
  readonly handler: AnyHandler
  readonly header: RequestHeader
  readonly peer: Peer
  readonly signal: AbortSignal
  readonly services: Services
  readonly served: readonly Api[]
}

type AnyResponse = object
/** `thenClose`: a later request of the connection must not overtake the retry of this one. */
type Refused = { readonly code: number; readonly message: string | null; readonly thenClose?: boolean }

/** One request and its answer. It outlives the frame, so it must not hold the frame's bytes while an answer is awaited: no budget counts them any more. */
class Exchange {
  readonly #parts: ExchangeParts
  readonly #startedAtMs: number
  #throttleMs = 0
  /** The last answer, kept only for an interceptor. */
  #response: AnyResponse | undefined

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#startedAtMs = parts.services.clock.monotonic()
  }

  /** Rejects with a ProtocolError only. */
  async run(frame: Uint8Array, unpin: () => void): Promise<Handled> {
    const { handler, header, peer, services } = this.#parts
    const { connectionId } = peer
    const { clientId, apiVersion: version } = header
    services.emit({ kind: 'request', connectionId, clientId, api: handler.api.name, version, sizeBytes: frame.length })
    const request = decodeRequest(handler.api, version, frame, header.bodyAt)
    // Record batches are slices of the frame until their admission; decoding has copied everything else.
    if (handler.api.key !== Produce.key) unpin()
    const context = this.#context()
    this.#throttleMs = services.gate.throttle(context)
    return await (peer.interceptor === undefined ? this.#handle(request, context) : this.#intercepted(peer.interceptor, request, context))
  }

  /** Never rejects. */
  async #handle(request: AnyRequest, context: RequestContext): Promise<Handled> {
    const { handler, peer, services } = this.#parts
    let sent: (() => void) | undefined
    try {
      if (handler.access.resource === 'cluster' && !services.gate.authorize(context, handler.access.operation, cluster))
        throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
      const reply = await handler.handle(request, context, services)
      if (reply.kind === 'now') sent = reply.sent
      if (handler.api.key === ApiVersions.key) remember(peer, request)
      return this.#handled(reply)
    } catch (error) {
      sent?.()
      return this.#refuse(request, this.#refused(error, context))
    }
  }

  #refuse(request: AnyRequest, error: Refused): Handled {
    const { handler, header } = this.#parts
    if (handler.silent?.(request) !== true)
      return { kind: 'now', answer: this.#answer(handler.refuse(request, error, header.apiVersion), error.thenClose ?? false) }
    this.#emitReply(0)
    return { kind: 'none', close: true }
  }

  async #intercepted(interceptor: ConnectionInterceptor, request: AnyRequest, context: RequestContext): Promise<Handled> {
    const { handler, header, served } = this.#parts
    const interceptable: Interceptable = {
      handle: () => this.#handle(request, context),
      refuse: (error, message = errors[error].message) =>
        // The same answer as for a client that is too new: it can read no other version of this error.
        handler.api.key === ApiVersions.key && error === 'UNSUPPORTED_VERSION'
          ? { kind: 'now', answer: tooNew(header, served) }
          : this.#refuse(request, { code: errors[error].code, message }),
      throttle: (forMs) => {
        this.#throttleMs = Math.max(this.#throttleMs, forMs)
      },
    }
    return await carryOut(this.#asked(interceptor, request, context), interceptable, this.#watched())
  }

  /** Objects that outlive the frame are created in separate functions, whose closures cannot hold its bytes. */
  #asked(interceptor: ConnectionInterceptor, request: AnyRequest, { client, apiVersion }: RequestContext): Interception {
    const { handler, services } = this.#parts
    return interceptor.request({
      api: handler.api.name,
      version: apiVersion,
      client,
      atMs: services.clock.now(),
      ...requestNames(request, services),
      nameOf: (id) => services.catalog.byId(id as TopicId)?.name,
      body: request,
    })
  }

  #watched(): Watched {
    const { services, signal } = this.#parts
    return { clock: services.clock, signal, startedAtMs: this.#startedAtMs, response: () => this.#response }
  }

  #context(): RequestContext {
    const { header, peer, signal } = this.#parts
    peer.requests += 1
    return {
      principal: 'User:ANONYMOUS',
      listener: peer.listener,
      client: { id: header.clientId, software: peer.software, address: peer.address, connectionId: peer.connectionId },
      requestId: `${peer.connectionId}-${peer.requests}`,
      apiVersion: header.apiVersion,
      signal,
      advertised: peer.advertised,
    }
  }

  #handled(reply: Reply<AnyResponse>): Handled {
    switch (reply.kind) {
      case 'now':
        return {
          kind: 'now',
          answer: { ...this.#answer(reply.response, reply.thenClose ?? false), ...(reply.sent && { sent: reply.sent }) },
        }
      case 'later':
        return { kind: 'later', answer: this.#later(reply) }
      case 'none':
        return { kind: 'none', close: this.#silently(reply.close) }
    }
  }

  /** A rejected promise of an answer is a defect, and the outcome of the request is unknown: no later request may be answered. */
  async #later({ response: late, refuse }: Extract<Reply<AnyResponse>, { readonly kind: 'later' }>): Promise<Answer> {
    try {
      const { response, thenClose } = await late
      return this.#answer(response, thenClose ?? false)
    } catch (error) {
      return this.#answer(refuse(this.#defect(error)), true)
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
  #refused(error: unknown, context: RequestContext): Refused {
    const { signal, services, handler } = this.#parts
    if (error instanceof KafkaError) {
      if (hidden.has(error.code)) reportRejection(handler.api, error, { context, services })
      return { code: error.code, message: error.message }
    }
    if ((error instanceof MetadataError && error.kind === 'unavailable') || error instanceof ObjectStoreError)
      return { code: errors[retriableError(handler, 'not done')].code, message: error.message }
    // The client no longer waits for the answer, so this is not a defect.
    if (signal.aborted && error === signal.reason) return errors[retriableError(handler, 'unknown')]
    return this.#defect(error)
  }

  /** The text of a defect is for the log, not for the client. */
  #defect(error: unknown): Refused {
    const { services, handler } = this.#parts
    services.emit({ kind: 'defect', where: handler.api.name, error })
    const { code, message } = errors[retriableError(handler, 'unknown')]
    return { code, message, thenClose: handler.api.key === Produce.key }
  }

  #answer(response: AnyResponse, thenClose: boolean): Answer {
    const { handler, header, peer } = this.#parts
    if (peer.interceptor !== undefined) this.#response = response
    const throttled = this.#throttleMs > 0 ? { ...response, throttleTimeMs: this.#throttleMs } : response
    const chunks = encodeResponse(handler.api, header.apiVersion, header.correlationId, throttled)
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#emitReply(sizeBytes)
    return { chunks, sizeBytes, thenClose, throttleMs: this.#throttleMs }
  }

  #emitReply(sizeBytes: number): void {
    const { handler, header, peer, services } = this.#parts
    services.emit({
      kind: 'reply',
      connectionId: peer.connectionId,
      clientId: header.clientId,
      api: handler.api.name,
      version: header.apiVersion,
      durationMs: services.clock.monotonic() - this.#startedAtMs,
      sizeBytes,
    })
  }
}

/** Error codes of a whole request that mean that the server does not support it. */
const hidden: ReadonlySet<number> = new Set([
  errors.UNSUPPORTED_VERSION.code,
  errors.ILLEGAL_SASL_STATE.code,
  errors.INVALID_TXN_STATE.code,
])

const cluster = { type: 'CLUSTER', name: 'kafka-cluster' } as const

type AnyRequest = RequestOf<Api>

function speaks(api: Api, version: number): boolean {
  return version >= api.versions[0] && version <= api.versions[1]
}

/** The answer to a client that is newer than this server: it can read version 0 only, and asks again in a version from it (KIP-511). */
function tooNew(header: RequestHeader, served: readonly Api[]): Answer {
  const chunks = encodeResponse(ApiVersions, 0, header.correlationId, unsupportedVersion(served))
  return { chunks, sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0), thenClose: false, throttleMs: 0 }
}

function remember(peer: Peer, request: object): void {
  const { clientSoftwareName, clientSoftwareVersion } = request as RequestOf<typeof ApiVersions>
  if (clientSoftwareName !== '') peer.software = { name: clientSoftwareName, version: clientSoftwareVersion }
}
