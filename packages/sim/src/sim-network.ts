// The network of a world: byte streams between clients and lives of agents, each in order, delayed, split into pieces, and sometimes cut.

import {
  type ListenAddress,
  type Listener,
  type Network,
  releasedByte,
  type Socket,
  type SocketEvents,
} from '@local-kafka-service/agent/simulation'
import type { Chance, Range } from './chance.ts'
import type { Life } from './life.ts'
import type { VirtualTime } from './sim-clock.ts'

export interface NetworkFaults {
  /** One way. */
  readonly latencyMs: Range
  /** The probability that a written chunk arrives in two pieces, the second later. */
  readonly split: number
  /** The probability that the connection is lost after a chunk, with everything that is on its way. */
  readonly cut: number
}

/** The client's end. */
export interface Wire {
  readonly local: ListenAddress
  send(bytes: Uint8Array): void
  close(): void
}

export interface WireEvents {
  data(chunk: Uint8Array): void
  /** Called exactly once; no other call follows. */
  closed(): void
}

interface SimListener {
  readonly life: Life
  readonly onConnection: (socket: Socket) => SocketEvents
  accepting: boolean
}

export class SimNetwork {
  faults: NetworkFaults
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #listening = new Map<string, SimListener>()
  readonly #links = new Set<Link>()
  /** The connections that lives have opened. */
  readonly #outgoing = new Map<Wire, Life>()
  #ports = 40_000

  constructor(time: VirtualTime, chance: Chance, faults: NetworkFaults) {
    this.#time = time
    this.#chance = chance
    this.faults = faults
  }

  /** The network as one life sees it. A newer life takes over an address from an older one, like a machine that takes over a name; connections stay where they are. */
  of(life: Life): Network {
    return {
      listen: async (addresses, { onConnection }): Promise<Listener> => {
        const listening: SimListener = { life, onConnection, accepting: true }
        const bound = addresses.map(({ host, port }) => ({ host, port: port === 0 ? 9092 : port }))
        for (const address of bound) this.#listening.set(keyOf(address), listening)
        return {
          addresses: bound,
          close: async () => {
            listening.accepting = false
          },
        }
      },
      connect: (to, events, signal) => this.#connectLife(life, { to, events, signal }),
    }
  }

