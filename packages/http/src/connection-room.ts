// How many connections a plane has: when there are too many, the most silent one gives way to a new one.
import type { Clock, EventHook } from '@local-kafka-service/agent'
import { httpLimits } from './limits.ts'

/** What is needed of a socket. */
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
  /** Requests that are not answered yet. */
  open: number
  /** Whether a request has come at all. */
  spoke: boolean
  sinceMs: number
}

const surplus = new WeakSet<object>()

/** Whether a connection is one too many: on it only operations are answered. */
export function isSurplus(socket: object): boolean {
  return surplus.has(socket)
}

export class ConnectionRoom {
  readonly #parts: RoomParts
  /** The eldest first. */
  readonly #occupants = new Map<RoomSocket, Occupant>()

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#occupants.size
  }

  opened(socket: RoomSocket): void {
    if (this.#occupants.size >= httpLimits.connections && !this.#makeRoom()) {
      if (this.#occupants.size >= httpLimits.connections + httpLimits.surplusConnections) return void socket.destroy()
      surplus.add(socket)
    }
    this.#occupants.set(socket, { open: 0, spoke: false, sinceMs: this.#parts.clock.monotonic() })
    socket.on('close', () => this.#occupants.delete(socket))
  }

  /** A request has come; it is at work until `response` closes. */
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

  /** First the kept-alive connection that has been idle for the longest time, then the eldest that has never sent a request. */
  #makeRoom(): boolean {
    let silent: RoomSocket | undefined
    let idlest: { readonly socket: RoomSocket; readonly sinceMs: number } | undefined
    for (const [socket, { open, spoke, sinceMs }] of this.#occupants) {
      if (open > 0) continue
      if (!spoke) silent ??= socket
      else if (idlest === undefined || sinceMs < idlest.sinceMs) idlest = { socket, sinceMs }
    }
    const chosen = idlest?.socket ?? silent
    if (chosen === undefined) return false
    this.#occupants.delete(chosen)
    const why = idlest === undefined ? 'it had never sent a request' : 'it had been idle for the longest time'
    this.#parts.emit({
      kind: 'gave way',
      connectionId: undefined,
      address: chosen.remoteAddress ?? 'a client that is gone',
      held: 'connection',
      message: `${why}, and a new HTTP connection needed one of the ${httpLimits.connections} places`,
    })
    chosen.destroy()
    return true
  }
}
