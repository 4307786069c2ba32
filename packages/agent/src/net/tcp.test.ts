// Real sockets: reads into one buffer, pauses, half-closed and reset connections, and the fall-back for a Node that hides its handles.
import { once } from 'node:events'
import { connect, createServer, type Socket as TcpSocket } from 'node:net'
import { expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { holdPort } from './held-port.ts'
import type { Listener, Network, Socket, SocketEvents } from './network.ts'
import { readInto } from './socket-reads.ts'
import { tcpNetwork } from './tcp.ts'

const loopback = [{ host: '127.0.0.1', port: 0 }]

/** One accepted connection, as its server sees it. */
interface Accepted {
  readonly socket: Socket
  /** A copy of all bytes so far. */
  readonly bytes: () => Buffer
  /** The memory of each chunk. */
  readonly memory: Set<ArrayBufferLike>
  readonly closed: Promise<Error | undefined>
  readonly arrived: (sizeBytes: number) => Promise<void>
}

function aServer(): { readonly onConnection: (socket: Socket) => SocketEvents; readonly next: () => Promise<Accepted> } {
  const accepted: Accepted[] = []
  let wake: (() => void) | undefined
  return {
    onConnection(socket) {
      const chunks: Buffer[] = []
      const memory = new Set<ArrayBufferLike>()
      const closed = Promise.withResolvers<Error | undefined>()
      let sizeBytes = 0
      let wanted: { readonly sizeBytes: number; readonly resolve: () => void } | undefined
      accepted.push({
        socket,
        bytes: () => Buffer.concat(chunks),
        memory,
        closed: closed.promise,
        arrived: (atLeast) =>
          new Promise((resolve) => {
            wanted = { sizeBytes: atLeast, resolve }
            if (sizeBytes >= atLeast) resolve()
          }),
      })
      wake?.()
      return {
        data(chunk) {
          chunks.push(Buffer.from(chunk))
          memory.add(chunk.buffer)
          sizeBytes += chunk.length
          if (wanted !== undefined && sizeBytes >= wanted.sizeBytes) wanted.resolve()
        },
        drained() {},
        closed: (error) => closed.resolve(error),
      }
    },
    async next() {
      while (accepted.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return must(accepted.shift(), 'an accepted connection')
    },
  }
}

async function listening(network: Network = tcpNetwork) {
  const server = aServer()
  const listener = await network.listen(loopback, { onConnection: server.onConnection, onAcceptError() {} })
  return { server, listener, open: (): TcpSocket => connect(must(listener.addresses[0], 'an address').port, '127.0.0.1') }
}

async function ended(listener: Listener, ...clients: readonly TcpSocket[]): Promise<void> {
  for (const client of clients) client.destroy()
  await listener.close()
}

function patterned(sizeBytes: number, seed: number): Buffer {
  // A prime length, so that no part of a buffer looks like another.
  return Buffer.alloc(
    sizeBytes,
    Uint8Array.from({ length: 9_973 }, (_, index) => (index * 31 + seed * 101 + (index >> 8)) & 0xff),
  )
}

test('all sockets are read into one buffer, and none loses a byte of a large stream', async () => {
  const { server, listener, open } = await listening()
  const [first, second] = [open(), open()]
  const sent = [patterned(3_000_000, 1), patterned(3_000_000, 2)] as const
  first.write(sent[0])
  second.write(sent[1])
  const accepted = [await server.next(), await server.next()]
  await Promise.all(accepted.map(({ arrived }) => arrived(3_000_000)))
  const received = accepted.map(({ bytes }) => bytes())
  for (const one of sent) expect(received.some((other) => other.equals(one))).toBe(true)
  // Holds on every Node that we support: without the handle, each chunk would have memory of its own.
  expect(new Set(accepted.flatMap(({ memory }) => [...memory])).size).toBe(1)
  await ended(listener, first, second)
})

test('a paused socket takes no bytes from its client beyond the buffers of the system, and goes on where it stopped', async () => {
  const { server, listener, open } = await listening()
  const client = open()
  const { socket, bytes, arrived } = await server.next()
  socket.pause()
  const sent = patterned(40_000_000, 3)
  let isSent = false
  client.write(sent, () => (isSent = true))
  // A second connection shows that the event loop reads while the first is paused.
  const other = open()
  const beside = await server.next()
  other.write('x')
  await beside.arrived(1)
  expect([bytes().length <= fixedLimits.socketReadBytes, isSent]).toEqual([true, false])
  socket.resume()
  await arrived(sent.length)
  expect(bytes().equals(sent)).toBe(true)
  await ended(listener, client, other)
})

test('a socket that is paused in the middle of a chunk gets the rest after resume', async () => {
  let paused = 0
  const received: Buffer[] = []
  const done = Promise.withResolvers<void>()
  const listener = await tcpNetwork.listen(loopback, {
    onConnection: (socket) => ({
      data(chunk) {
        received.push(Buffer.from(chunk))
        paused += 1
        socket.pause()
        setImmediate(() => socket.resume())
        if (received.reduce((sum, { length }) => sum + length, 0) === 2_000_000) done.resolve()
      },
      drained() {},
      closed() {},
    }),
    onAcceptError() {},
  })
  const client = connect(must(listener.addresses[0], 'an address').port, '127.0.0.1')
  const sent = patterned(2_000_000, 4)
  client.write(sent)
  await done.promise
  expect(Buffer.concat(received).equals(sent)).toBe(true)
  expect(paused).toBeGreaterThan(1)
  await ended(listener, client)
})

test('a client that ends its side closes the connection, after its last bytes', async () => {
  const { server, listener, open } = await listening()
  const client = open()
  client.end('last words')
  const { bytes, closed } = await server.next()
  expect(await closed).toBeUndefined()
  expect(bytes().toString()).toBe('last words')
  await ended(listener, client)
})

test('a paused socket is closed too, once it is resumed, when its client has ended', async () => {
  const { server, listener, open } = await listening()
  const client = open()
  const { socket, bytes, closed } = await server.next()
  socket.pause()
  client.end('last words')
  await once(client, 'finish')
  socket.resume()
  expect(await closed).toBeUndefined()
  expect(bytes().toString()).toBe('last words')
  await ended(listener, client)
})

test('a reset connection is closed with its error', async () => {
  const { server, listener, open } = await listening()
  const client = open()
  client.write('x')
  const { arrived, closed } = await server.next()
  await arrived(1)
  client.resetAndDestroy()
  expect(await closed).toMatchObject({ code: 'ECONNRESET' })
  await listener.close()
})

test('end sends what was written, destroy closes at once, and both are followed by closed', async () => {
  const { server, listener, open } = await listening()
  const [first, second] = [open(), open()]
  const [one, other] = [await server.next(), await server.next()]
  one.socket.write([Buffer.alloc(2_000_000, 1)])
  one.socket.end()
  other.socket.destroy()
  const sizes = await Promise.all(
    [first, second].map(async (client) => {
      let sizeBytes = 0
      client.on('data', ({ length }: Buffer) => (sizeBytes += length))
      await once(client, 'close')
      return sizeBytes
    }),
  )
  expect(sizes.toSorted((a, b) => a - b)).toEqual([0, 2_000_000])
  expect([await one.closed, await other.closed]).toEqual([undefined, undefined])
  await listener.close()
})

test('a write returns false until the system has its bytes, and `drained` says so, however small it is', async () => {
  const drained = Promise.withResolvers<void>()
  const accepted = Promise.withResolvers<boolean>()
  const listener = await tcpNetwork.listen([{ host: '127.0.0.1', port: 0 }], {
    onAcceptError: (error) => drained.reject(error),
    onConnection: (socket) => {
      accepted.resolve(socket.write([Buffer.from('an '), Buffer.from('answer')]))
      return { data() {}, drained: () => drained.resolve(), closed() {} }
    },
  })
  const client = connect(listener.addresses[0]?.port ?? 0, '127.0.0.1')
  expect(await accepted.promise).toBe(false)
  const [chunk] = await once(client, 'data')
  expect(String(chunk)).toBe('an answer')
  await drained.promise
  client.destroy()
  await listener.close()
})

test('what a client sends to a held port before the agent listens reaches the agent unchanged', async () => {
  const held = await holdPort(tcpNetwork, loopback)
  const port = must(held.addresses[0], 'an address').port
  const client = connect(port, '127.0.0.1')
  client.write('early ')
  await once(client, 'connect')
  const server = aServer()
  const listener = await held.network.listen(held.addresses, { onConnection: server.onConnection, onAcceptError() {} })
  const { bytes, arrived } = await server.next()
  client.write('and late')
  await arrived('early and late'.length)
  expect(bytes().toString()).toBe('early and late')
  await ended(listener, client)
})

test('a Node without the handle of an accepted socket reads into new memory', async () => {
  const chunks: string[] = []
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const hidden = new Proxy(accepted, {
      has: (target, name) => name !== '_handle' && name in target,
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    readInto(hidden, (chunk) => chunks.push(Buffer.from(chunk).toString())).resume()
    accepted.on('end', () => server.close())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('it listens on a port')
  connect(address.port, '127.0.0.1').end('plain')
  await once(server, 'close')
  expect(chunks.join('')).toBe('plain')
})

test('other work has its turn while a fast reader gets a large answer', async () => {
  const { server, listener, open } = await listening()
  const client = open()
  const { socket } = await server.next()
  const answer = patterned(3 * fixedLimits.socketBytesPerTurn, 9)
  const got: Buffer[] = []
  client.on('data', (chunk: Buffer) => got.push(chunk))
  socket.write([answer])
  const pendingBytes: number[] = []
  while (socket.pendingBytes > 0) {
    await new Promise((resolve) => setImmediate(resolve))
    pendingBytes.push(socket.pendingBytes)
  }
  expect(pendingBytes[0]).toBeGreaterThanOrEqual(2 * fixedLimits.socketBytesPerTurn)
  socket.end()
  await once(client, 'end')
  expect(Buffer.concat(got).equals(answer)).toBe(true)
  await ended(listener, client)
})
