// Rejects requests that a web page of another site may have sent: a foreign Host (DNS rebinding) or a foreign Origin (a form posted to localhost).
import type { IncomingMessage } from 'node:http'
import { pageTokenHeader } from './console-page.ts'
import { Problem } from './problem.ts'

/** Undefined when the request is allowed. `allowedHosts` are further host names, without port. */
export function foreign(request: Pick<IncomingMessage, 'headers' | 'socket'>, allowedHosts: readonly string[]): Problem | undefined {
  const own = (name: string): boolean => isOwn(name, request.socket.localAddress, allowedHosts)
  const { host, origin } = request.headers
  // An HTTP/1.0 request may have no Host; no browser sends one.
  if (host !== undefined) {
    const name = hostName(`http://${host}`)
    if (name === undefined || !own(name))
      return new Problem('foreignHost', `The request's Host '${shown(host)}' is not a host of this server.`)
  }
  if (origin !== undefined) {
    const name = hostName(origin)
    // Sandboxed frames and local files send 'null', which is rejected too.
    if (name === undefined || !own(name)) return new Problem('foreignOrigin', `The request comes from a web page at '${shown(origin)}'.`)
  }
  return undefined
}

/** A write by a web page that is not the console, such as a page of another program on localhost. Programs that are not browsers send no Origin. */
export function writeOfOtherPage({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>, pageToken: string): Problem | undefined {
  if (headers.origin === undefined || method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return undefined
  return headers[pageTokenHeader] === pageToken ? undefined : new Problem('otherPage')
}

function isOwn(name: string, localAddress: string | undefined, allowedHosts: readonly string[]): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '[::1]') return true
  if (localAddress !== undefined && name === literal(localAddress)) return true
  return allowedHosts.some(
    (allowed) => hostName(`http://${allowed.includes(':') && !allowed.startsWith('[') ? `[${allowed}]` : allowed}`) === name,
  )
}

/** The address that the client connected to, in the form of a URL. An address is safe: DNS rebinding needs a name. */
function literal(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return plain.includes(':') ? `[${plain}]` : plain
}

/** Lower case, without port, user, path or trailing dot; undefined when it is not an HTTP URL. Parsed like in a browser. */
function hostName(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, username, password, pathname, search } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  if (username !== '' || password !== '' || pathname !== '/' || search !== '') return undefined
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}

function shown(text: string): string {
  return text.slice(0, 100)
}
