// Asks an address what it is: one connection, one ApiVersions, and what came back; needs no client library and no credentials.
import { lookup } from 'node:dns/promises'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ApiVersions, decodeResponse, encodeRequest, FrameSplitter, ProtocolError } from '@local-kafka-service/protocol'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ServedApi {
  readonly key: number
  readonly min: number
  readonly max: number
}

export type Finding =
  | { readonly kind: 'kafka'; readonly apis: readonly ServedApi[]; readonly ms: number; readonly remoteAddress: string }
  /** The name has no address. */
  | { readonly kind: 'unresolvable'; readonly code: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreachable'; readonly code: string }
  /** Nobody took the connection in time. */
  | { readonly kind: 'no connection' }
  /** The connection stands, but nothing comes. */
  | { readonly kind: 'silent' }
  /** The connection was ended without an answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'speaks HTTP' }
  /** It answered our plain bytes with those of TLS. */
  | { readonly kind: 'speaks TLS' }
  | { readonly kind: 'no TLS'; readonly message: string }
  | { readonly kind: 'untrusted'; readonly message: string }
  | { readonly kind: 'no kafka'; readonly message: string }

export interface ProbeOptions {
  readonly timeoutMs: number
  /** Undefined: plain. Certificates are not looked at where `verify` is false. */
  readonly tls?: { readonly verify: boolean } | undefined
}

/** Never rejects: what went wrong is what was found. */
export async function probe({ host, port }: Address, { timeoutMs, tls }: ProbeOptions): Promise<Finding> {
  const began = performance.now()
  const deadline = AbortSignal.timeout(timeoutMs)
  const socket =
    tls === undefined
      ? connectPlain({ host, port })
      : connectTls({ host, port, rejectUnauthorized: tls.verify, ...(isIP(host) === 0 && { servername: host }) })
  try {
    const trouble = await connected(socket, tls === undefined ? 'connect' : 'secureConnect', deadline)
    if (trouble !== undefined) return trouble
    const remoteAddress = socket.remoteAddress ?? host
    for (const chunk of encodeRequest(ApiVersions, { version: 0, correlationId: 1, clientId: 'lks' }, {})) socket.write(chunk)
    const answer = await firstFrame(socket, deadline)
    if ('kind' in answer) return answer
    return { kind: 'kafka', apis: answer.apis, ms: Math.round(performance.now() - began), remoteAddress }
  } finally {
    socket.on('error', () => {})
    socket.destroy()
  }
}

/** `host:port` or `[address]:port`, checked before. */
export function splitServer(server: string): Address {
  const at = server.lastIndexOf(':')
  return { host: server.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(server.slice(at + 1)) }
}

export function asServer({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** All addresses of a name, or the code of the resolver's error. */
export async function addressesOf(host: string): Promise<readonly string[] | { readonly code: string }> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    return { code: codeOf(error) }
  }
}

/** Undefined when it is. */
function connected(socket: Socket, event: 'connect' | 'secureConnect', deadline: AbortSignal): Promise<Finding | undefined> {
  return new Promise((resolve) => {
    let tcp = false
    socket.once('connect', () => (tcp = true))
    socket.once(event, () => resolve(undefined))
    socket.once('error', (error) => resolve(tcp ? ofTls(error) : ofConnect(error)))
    socket.once('close', () => resolve(tcp ? { kind: 'no TLS', message: 'it ended the connection' } : { kind: 'refused' }))
    deadline.addEventListener('abort', () => resolve(tcp ? { kind: 'silent' } : { kind: 'no connection' }), { once: true })
  })
}

function ofConnect(error: Error): Finding {
  const code = codeOf(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA') return { kind: 'unresolvable', code }
  return code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'unreachable', code }
}

function ofTls(error: Error): Finding {
  const code = codeOf(error)
  return /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code)
    ? { kind: 'untrusted', message: error.message }
    : { kind: 'no TLS', message: error.message }
}

/** The first code in the error or in those that it is made of: Node tries several addresses. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError && error.errors.length > 0 ? codeOf(error.errors[0]) : error.message
}

/** An answer of ApiVersions is a few kilobytes. */
const mostAnswerBytes = 1024 * 1024

function firstFrame(socket: Socket, deadline: AbortSignal): Promise<Finding | { readonly apis: readonly ServedApi[] }> {
  return new Promise((resolve) => {
    const splitter = new FrameSplitter({ maxBytes: mostAnswerBytes })
    let first = true
    socket.on('data', (chunk: Buffer) => {
      if (first) {
        const known = knownStranger(chunk)
        if (known !== undefined) return resolve(known)
      }
      first = false
      try {
        splitter.push(chunk)
        const frame = splitter.take()
        if (frame !== undefined) resolve(apisOf(frame))
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        resolve({ kind: 'no kafka', message: error.message })
      }
    })
    socket.once('error', () => resolve({ kind: 'closed' }))
    socket.once('close', () => resolve({ kind: 'closed' }))
    deadline.addEventListener('abort', () => resolve({ kind: 'silent' }), { once: true })
  })
}

function knownStranger(chunk: Buffer): Finding | undefined {
  if (chunk.subarray(0, 5).toString('latin1') === 'HTTP/') return { kind: 'speaks HTTP' }
  // A record of TLS: its type, then version 3.x.
  const [type = 0, major = 0] = chunk
  return type >= 0x14 && type <= 0x17 && major === 3 ? { kind: 'speaks TLS' } : undefined
}

function apisOf(frame: Uint8Array): { readonly apis: readonly ServedApi[] } {
  const { response } = decodeResponse(ApiVersions, 0, frame)
  return { apis: response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ key: apiKey, min: minVersion, max: maxVersion })) }
}
