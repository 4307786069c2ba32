// Refuses requests that a web page elsewhere may have made: a foreign Host (DNS rebinding) or a foreign Origin (a form posted to localhost).
import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'

/** Undefined when the request may pass. `allowedHosts`: further host names, without port. */
export function foreign(request: Pick<IncomingMessage, 'headers' | 'socket'>, allowedHosts: readonly string[]): Problem | undefined {
  const own = (name: string): boolean => isOwn(name, request.socket.localAddress, allowedHosts)
  const { host, origin } = request.headers
  // HTTP/1.0 may come without a Host; no browser speaks it.
  if (host !== undefined) {
    const name = hostName(`http://${host}`)
    if (name === undefined || !own(name))
      return new Problem('foreignHost', `The request's Host '${shown(host)}' is not one of this server.`)
  }
  if (origin !== undefined) {
    const name = hostName(origin)
    // Also 'null', which sandboxed frames and local files send.
    if (name === undefined || !own(name)) return new Problem('foreignOrigin', `The request comes from a web page at '${shown(origin)}'.`)
  }
  return undefined
}

function isOwn(name: string, localAddress: string | undefined, allowedHosts: readonly string[]): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '[::1]') return true
  if (localAddress !== undefined && name === literal(localAddress)) return true
  return allowedHosts.some(
    (allowed) => hostName(`http://${allowed.includes(':') && !allowed.startsWith('[') ? `[${allowed}]` : allowed}`) === name,
  )
}

/** The address that the connection came in by, as it stands in a URL. A name that a page rebinds is no address, so an address is safe. */
function literal(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return plain.includes(':') ? `[${plain}]` : plain
}

/** Lower case, without port, user, path or trailing dot; undefined when it is no URL of the web. Parsed as browsers do. */
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
