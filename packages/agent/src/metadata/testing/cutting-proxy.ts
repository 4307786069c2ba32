// A TCP proxy in front of PostgreSQL with faults: at a COMMIT it cuts the connection or loses the answer, and it changes the first message of transactions.
import { connect, createServer, type Socket } from 'node:net'

/** COMMIT as a simple query of its own, and as the tag of its answer. READ COMMITTED matches neither. */
const commit = 'COMMIT\0'

export interface CuttingProxy {
  readonly url: string
  /** The fault at the next COMMIT. `silent`: the answer is lost, and the connection stays open. */
  cut: 'never' | 'before COMMIT' | 'after COMMIT' | 'silent'
  /** The fault in the first message of every transaction: BEGIN is rejected, or its time-outs are dropped. */
  first: 'as sent' | 'BEGIN is rejected' | 'no time-outs'
  stop(): Promise<void>
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    let answerLost = false
    let silent = false
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
        silent = proxy.cut === 'silent'
        answerLost = true
        proxy.cut = 'never'
      }
      if (!upstream.destroyed) upstream.write(altered(bytes, proxy.first))
    })
    upstream.on('data', (bytes: Buffer) => {
      if (!answerLost) client.write(bytes)
      else if (bytes.includes(commit) && !silent) end()
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
    first: 'as sent',
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** Of the same length, because messages begin with their length. */
function altered(bytes: Buffer, first: CuttingProxy['first']): Buffer {
  const text = bytes.toString('latin1')
  if (first === 'as sent' || !text.includes('BEGIN ISOLATION')) return bytes
  const other =
    first === 'BEGIN is rejected'
      ? text.replace('BEGIN ISOLATION', 'BEGIX ISOLATION')
      : text.replace(/timeout = \d+/g, (setting) => setting.replace(/\d/g, '0'))
  return Buffer.from(other, 'latin1')
}
