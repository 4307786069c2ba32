// Probes an address: one connection, one ApiVersions request and what came back; needs no client library and no credentials.
import { lookup } from 'node:dns/promises'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsSettings } from 'node:tls'
import { onAbort } from '@local-kafka-service/agent/abort'
import {
  type Api,
  ApiVersions,
  type DecodedResponseOf,
  decodeResponse,
  encodeRequest,
  errors,
  FrameSplitter,
  Metadata,
  ProtocolError,
  type RequestInputOf,
  SaslHandshake,
} from '@local-kafka-service/protocol'
import type { Address } from './server-address.ts'

export interface ServedApi {
  readonly key: number
  readonly min: number
  readonly max: number
}

export type Finding =
  | { readonly kind: 'kafka'; readonly apis: readonly ServedApi[]; readonly ms: number; readonly remoteAddress: string }
  /** The name cannot be resolved. */
  | { readonly kind: 'unresolvable'; readonly code: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreachable'; readonly code: string }
  /** The connection was not accepted in time. */
  | { readonly kind: 'no connection' }
  /** The connection is open, but no answer arrives. */
  | { readonly kind: 'silent' }
  /** The connection was closed without an answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'speaks HTTP' }
  /** It answered our plaintext bytes with TLS. */
  | { readonly kind: 'speaks TLS' }
  | { readonly kind: 'no TLS'; readonly message: string }
  | { readonly kind: 'untrusted'; readonly message: string }
  /** It ended the handshake because of the client certificate, which is missing or not trusted. */
  | { readonly kind: 'wants certificate'; readonly message: string }
  /** A Kafka listener that answers nothing before a login. */
  | { readonly kind: 'wants login' }
  /** A Kafka listener without SASL. */
  | { readonly kind: 'wants no login' }
  /** A Kafka listener with SASL, but with other mechanisms. */
  | { readonly kind: 'other mechanisms'; readonly offered: readonly string[] }
  | { readonly kind: 'no kafka'; readonly message: string }

export interface ProbeOptions {
  readonly timeoutMs: number
  /** Undefined: plaintext. */
  readonly tls?: TlsSettings | undefined
  /** Also finds out whether the listener uses SASL: by one step of a login with this mechanism, or, for `none`, by a request without a login. */
  readonly login?: string
}

/** Never rejects: a failure is a finding. */
export async function probe({ host, port }: Address, { timeoutMs, tls, login }: ProbeOptions): Promise<Finding> {
  const began = performance.now()
  const deadline = AbortSignal.timeout(timeoutMs)
  const socket =
    tls === undefined ? connectPlain({ host, port }) : connectTls({ ...tls, host, port, ...(isIP(host) === 0 && { servername: host }) })
  try {
    const failed = await connected(socket, tls === undefined ? 'connect' : 'secureConnect', deadline)
    if (failed !== undefined) return failed
    const remoteAddress = socket.remoteAddress ?? host
    const answer = await asked(socket, ApiVersions, 0, {}, deadline)
    if ('kind' in answer) return answer
    const apis = answer.response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ key: apiKey, min: minVersion, max: maxVersion }))
    const ms = Math.round(performance.now() - began)
    const mismatch = login === undefined ? undefined : await loginMismatch(socket, { login, apis, deadline })
    return mismatch ?? { kind: 'kafka', apis, ms, remoteAddress }
  } finally {
    socket.on('error', () => {})
    socket.destroy()
  }
}

/** Undefined: the listener matches the client's login. Kafka closes a connection that sends another request before its login. */
async function loginMismatch(
  socket: Socket,
  { login, apis, deadline }: { readonly login: string; readonly apis: readonly ServedApi[]; readonly deadline: AbortSignal },
): Promise<Finding | undefined> {
  if (login === 'none') {
    const version = Math.min(1, apis.find(({ key }) => key === Metadata.key)?.max ?? 0)
    const answer = await asked(socket, Metadata, version, { topics: [] }, deadline)
    return 'kind' in answer && answer.kind === 'closed' ? { kind: 'wants login' } : undefined
  }
  const answer = await asked(socket, SaslHandshake, 1, { mechanism: login }, deadline)
  if ('kind' in answer) return answer.kind === 'closed' ? { kind: 'wants no login' } : undefined
  const { errorCode, mechanisms } = answer.response
  if (errorCode === errors.ILLEGAL_SASL_STATE.code) return { kind: 'wants no login' }
  return errorCode === errors.UNSUPPORTED_SASL_MECHANISM.code ? { kind: 'other mechanisms', offered: mechanisms } : undefined
}

