// The limit on the connections of a plane: when there are too many, an idle or silent one gives way to a new one.
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
}

interface Occupant {
  /** The number of requests without an answer yet. */
  open: number
  /** Whether the connection has ever sent a request. */
  spoke: boolean
  sinceMs: number
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

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#occupants.size
  }

  opened(socket: RoomSocket): void {
    if (this.#occupants.size >= httpLimits.connections && !this.#makeRoom()) {
      if (this.#occupants.size >= httpLimits.connections + httpLimits.surplusConnections)
        return this.#close(socket, `it was new, and requests were in progress on all ${httpLimits.connections} HTTP connections`)
      surplus.add(socket)
    }
    this.#occupants.set(socket, { open: 0, spoke: false, sinceMs: this.#parts.clock.monotonic() })
    socket.on('close', () => this.#occupants.delete(socket))
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
    this.#occupants.delete(chosen)
    this.#close(chosen, `${why}, and a new HTTP connection needed one of the ${httpLimits.connections} places`)
    return true
  }

  #close(socket: RoomSocket, message: string): void {
    const address = socket.remoteAddress ?? 'a client that has disconnected'
    this.#parts.emit({ kind: 'gave way', connectionId: undefined, address, held: 'connection', message })
    socket.destroy()
  }
}
