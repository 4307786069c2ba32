// Implements the network over TCP.
import net, { createServer, isIPv4, type Server, type Socket as TcpSocket } from 'node:net'
import { fixedLimits } from '../limits.ts'
import { isError } from '../native-error.ts'
import type { ListenAddress, Listener, Network, NetworkEvents, Socket, SocketEvents } from './network.ts'
import { readInto } from './socket-reads.ts'

export const tcpNetwork: Network = {
  listen: (addresses, events) => listen(addresses, events, holds),
  connect: (to, events, signal) => connect(to, events, { signal, hold: holds }),
}

/** Like `tcpNetwork`, but neither its ports nor its connections keep the process alive. */
export const unheldTcpNetwork: Network = {
  listen: (addresses, events) => listen(addresses, events, letsGo),
  connect: (to, events, signal) => connect(to, events, { signal, hold: letsGo }),
}

/** Decides for each server and each socket whether the process waits for it. */
type Hold = (handle: Server | TcpSocket) => void
const holds: Hold = () => {}
const letsGo: Hold = (handle) => void handle.unref()

// Saved when the module loads, so that a test with a fake later does not stop a server in the same process. Real sockets have the turns of the real event loop.
// oxlint-disable-next-line eslint/no-restricted-properties
const { queueMicrotask, setImmediate } = globalThis

/** Another process may take the port between the first address and the last; this is the number of attempts with a new port. */
const portTries = 20

async function listen(addresses: readonly ListenAddress[], events: NetworkEvents, hold: Hold): Promise<Listener> {
  const wanted = addresses.flatMap(({ host, port }) =>
    host === 'localhost'
      ? [
          { host: '127.0.0.1', port },
          { host: '::1', port },
        ]
      : [{ host, port }],
  )
  for (let tries = 1; ; tries += 1) {
    const opened = await openAll(wanted, events, hold)
    if (opened.kind === 'open') return listener(opened.servers)
    for (const server of opened.servers) server.close()
    const another = wanted.every(({ port }) => port === 0) && isTaken(opened.error) && tries < portTries
    if (!another) throw opened.error
  }
}

type Opened =
  | { readonly kind: 'open'; readonly servers: readonly Server[] }
  | { readonly kind: 'failed'; readonly servers: readonly Server[]; readonly error: Error }

async function openAll(wanted: readonly ListenAddress[], events: NetworkEvents, hold: Hold): Promise<Opened> {
  const servers: Server[] = []
  let anyPort = 0
  let missing: Error | undefined
  for (const { host, port } of wanted) {
    try {
      const sharesWithIpv4 = host === '::' && wanted.some((other) => other.host === '0.0.0.0')
      const server = await open({ host, port: port === 0 ? anyPort : port, ipv6Only: sharesWithIpv4 }, events, hold)
      servers.push(server)
      if (port === 0) anyPort = addressOf(server).port
    } catch (error) {
      if (!isError(error)) throw error
      if (!lacksFamily(error, host)) return { kind: 'failed', servers, error }
      missing = error
    }
  }
  if (servers.length === 0) return { kind: 'failed', servers, error: missing ?? new Error('no address to listen on') }
  return { kind: 'open', servers }
}

function open(
  at: { readonly host: string; readonly port: number; readonly ipv6Only: boolean },
  { onConnection, onAcceptError }: NetworkEvents,
  hold: Hold,
): Promise<Server> {
  const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) => accept(socket, onConnection, hold))
  hold(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.removeListener('error', reject)
      // Accepting a connection may fail for a moment (no memory, no file descriptors left). The listening socket stays open.
      server.on('error', onAcceptError)
      resolve(server)
    })
    // Node would look up the host and compile a regular expression for the result, which takes 5 ms of a start. A bound socket needs neither (Node 26.4).
    if (isIPv4(at.host) && 'BoundSocket' in net) server.listen(new net.BoundSocket({ host: at.host, port: at.port }))
    else server.listen(at)
  })
}

function listener(servers: readonly Server[]): Listener {
  return {
    addresses: servers.map(addressOf),
    /** The ports are free at once. Accepted sockets stay open; the callback of Node's `close` would wait for them. */
    async close() {
      for (const server of servers) server.close()
    },
  }
}

function accept(accepted: TcpSocket, onConnection: (socket: Socket) => SocketEvents, hold: Hold): void {
  const tcp = readInto(accepted, (chunk) => events.data(chunk))
  hold(tcp)
  const socket = new ConnectedSocket(tcp, () => events.drained())
  const events = onConnection(socket)
  let failure: Error | undefined
  tcp.on('error', (error) => {
    failure = error
  })
  tcp.on('close', () => (failure === undefined ? events.closed() : events.closed(failure)))
  if (!socket.isPaused) tcp.resume()
}

