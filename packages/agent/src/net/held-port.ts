// A port that is open before the agent is there: who connects early waits, instead of being refused, and is served as soon as the agent listens.
import { limits } from '../limits.ts'
import type { ListenAddress, Network, NetworkEvents, Socket, SocketEvents } from './network.ts'

export interface HeldPort {
  /** Where it really is, with the port that 0 became. */
  readonly addresses: readonly ListenAddress[]
  /** Its first `listen` takes the port over, with everybody who waits; the addresses are those that were held. Later ones are the underlying network's. */
  readonly network: Network
  /** Closes it where nobody has taken it over: who waits is cut off. */
  close(): Promise<void>
}

interface Waiting {
  readonly socket: Socket
  readonly early: Uint8Array[]
  events: SocketEvents | undefined
}

/**
 * Opens the port. Called before anything is read or written elsewhere: a start that must fail on a busy port has done nothing by then, above all it has
 * not registered under a name whose agent is still at work.
 */
export async function holdPort(network: Network, addresses: readonly ListenAddress[]): Promise<HeldPort> {
  const waiting = new Set<Waiting>()
  let serve: NetworkEvents | undefined
  const listener = await network.listen(addresses, {
    onConnection: (socket) => (serve === undefined ? hold(socket, waiting) : serve.onConnection(socket)),
    // Before the agent is there nobody asks who did not get in: a client tries again.
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
        return Promise.resolve(listener)
      },
    },
    async close() {
      if (serve !== undefined) return
      for (const { socket } of waiting) socket.destroy()
      await listener.close()
    },
  }
}

function hold(socket: Socket, waiting: Set<Waiting>): SocketEvents {
  const one: Waiting = { socket, early: [], events: undefined }
  // Nothing is read meanwhile, so that whoever waits takes no memory of ours.
  if (waiting.size < limits.connections) {
    waiting.add(one)
    socket.pause()
  } else socket.destroy()
  return {
    data(chunk) {
      if (one.events === undefined) one.early.push(chunk)
      else one.events.data(chunk)
    },
    drained: () => one.events?.drained(),
    closed(error) {
      waiting.delete(one)
      one.events?.closed(error)
    },
  }
}

function handOver(one: Waiting, { onConnection }: NetworkEvents): void {
  const events = onConnection(one.socket)
  one.events = events
  // First, for whoever is given the bytes may pause the socket again.
  one.socket.resume()
  for (const chunk of one.early.splice(0)) events.data(chunk)
}