  /** A connection between two lives. A dead life hears nothing, and its connections are cut. */
  async #connectLife(
    life: Life,
    { to, events, signal }: { readonly to: ListenAddress; readonly events: SocketEvents; readonly signal: AbortSignal },
  ): Promise<Socket> {
    const wire = await this.connect(life.name, to, {
      data: (chunk) =>
        life.deliver(() => {
          const read = Uint8Array.from(chunk)
          events.data(read)
          read.fill(releasedByte)
        }),
      closed: () => life.deliver(() => events.closed()),
    })
    if (signal.aborted || life.state === 'dead') {
      wire.close()
      throw new Error('the attempt was given up')
    }
    this.#outgoing.set(wire, life)
    const close = (): void => {
      this.#outgoing.delete(wire)
      wire.close()
      this.#time.after(0, () => life.deliver(() => events.closed()))
    }
    return {
      remote: to,
      local: wire.local,
      pendingBytes: 0,
      write(chunks) {
        wire.send(Buffer.concat(chunks))
        return true
      },
      pause: () => {},
      resume: () => {},
      end: close,
      destroy: close,
    }
  }

  /** Rejects if no life listens on the address. */
  async connect(from: string, to: ListenAddress, events: WireEvents): Promise<Wire> {
    await this.#time.sleep(this.#chance.between(this.faults.latencyMs) * 2)
    const listening = this.#listening.get(keyOf(to))
    if (listening === undefined || !listening.accepting || listening.life.state === 'dead')
      throw new Error(`connection refused by ${keyOf(to)}`)
    const local: ListenAddress = { host: from, port: (this.#ports += 1) }
    const link = new Link({
      time: this.#time,
      chance: this.#chance,
      faults: () => this.faults,
      life: listening.life,
      client: events,
      local,
      remote: to,
      over: () => void this.#links.delete(link),
    })
    this.#links.add(link)
    // The kernel accepts connections for a frozen life: the connection is open, but unread.
    listening.life.deliver(() => link.accepted(listening.onConnection(link.socket)))
    return link.wire
  }

  /** The machine of a life is gone: its connections end, but bytes that it had written may still arrive. */
  dropLife(life: Life): void {
    for (const link of this.#links) if (link.life === life) link.cut()
    for (const [wire, opener] of this.#outgoing) {
      if (opener !== life) continue
      this.#outgoing.delete(wire)
      wire.close()
    }
  }
}

interface LinkParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly faults: () => NetworkFaults
  readonly life: Life
  readonly client: WireEvents
  readonly local: ListenAddress
  readonly remote: ListenAddress
  readonly over: () => void
}

interface PendingWrite {
  chunks: readonly Uint8Array[]
}

/** One connection. Each direction keeps its order: bytes arrive in the order in which they were sent. */
class Link {
  readonly socket: Socket
  readonly wire: Wire
  readonly life: Life
  readonly #parts: LinkParts
  #server: SocketEvents | undefined
  readonly #early: ((server: SocketEvents) => void)[] = []
  #toServerMs = 0
  #toClientMs = 0
  #pendingBytes = 0
  readonly #pendingWrites = new Set<PendingWrite>()
  #paused = false
  readonly #unread: Uint8Array[] = []
  #lost = false
  #serverClosed = false
  #clientClosed = false

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.life = parts.life
    const pendingBytes = (): number => this.#pendingBytes
    this.socket = {
      remote: parts.local,
      local: parts.remote,
      get pendingBytes() {
        return pendingBytes()
      },
      write: (chunks) => this.#fromServer(chunks),
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
        for (const chunk of this.#unread.splice(0)) this.#give(chunk)
      },
      end: () => this.#endByServer(),
      destroy: () => this.#endByServer(),
    }
    this.wire = {
      local: parts.local,
      send: (bytes) => this.#fromClient(bytes),
      close: () => this.#endByClient(),
    }
  }

  accepted(server: SocketEvents): void {
    this.#server = server
    for (const event of this.#early.splice(0)) event(server)
  }

  /** Both ends lose the connection. By chance, each direction also loses the bytes on their way. */
  cut(): void {
    if (this.#lost) return
    this.#lost = true
    const { time, chance, faults } = this.#parts
    time.after(chance.between(faults().latencyMs), () => this.#closeClient())
    time.after(chance.between(faults().latencyMs), () => this.#closeServer(new Error('connection reset')))
  }

  #fromClient(bytes: Uint8Array): void {
    if (this.#clientClosed || this.#lost) return
    for (const { start, end } of this.#pieces(bytes.length)) {
      const piece = bytes.subarray(start, end)
      this.#toServerMs = this.#arrival(this.#toServerMs)
      this.#parts.time.after(this.#toServerMs - this.#parts.time.nowMs, () => {
        if (!this.#lost || this.#parts.chance.happens(0.5)) this.#give(piece)
        else this.#closeServer(new Error('connection reset'))
      })
    }
    this.#mayCut()
  }

  /** The system takes the bytes late: until `drained` or `closed` they belong to it, so it reads them only when they arrive at the client. */
  #fromServer(chunks: readonly Uint8Array[]): boolean {
    const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    if (sizeBytes === 0 || this.#serverClosed || this.#lost || this.life.state === 'dead') return true
    const write: PendingWrite = { chunks }
    this.#pendingWrites.add(write)
    for (const { start, end } of this.#pieces(sizeBytes)) {
      this.#pendingBytes += end - start
      this.#toClientMs = this.#arrival(this.#toClientMs)
      this.#parts.time.after(this.#toClientMs - this.#parts.time.nowMs, () => {
        this.#pendingBytes -= end - start
        if (end === sizeBytes) this.#pendingWrites.delete(write)
        if (this.#clientClosed) return
        if (this.#lost && this.#parts.chance.happens(0.5)) this.#closeClient()
        else this.#parts.client.data(Buffer.concat(write.chunks).subarray(start, end))
        if (this.#pendingBytes === 0) this.#toServer((server) => server.drained())
      })
    }
    this.#mayCut()
    return false
  }

  #give(chunk: Uint8Array): void {
    this.#toServer((server) => {
      if (this.#serverClosed) return
      if (this.#paused) this.#unread.push(chunk)
      else {
        // Like a real network, which reads the next bytes into the same memory.
        const read = Uint8Array.from(chunk)
        server.data(read)
        read.fill(releasedByte)
      }
    })
  }

  #toServer(event: (server: SocketEvents) => void): void {
    this.life.deliver(() => {
      if (this.#server === undefined) this.#early.push(event)
      else event(this.#server)
    })
  }

  #endByServer(): void {
    if (this.#serverClosed) return
    this.#serverClosed = true
    const { time } = this.#parts
    this.#toClientMs = this.#arrival(this.#toClientMs)
    time.after(this.#toClientMs - time.nowMs, () => this.#closeClient())
    // Like a socket's own event, it comes in a later turn.
    time.after(0, () => this.#toServer((server) => this.#tellClosed(server)))
    this.#parts.over()
  }

  /** From then on the server may use the memory of what it has written again: what is still on its way is a copy of the system's. */
  #tellClosed(server: SocketEvents, error?: Error): void {
    for (const write of this.#pendingWrites) write.chunks = [Buffer.concat(write.chunks)]
    server.closed(error)
  }

  #endByClient(): void {
    if (this.#clientClosed) return
    this.#clientClosed = true
    const { time } = this.#parts
    this.#toServerMs = this.#arrival(this.#toServerMs)
    time.after(this.#toServerMs - time.nowMs, () => this.#closeServer())
  }

  #closeServer(error?: Error): void {
    this.#toServer((server) => {
      if (this.#serverClosed) return
      this.#serverClosed = true
      this.#parts.over()
      this.#tellClosed(server, error)
    })
  }

  #closeClient(): void {
    if (this.#clientClosed) return
    this.#clientClosed = true
    this.#parts.client.closed()
  }

  #arrival(afterMs: number): number {
    const { time, chance, faults } = this.#parts
    return Math.max(afterMs, time.nowMs + chance.between(faults().latencyMs))
  }

  #pieces(sizeBytes: number): readonly { readonly start: number; readonly end: number }[] {
    const { chance, faults } = this.#parts
    if (sizeBytes < 2 || !chance.happens(faults().split)) return [{ start: 0, end: sizeBytes }]
    const at = chance.whole([1, sizeBytes - 1])
    return [
      { start: 0, end: at },
      { start: at, end: sizeBytes },
    ]
  }

  #mayCut(): void {
    const { chance, faults } = this.#parts
    if (chance.happens(faults().cut)) this.cut()
  }
}

function keyOf({ host, port }: ListenAddress): string {
  return `${host}:${port}`
}