function connect(
  { host, port }: ListenAddress,
  events: SocketEvents,
  { signal, hold }: { readonly signal: AbortSignal; readonly hold: Hold },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const tcp = net.connect({ host, port, noDelay: true, keepAlive: true, signal })
    hold(tcp)
    let failure: Error | undefined
    let connected = false
    tcp.on('error', (error) => {
      failure = error
    })
    tcp.on('close', () => {
      if (!connected) reject(failure ?? new Error('the connection was closed'))
      else if (failure === undefined) events.closed()
      else events.closed(failure)
    })
    tcp.on('data', (chunk: Buffer) => events.data(chunk))
    tcp.on('connect', () => {
      connected = true
      resolve(new ConnectedSocket(tcp, () => events.drained()))
    })
  })
}

/**
 * Passes written bytes to the operating system in bounded parts. Node reports only complete writes, so with one write of 50 MB a slow reader would look
 * like one that reads nothing.
 */
class ConnectedSocket implements Socket {
  readonly remote: ListenAddress
  readonly local: ListenAddress
  readonly #tcp: TcpSocket
  readonly #onDrained: () => void
  /** Chunks that are not yet passed to `#tcp`; the first one starts at `#firstFrom`. */
  readonly #queued: Uint8Array[] = []
  #firstFrom = 0
  #queuedBytes = 0
  /** What `#tcp` has got since other connections had a turn. */
  #inTurnBytes = 0
  #awaitsTurn = false
  #corked = false
  #paused = false
  #ending = false
  /** Something was written since `onDrained` was called. */
  #owesDrained = false

  constructor(tcp: TcpSocket, onDrained: () => void) {
    this.#tcp = tcp
    this.#onDrained = onDrained
    this.remote = { host: plain(tcp.remoteAddress), port: tcp.remotePort ?? 0 }
    this.local = { host: plain(tcp.localAddress), port: tcp.localPort ?? 0 }
  }

  get pendingBytes(): number {
    return this.#tcp.writableLength + this.#queuedBytes
  }

  /** Sends at the end of the current microtasks, so that the answers of one flush leave in one system call. */
  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#tcp.writable) return false
    if (!this.#corked) {
      this.#corked = true
      this.#tcp.cork()
      queueMicrotask(() => {
        this.#corked = false
        this.#tcp.uncork()
      })
    }
    for (const chunk of chunks) {
      if (chunk.length === 0) continue
      this.#queued.push(chunk)
      this.#queuedBytes += chunk.length
    }
    this.#handOver()
    this.#owesDrained = this.pendingBytes > 0
    return !this.#owesDrained
  }

  /** The events are not there yet while the connection is being accepted, so the socket is read only after that. */
  get isPaused(): boolean {
    return this.#paused
  }

  pause(): void {
    this.#paused = true
    this.#tcp.pause()
  }

  resume(): void {
    this.#paused = false
    this.#tcp.resume()
  }

  end(): void {
    this.#ending = true
    if (this.#queuedBytes === 0) this.#tcp.end()
  }

  destroy(): void {
    this.#tcp.destroy()
  }

  /** Corked, because Node would pass each chunk to the system in a call of its own. */
  #handOver(): void {
    if (this.#queuedBytes === 0 || this.#awaitsTurn) return
    this.#tcp.cork()
    let consumed = 0
    for (let left = fixedLimits.socketWriteBytes - this.#tcp.writableLength; left > 0; ) {
      const chunk = this.#queued[consumed]
      if (chunk === undefined) break
      const part = this.#firstFrom === 0 && chunk.length <= left ? chunk : chunk.subarray(this.#firstFrom, this.#firstFrom + left)
      left -= part.length
      this.#queuedBytes -= part.length
      this.#inTurnBytes += part.length
      this.#firstFrom += part.length
      if (this.#firstFrom === chunk.length) {
        consumed += 1
        this.#firstFrom = 0
      }
      // Node emits no `drain` for bytes that the system takes at once, but it always calls this callback.
      this.#tcp.write(part, this.#onWritten)
    }
    if (consumed > 0) this.#queued.splice(0, consumed)
    this.#tcp.uncork()
  }

  readonly #nextTurn = (): void => {
    this.#inTurnBytes = 0
    this.#awaitsTurn = false
    if (this.#tcp.writable) this.#handOver()
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (isError(error) || this.#tcp.writableLength > 0) return
    // A fast reader would otherwise get a whole answer of 50 MB at once, while all others wait.
    if (this.#queuedBytes > 0 && this.#inTurnBytes >= fixedLimits.socketBytesPerTurn) {
      if (!this.#awaitsTurn) setImmediate(this.#nextTurn)
      this.#awaitsTurn = true
      return
    }
    this.#handOver()
    if (this.pendingBytes > 0) return
    if (this.#ending) this.#tcp.end()
    if (!this.#owesDrained) return
    this.#owesDrained = false
    this.#onDrained()
  }
}

/** Turns the address of an IPv4 client of a dual-stack socket into a plain IPv4 address. */
function plain(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

function addressOf(server: Server): ListenAddress {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server listens on a host and a port')
  return { host: address.address, port: address.port }
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isTaken(error: Error): boolean {
  return codeOf(error) === 'EADDRINUSE'
}

function lacksFamily(error: Error, host: string): boolean {
  const code = codeOf(error)
  return code === 'EAFNOSUPPORT' || (code === 'EADDRNOTAVAIL' && (host === '::1' || host === '::'))
}
