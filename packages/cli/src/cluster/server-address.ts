// The address of a server as commands write it: `host:port` or `[address]:port`.

export interface Address {
  readonly host: string
  readonly port: number
}

/** `host:port` or `[address]:port`, validated before. */
export function splitServer(server: string): Address {
  const at = server.lastIndexOf(':')
  return { host: server.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(server.slice(at + 1)) }
}

export function asServer({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
