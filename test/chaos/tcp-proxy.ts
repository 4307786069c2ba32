// A TCP proxy in front of a port or a socket in the file system, which can delay, hold or cut what passes.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface TcpProxy extends AsyncDisposable {
  /** 0: it listens on a socket in the file system. */
  readonly port: number
  /** Bytes of both directions wait so long, in order. */
  delay(ms: number): void
  /** From now on no byte passes, and no connection ends, until `resume`. */
  hold(): void
  resume(): void
  /** Ends all connections, in the middle of what they carry. */
  cut(): void
}

export interface ProxyEnds {
  readonly target: ProxyEnd
  /** With port 0, a free one. */
  readonly listen: ProxyEnd
}

/** `path`: a socket in the file system. */
export type ProxyEnd = { readonly host: string; readonly port: number } | { readonly path: string }

export async function startTcpProxy({ target: to, listen }: ProxyEnds): Promise<TcpProxy> {
  let delayMs = 0
  let held: PromiseWithResolvers<void> | undefined
  const sockets = new Set<Socket>()

  async function relay(from: Socket, to: Socket): Promise<void> {
    // An end that arrives while bytes are held must wait for them, too: both are read by this one loop.
    for await (const bytes of from) {
      await held?.promise
      if (delayMs > 0) await delay(delayMs)
      await held?.promise
      if (!to.write(bytes as Buffer)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
    to.end()
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ ...to, allowHalfOpen: true })
    const pair = [client, target]
    const end = (): void => {
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.once('close', () => {
        sockets.delete(socket)
        end()
      })
      // A connection that breaks ends its pair: that is what it would do without a proxy.
      socket.on('error', end)
    }
    relay(client, target).catch(end)
    relay(target, client).catch(end)
  })
  server.listen(listen)
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const resume = (): void => {
    delayMs = 0
    held?.resolve()
    held = undefined
  }
  return {
    port: 'path' in listen ? 0 : (server.address() as AddressInfo).port,
    delay(ms) {
      delayMs = ms
    },
    hold() {
      held ??= Promise.withResolvers()
    },
    resume,
    cut,
    async [Symbol.asyncDispose]() {
      resume()
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
