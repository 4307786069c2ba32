// The port of the network: sockets that carry bytes, accepted and opened ones. The product uses TCP, the simulator pipes.

export interface Network {
  /** Listens on each address. Rejects when an address is taken (`code: 'EADDRINUSE'`) or is not an address of this machine. */
  listen(addresses: readonly ListenAddress[], events: NetworkEvents): Promise<Listener>
  /** Connects to another agent. Rejects when it cannot. When the signal aborts, the attempt or the connection ends at once. */
  connect(to: ListenAddress, events: SocketEvents, signal: AbortSignal): Promise<Socket>
}

export interface NetworkEvents {
  /** Called for each accepted socket. */
  readonly onConnection: (socket: Socket) => SocketEvents
  /** A connection could not be accepted (no memory, no file descriptors left). The server still listens. */
  readonly onAcceptError: (error: Error) => void
  /** Clients were closed before the agent listened, because `limit` others waited already. The address is that of the last one. Called at most once. */
  readonly onEarlyRejected?: (rejected: EarlyRejected) => void
}

export interface EarlyRejected {
  readonly count: number
  readonly address: string
  readonly limit: number
}

export interface ListenAddress {
  /** A host name or an IP address: `127.0.0.1`, `::1`, `0.0.0.0`. */
  readonly host: string
  /** 0 stands for any free port; several addresses get the same one. */
  readonly port: number
}

export interface Listener {
  /** The actual addresses, in the order of the request; address families that the machine lacks are left out. */
  readonly addresses: readonly ListenAddress[]
  /** Accepts no more connections. Accepted sockets stay open. */
  close(): Promise<void>
}

/** One connection. Its events are calls on the object that `onConnection` returned, or that `connect` got. */
export interface Socket {
  readonly remote: ListenAddress
  readonly local: ListenAddress
  /** Sends the chunks in gathered writes. Returns false unless the operating system has all bytes already: `drained` follows. Until then the chunks must not change. */
  write(chunks: readonly Uint8Array[]): boolean
  /** The bytes accepted by `write` that the operating system does not have yet. */
  readonly pendingBytes: number
  /** Stops `data` until `resume`; bytes that were already read may still arrive. */
  pause(): void
  resume(): void
  /** Sends all pending bytes, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

export interface SocketEvents {
  /** The chunk is valid during the call only: the network reads the next bytes into the same memory. */
  data(chunk: Uint8Array): void
  /** The operating system has all written bytes. */
  drained(): void
  /** Called exactly once, as the last event. */
  closed(error?: Error): void
}
