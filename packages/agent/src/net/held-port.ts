// A port that is open before the agent has started: early clients wait instead of being rejected, and are served as soon as the agent listens.
import { fixedLimits } from '../limits.ts'
import type { EarlyRejected, ListenAddress, Network, NetworkEvents, Socket, SocketEvents } from './network.ts'

export interface HeldPort {
  /** The actual addresses, with the port that was chosen for 0. */
  readonly addresses: readonly ListenAddress[]
  /** The first `listen` takes over the port and all waiting clients, with the addresses that were held. Later calls go to the underlying network. */
  readonly network: Network
  /** Closes the port and disconnects waiting clients, unless an agent has taken it over. */
  close(): Promise<void>
}

interface WaitingClient {
  readonly socket: Socket
  readonly early: Uint8Array[]
  events: SocketEvents | undefined
}

/**
 * Opens the port. Called before anything else is read or written, so that a start which fails on a busy port has changed nothing. In particular it has
 * not registered under the name of an agent that is still running.
 */
export async function holdPort(network: Network, addresses: readonly ListenAddress[]): Promise<HeldPort> {
  const waiting = new Set<WaitingClient>()
  let rejected: EarlyRejected | undefined
  const reject = ({ remote: { host: address } }: Socket): void => {
    rejected = { count: (rejected?.count ?? 0) + 1, address, limit: fixedLimits.connections }
  }
  let serve: NetworkEvents | undefined
  const listener = await network.listen(addresses, {
    onConnection: (socket) => (serve === undefined ? hold(socket, waiting, reject) : serve.onConnection(socket)),
    // Before the agent has started there is no one to report to; the client tries again.
    onAcceptError: (error) => serve?.onAcceptError(error),
  })
  return {
    addresses: listener.addresses,
    network: {
      listen(asked, events) {
        if (serve !== undefined) return network.listen(asked, events)
        serve = events
        for (const one of waiting) handOver(one, events)
        waiting.clear()
        if (rejected !== undefined) events.onEarlyRejected?.(rejected)
        return Promise.resolve(listener)
      },
      connect: (to, on, signal) => network.connect(to, on, signal),
    },
    async close() {
      if (serve !== undefined) return
      for (const { socket } of waiting) socket.destroy()
      await listener.close()
    },
  }
}

function hold(socket: Socket, waiting: Set<WaitingClient>, reject: (socket: Socket) => void): SocketEvents {
  const one: WaitingClient = { socket, early: [], events: undefined }
  // The socket is not read while its client waits, so that it takes no memory.
  if (waiting.size < fixedLimits.connections) {
    waiting.add(one)
    socket.pause()
  } else {
    reject(socket)
    socket.destroy()
  }
  return {
    data(chunk) {
      if (one.events === undefined) one.early.push(Uint8Array.from(chunk))
      else one.events.data(chunk)
    },
    drained: () => one.events?.drained(),
    closed(error) {
      waiting.delete(one)
      one.events?.closed(error)
    },
  }
}

function handOver(one: WaitingClient, { onConnection }: NetworkEvents): void {
  const events = onConnection(one.socket)
  one.events = events
  // `resume` comes first, because the receiver of the bytes may pause the socket again.
  one.socket.resume()
  for (const chunk of one.early.splice(0)) events.data(chunk)
}
