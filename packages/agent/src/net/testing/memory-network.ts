// A network inside the process: what one end writes, the other one reads in a later turn.
import type { ListenAddress, Network, NetworkEvents, Socket, SocketEvents } from '../network.ts'

export class MemoryNetwork implements Network {
  readonly #listening = new Map<string, NetworkEvents>()
  #ports = 50_000

  /** True: a connection is lost as soon as something is sent over it. */
  losesRequests = false

  /** True: no connection can be opened. */
  refuses = false

  /** The connections that were opened, by the port that accepted each. */
  readonly opened: number[] = []

  async listen(addresses: readonly ListenAddress[], events: NetworkEvents): ReturnType<Network['listen']> {
    for (const address of addresses) this.#listening.set(keyOf(address), events)
    return {
      addresses,
      close: async () => {
        for (const address of addresses) if (this.#listening.get(keyOf(address)) === events) this.#listening.delete(keyOf(address))
      },
    }
  }

  async connect(to: ListenAddress, events: SocketEvents): Promise<Socket> {
    const accepts = this.#listening.get(keyOf(to))
    if (accepts === undefined || this.refuses) throw new Error(`nothing listens at ${keyOf(to)}`)
    this.opened.push(to.port)
    const from = { host: '127.0.0.1', port: (this.#ports += 1) }
    const near = new MemorySocket(from, to, this)
    const far = new MemorySocket(to, from, this)
    near.connect(far, events)
    far.connect(near, accepts.onConnection(far))
    return near
  }
}

class MemorySocket implements Socket {
  readonly local: ListenAddress
  readonly remote: ListenAddress
  readonly pendingBytes = 0
  readonly #network: Pick<MemoryNetwork, 'losesRequests'>
  #other: MemorySocket | undefined
  #events: SocketEvents | undefined
  #closed = false

  constructor(local: ListenAddress, remote: ListenAddress, network: Pick<MemoryNetwork, 'losesRequests'>) {
    this.local = local
    this.remote = remote
    this.#network = network
  }

  connect(other: MemorySocket, events: SocketEvents): void {
    this.#other = other
    this.#events = events
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#network.losesRequests) {
      this.destroy()
      return true
    }
    const bytes = Buffer.concat(chunks)
    setImmediate(() => this.#other?.receive(bytes))
    return true
  }

  receive(bytes: Uint8Array): void {
    if (!this.#closed) this.#events?.data(bytes)
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.close()
    setImmediate(() => this.#other?.close())
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    setImmediate(() => this.#events?.closed())
  }
}

function keyOf({ host, port }: ListenAddress): string {
  return `${host}:${port}`
}
