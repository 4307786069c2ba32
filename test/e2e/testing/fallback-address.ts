// An address that other servers answer while its own does not: a TCP proxy with backup servers.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

export interface FallbackAddress extends AsyncDisposable {
  readonly port: number
  /** The ports that it connects to: the first that accepts a connection gets it. */
  leadTo(ports: readonly number[]): void
}

export async function startFallbackAddress(): Promise<FallbackAddress> {
  let targets: readonly number[] = []
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    client.on('error', () => client.destroy())
    void relay(client, targets)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (ports) => void (targets = ports),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function relay(client: Socket, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const target = connect({ port, host: '127.0.0.1' })
    try {
      await once(target, 'connect')
    } catch {
      // It does not listen: the next one may.
      continue
    }
    // The end of either side, for whatever reason, is the end of the other.
    pipeline(client, target, () => target.destroy())
    pipeline(target, client, () => client.destroy())
    return
  }
  client.destroy()
}
