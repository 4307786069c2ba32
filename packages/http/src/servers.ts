// The sockets of one plane: one HTTP server for each address, all on one port, with explicit time-outs.
import type { RequestListener, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionRoom, RoomSocket } from './connection-room.ts'
import { httpLimits } from './limits.ts'

// Not an import: importing node:http reads all its exports, and one of them loads `fetch`, which takes 20 ms and is not used.
const { createServer } = process.getBuiltinModule('node:http')

export interface PortAsk {
  /** Addresses such as `127.0.0.1` and `::1`. One whose family the machine lacks is left out. */
  readonly hosts: readonly string[]
  /** 0 stands for any free port; all addresses get the same one. */
  readonly port: number
  /** True for a default port: when it is busy, the next free one is used. */
  readonly movable: boolean
  /** Whether the port and its connections keep the process alive. The default is true. */
  readonly holdsProcess?: boolean
}

export interface Listening {
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  readonly port: number
  /** The busy default port, if another one is used instead. */
  readonly movedFrom: number | undefined
  /** Accepts no more connections; closes idle ones at once and busy ones after their answer. */
  stopAccepting(): void
  /** Settles when no connection is left. After `graceMs` it closes the remaining ones. */
  closed(graceMs: number, after: (delayMs: number, callback: () => void) => { cancel(): void }): Promise<void>
}

/** The port is in use, or may not be used. */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly kind: 'busy' | 'denied' | 'no address'
  readonly port: number
  readonly host: string

  constructor(kind: PortError['kind'], at: { readonly host: string; readonly port: number }, options?: { readonly cause?: unknown }) {
    const why = {
      busy: `port ${at.port} is in use`,
      denied: `this user may not use port ${at.port}`,
      'no address': `${at.host} is not an address of this machine`,
    }[kind]
    super(why, options)
    this.kind = kind
    this.port = at.port
    this.host = at.host
  }
}

/** Rejects with a PortError that names the port. */
export async function listen(ask: PortAsk, handle: RequestListener, room: ConnectionRoom): Promise<Listening> {
  const tries = ask.movable || ask.port === 0 ? httpLimits.portTries : 1
  let busy: PortError | undefined
  for (let tried = 0; tried < tries; tried++) {
    const port = ask.port === 0 ? 0 : ask.port + tried
    if (port > 65_535) break
    const opened = await listenOnAll(ask, port, handle, room)
    if (!(opened instanceof PortError)) return listening(opened, port === ask.port || ask.port === 0 ? undefined : ask.port)
    if (opened.kind !== 'busy') throw opened
    busy ??= opened
  }
  throw busy ?? new PortError('busy', { host: ask.hosts[0] ?? '', port: ask.port })
}

interface Bound {
  readonly server: Server
  readonly host: string
  readonly port: number
}

/** All addresses on one port, or none of them. */
async function listenOnAll(
  ask: PortAsk,
  port: number,
  handle: RequestListener,
  room: ConnectionRoom,
): Promise<readonly Bound[] | PortError> {
  const { hosts } = ask
  const bound: Bound[] = []
  let lacking: PortError | undefined
  for (const host of hosts) {
    const opened = await listenOnOne(host, bound[0]?.port ?? port, { handle, room, holdsProcess: ask.holdsProcess ?? true })
    if (!(opened instanceof PortError)) bound.push(opened)
    else if (opened.kind === 'no address') lacking = opened
    else {
      await Promise.all(bound.map(({ server }) => new Promise((resolve) => server.close(resolve))))
      return opened
    }
  }
  return bound.length > 0 ? bound : (lacking ?? new PortError('no address', { host: hosts[0] ?? '', port }))
}

function listenOnOne(
  host: string,
  port: number,
  { handle, room, holdsProcess }: { readonly handle: RequestListener; readonly room: ConnectionRoom; readonly holdsProcess: boolean },
): Promise<Bound | PortError> {
  const server = createServer(
    {
      headersTimeout: httpLimits.headersTimeoutMs,
      requestTimeout: httpLimits.requestTimeoutMs,
      keepAliveTimeout: httpLimits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: httpLimits.headerBytes,
      noDelay: true,
    },
    handle,
  )
  server.on('connection', (socket) => room.opened(socket))
  server.on('clientError', (error, socket) => closeAfter(error, socket, room))
  server.on('request', (request, response) => room.requested(request.socket, response))
  if (!holdsProcess) {
    server.unref()
    server.on('connection', (socket) => socket.unref())
  }
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const kind = kinds.get(error.code ?? '')
      if (kind === undefined) reject(error)
      else resolve(new PortError(kind, { host, port }, { cause: error }))
    })
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
      const address = server.address()
      resolve({ server, host, port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}

/** Answers as Node does without this listener, and reports why the connection is closed. A client that disconnects within a request (HPE_INVALID_EOF_STATE) is not reported. */
function closeAfter(error: NodeJS.ErrnoException, socket: Duplex & RoomSocket, room: ConnectionRoom): void {
  const { code = '' } = error
  // Each further chunk of the same connection is another error.
  if (socket.writableEnded) return
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
  if (isLate) {
    const seconds = httpLimits.requestTimeoutMs / 1000
    room.failed(socket, {
      kind: 'late',
      reason: `its HTTP request did not arrive within ${seconds} s, or its head not within ${httpLimits.headersTimeoutMs / 1000} s`,
    })
  } else if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') room.failed(socket, { kind: 'not HTTP', reason: code })
  // A client that has disconnected gets no answer.
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = isLate ? '408 Request Timeout' : code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
}

const kinds: ReadonlyMap<string, PortError['kind']> = new Map([
  ['EADDRINUSE', 'busy'],
  ['EACCES', 'denied'],
  ['EADDRNOTAVAIL', 'no address'],
  ['EAFNOSUPPORT', 'no address'],
  ['ENOTFOUND', 'no address'],
])

function listening(bound: readonly Bound[], movedFrom: number | undefined): Listening {
  const closing = new Map<Server, Promise<void>>()
  const close = (server: Server): Promise<void> => {
    const known = closing.get(server)
    if (known !== undefined) return known
    const done = new Promise<void>((resolve) => server.close(() => resolve()))
    closing.set(server, done)
    return done
  }
  return {
    addresses: bound.map(({ host, port }) => ({ host, port })),
    port: bound[0]?.port ?? 0,
    movedFrom,
    stopAccepting() {
      for (const { server } of bound) void close(server)
    },
    async closed(graceMs, after) {
      const cut = after(graceMs, () => {
        for (const { server } of bound) server.closeAllConnections()
      })
      await Promise.all(bound.map(({ server }) => close(server)))
      cut.cancel()
    },
  }
}