/** All addresses of a name, or the code of the resolver's error. */
export async function addressesOf(host: string): Promise<readonly string[] | { readonly code: string }> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    return { code: codeOf(error) }
  }
}

/** Undefined when connected. */
function connected(socket: Socket, event: 'connect' | 'secureConnect', deadline: AbortSignal): Promise<Finding | undefined> {
  return new Promise((resolve) => {
    let tcp = false
    socket.once('connect', () => (tcp = true))
    socket.once(event, () => resolve(undefined))
    socket.once('error', (error) => resolve(tcp ? ofTls(error) : ofConnect(error)))
    socket.once('close', () => resolve(tcp ? { kind: 'no TLS', message: 'it ended the connection' } : { kind: 'refused' }))
    onAbort(deadline, () => resolve(tcp ? { kind: 'silent' } : { kind: 'no connection' }))
  })
}

function ofConnect(error: Error): Finding {
  const code = codeOf(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA') return { kind: 'unresolvable', code }
  return code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'unreachable', code }
}

function ofTls(error: Error): Finding {
  const code = codeOf(error)
  if (isAboutClient(code)) return { kind: 'wants certificate', message: error.message }
  return /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code)
    ? { kind: 'untrusted', message: error.message }
    : { kind: 'no TLS', message: error.message }
}

/** The first code in the error or in its nested errors: Node tries several addresses. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError && error.errors.length > 0 ? codeOf(error.errors[0]) : error.message
}

/** The answer to ApiVersions has a few kilobytes. */
const mostAnswerBytes = 1024 * 1024

interface ProbeAnswer<A extends Api> {
  readonly response: DecodedResponseOf<A>
}

/** One request and its answer, or the finding that replaces it. */
async function asked<A extends Api>(
  socket: Socket,
  api: A,
  version: number,
  request: RequestInputOf<A>,
  deadline: AbortSignal,
): Promise<Finding | ProbeAnswer<A>> {
  for (const chunk of encodeRequest(api, { version, correlationId: 1, clientId: 'lks' }, request)) socket.write(chunk)
  const frame = await firstFrame(socket, deadline)
  if ('kind' in frame) return frame
  try {
    return { response: decodeResponse(api, version, frame).response }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'no kafka', message: error.message }
  }
}

function firstFrame(socket: Socket, deadline: AbortSignal): Promise<Finding | Uint8Array> {
  const splitter = new FrameSplitter({ maxBytes: mostAnswerBytes })
  let first = true
  const done = new AbortController()
  return new Promise<Finding | Uint8Array>((resolve) => {
    const onData = (chunk: Buffer): void => {
      const known = first ? knownStranger(chunk) : undefined
      first = false
      if (known !== undefined) return resolve(known)
      try {
        splitter.push(chunk)
        const frame = splitter.take()
        if (frame !== undefined) resolve(frame)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        resolve({ kind: 'no kafka', message: error.message })
      }
    }
    socket.on('data', onData)
    onAbort(done.signal, () => socket.off('data', onData))
    socket.once('error', (error) => {
      // With TLS 1.3 a server checks the client certificate after the client considers the connection established.
      resolve(isAboutClient(codeOf(error)) ? { kind: 'wants certificate', message: error.message } : { kind: 'closed' })
    })
    socket.once('close', () => resolve({ kind: 'closed' }))
    onAbort(deadline, () => resolve({ kind: 'silent' }))
    if (socket.destroyed) resolve({ kind: 'closed' })
  }).finally(() => done.abort())
}

/** TLS alerts that a server sends because of the client certificate. */
function isAboutClient(code: string): boolean {
  return /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|HANDSHAKE_FAILURE)$/.test(code)
}

function knownStranger(chunk: Buffer): Finding | undefined {
  if (chunk.subarray(0, 5).toString('latin1') === 'HTTP/') return { kind: 'speaks HTTP' }
  // A TLS record: its type, then version 3.x.
  const [type = 0, major = 0] = chunk
  return type >= 0x14 && type <= 0x17 && major === 3 ? { kind: 'speaks TLS' } : undefined
}
