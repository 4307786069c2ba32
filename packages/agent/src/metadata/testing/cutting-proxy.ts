// A TCP proxy in front of PostgreSQL that cuts a connection at its COMMIT: before the server receives it, or after the server has answered.
import { connect, createServer, type Socket } from 'node:net'

/** COMMIT as a simple query of its own, and as the tag of its answer. READ COMMITTED matches neither. */
const commit = 'COMMIT\0'

export interface CuttingProxy {
  readonly url: string
  /** The fault at the next COMMIT. */
  cut: 'never' | 'before COMMIT' | 'after COMMIT'
  stop(): Promise<void>
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    let answerLost = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // Cutting connections is the purpose of this proxy: both ends are closed together.
      socket.on('error', () => end())
      socket.on('close', () => end())
    }
    const end = (): void => {
      client.destroy()
      upstream.destroy()
      sockets.delete(client)
      sockets.delete(upstream)
    }
    client.on('data', (bytes: Buffer) => {
      if (proxy.cut !== 'never' && bytes.includes(commit)) {
        if (proxy.cut === 'before COMMIT') end()
        answerLost = true
        proxy.cut = 'never'
      }
      if (!upstream.destroyed) upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      if (!answerLost) client.write(bytes)
      else if (bytes.includes(commit)) end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  const proxy: CuttingProxy = {
    url: url.href,
    cut: 'never',
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
