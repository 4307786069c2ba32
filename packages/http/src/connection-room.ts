// The limits on the connections of a plane, in total and per address: when there are too many, an idle or silent one gives way to a new one.
import type { Clock, EventHook } from '@local-kafka-service/agent'
import { httpLimits } from './limits.ts'

/** The part of a socket that is used here. */
export interface RoomSocket {
  readonly remoteAddress?: string | undefined
  destroy(): unknown
  on(event: 'close', closed: () => void): unknown
}

export interface RoomParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly emit: EventHook
  /** The present max.connections.per.ip: further connections from an address are closed. */
  readonly maxPerAddress: () => number
}

interface Occupant {
  /** The number of requests without an answer yet. */
  open: number
  /** Whether the connection has ever sent a request. */
  spoke: boolean
  sinceMs: number
  readonly address: string
}

const surplus = new WeakSet<object>()

/** Whether a connection is beyond the limit: only operations are answered on it. */
export function isSurplus(socket: object): boolean {
  return surplus.has(socket)
}

export class ConnectionRoom {
  readonly #parts: RoomParts
  /** The oldest first. */
  readonly #occupants = new Map<RoomSocket, Occupant>()
  readonly #perAddress = new Map<string, number>()

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#occupants.size
  }

  opened(socket: RoomSocket): void {
    const address = addressOf(socket)
    const { maxPerAddress, emit } = this.#parts
    const limit = maxPerAddress()
    if ((this.#perAddress.get(address) ?? 0) >= limit) {
      emit({ kind: 'connection rejected', address, setting: 'max.connections.per.ip', limit })
      socket.destroy()
      return
    }
    if (this.#occupants.size >= httpLimits.connections && !this.#makeRoom()) {
      if (this.#occupants.size >= httpLimits.connections + httpLimits.surplusConnections)
        return this.#close(socket, `it was new, and requests were in progress on all ${httpLimits.connections} HTTP connections`)
      surplus.add(socket)
      emit({ kind: 'connection rejected', address, setting: 'HTTP connections', limit: httpLimits.connections })
    }
    this.#occupants.set(socket, { open: 0, spoke: false, sinceMs: this.#parts.clock.monotonic(), address })
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    socket.on('close', () => this.#left(socket))
  }

  /** The connection is closed because its request did not arrive in time, or is not HTTP. */
  failed(socket: RoomSocket, failure: { readonly kind: 'late' | 'not HTTP'; readonly reason: string }): void {
    const address = addressOf(socket)
    if (failure.kind === 'late') {
      this.#parts.emit({ kind: 'gave way', connectionId: undefined, address, held: 'request', message: failure.reason })
      return
    }
    this.#parts.emit({
      kind: 'protocol error',
      connectionId: undefined,
      client: { id: undefined, software: undefined, address },
      request: undefined,
      message: `its request on an HTTP port is not valid HTTP (${failure.reason})`,
      advice: 'use a URL that begins with http://, and the Kafka port for Kafka clients.',
    })
  }

  /** Idempotent. */
  #left(socket: RoomSocket): void {
    const occupant = this.#occupants.get(socket)
    if (occupant === undefined) return
    this.#occupants.delete(socket)
    const left = (this.#perAddress.get(occupant.address) ?? 0) - 1
    if (left > 0) this.#perAddress.set(occupant.address, left)
    else this.#perAddress.delete(occupant.address)
  }

  /** A request has arrived; it is in progress until `response` closes. */
  requested(socket: RoomSocket, response: { on(event: 'close', closed: () => void): unknown }): void {
    const occupant = this.#occupants.get(socket)
    if (occupant === undefined) return
    occupant.spoke = true
    occupant.open += 1
    response.on('close', () => {
      occupant.open -= 1
      occupant.sinceMs = this.#parts.clock.monotonic()
    })
  }

  /** Closes the connection that has been without a request for the longest time, kept alive or silent from its beginning. */
  #makeRoom(): boolean {
    let chosen: RoomSocket | undefined
    let oldest: Occupant | undefined
    for (const [socket, occupant] of this.#occupants)
      if (occupant.open === 0 && (oldest === undefined || occupant.sinceMs < oldest.sinceMs)) [chosen, oldest] = [socket, occupant]
    if (chosen === undefined || oldest === undefined) return false
    const why = oldest.spoke ? 'it had been idle for the longest time' : 'it had never sent a request'
    this.#left(chosen)
    this.#close(chosen, `${why}, and a new HTTP connection needed one of the ${httpLimits.connections} places`)
    return true
  }

  #close(socket: RoomSocket, message: string): void {
    this.#parts.emit({ kind: 'gave way', connectionId: undefined, address: addressOf(socket), held: 'connection', message })
    socket.destroy()
  }
}

/** A dual-stack socket has the addresses of IPv4 clients in the form of IPv6. */
function addressOf({ remoteAddress }: RoomSocket): string {
  return remoteAddress?.replace(/^::ffff:/, '') ?? 'a client that has disconnected'
}
