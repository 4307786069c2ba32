// Servers of a test's own, on any free port, for addresses at which something else than a Kafka answers.
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

export interface TestListener extends AsyncDisposable {
  readonly address: string
  readonly port: number
}

/** On any free port until its end, with its connections. */
export async function listening(server: Server): Promise<TestListener> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Bytes go both ways until one of them ends. */
export function relay(one: Socket, other: Socket): void {
  for (const socket of [one, other]) socket.on('error', () => {})
  one.pipe(other).pipe(one)
  one.once('close', () => other.destroy())
  other.once('close', () => one.destroy())
}
