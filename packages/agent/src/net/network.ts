// The port of the network: listening sockets that carry bytes. TCP in the product, pipes in the simulator.

export interface Network {
  /** Listens on each address. Rejects when an address is taken (`code: 'EADDRINUSE'`) or not ours. */
  listen(addresses: readonly ListenAddress[], events: NetworkEvents): Promise<Listener>
}

export interface NetworkEvents {
  /** Per accepted socket. */
  readonly onConnection: (socket: Socket) => SocketEvents
  /** A client could not be let in (no memory, no file descriptors left). It still listens. */
  readonly onAcceptError: (error: Error) => void
}

export interface ListenAddress {
  /** A host name or an IP address: `127.0.0.1`, `::1`, `0.0.0.0`. */
  readonly host: string
  /** 0 = any free port; with several addresses all get the same one. */
  readonly port: number
}

export interface Listener {
  /** Where it really listens, in the order asked for; an address family that the machine lacks is left out. */
  readonly addresses: readonly ListenAddress[]
  /** Accepts nothing more. Accepted sockets stay. */
  close(): Promise<void>
}

/** One accepted connection. Events come as calls on what `onConnection` returned. */
export interface Socket {
  readonly remote: ListenAddress
  readonly local: ListenAddress
  /** Sends the chunks in one gathered write. False: more than the socket's buffer is pending, wait for `drained`. */
  write(chunks: readonly Uint8Array[]): boolean
  /** Bytes accepted by `write` and not yet given to the system. */
  readonly pendingBytes: number
  /** No `data` until `resume`; at most what the system has already handed over may still come. */
  pause(): void
  resume(): void
  /** Sends what is pending, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

export interface SocketEvents {
  /** The chunk is the callee's own: nobody else will change it. */
  data(chunk: Uint8Array): void
  drained(): void
  /** Exactly once, after which nothing comes. */
  closed(error?: Error): void
}
