// The ports that the planes listen on, and those that they skip.
import { connect, createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import type { AgentEvent, EventHook } from '@local-kafka-service/agent'
import { afterEach, expect, test } from 'vitest'
import { ConnectionRoom } from './connection-room.ts'
import { type Listening, listen, type PortAsk, PortError } from './servers.ts'
import { realClock } from './testing/real-clock.ts'

const both = ['127.0.0.1', '::1']
const open: Listening[] = []
const blockers: Server[] = []
const realAfter = (delayMs: number, callback: () => void): { cancel(): void } => {
  const timer = setTimeout(callback, delayMs)
  return { cancel: () => clearTimeout(timer) }
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((listening) => listening.closed(0, realAfter)))
  await Promise.all(blockers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listened(ask: PortAsk, emit: EventHook = () => {}): Promise<Listening> {
  const listening = await listen(
    ask,
    (_request, response) => response.end('hello'),
    new ConnectionRoom({ clock: realClock, emit, maxPerAddress: () => 100 }),
  )
  open.push(listening)
  return listening
}

/** Takes a port on one address. The other one has it free: other programs may have taken it there. */
async function taken(host: string): Promise<number> {
  for (;;) {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    blockers.push(server)
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    const probe = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(address.port, host === '::1' ? '127.0.0.1' : '::1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => probe.close(resolve))
    return address.port
  }
}

test('both addresses get the same port, even port 0', async () => {
  const { addresses, port } = await listened({ hosts: both, port: 0, movable: false })
  expect(addresses).toEqual(both.map((host) => ({ host, port })))
  for (const { host } of addresses) {
    const response = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/`)
    expect(await response.text()).toBe('hello')
  }
})

test.each(both)('a default port that is busy on %s is replaced on both addresses, and reported', async (host) => {
  const busy = await taken(host)
  const listening = await listened({ hosts: both, port: busy, movable: true })
  expect(listening.port).toBeGreaterThan(busy)
  expect(listening.movedFrom).toBe(busy)
  expect(listening.addresses.map(({ port }) => port)).toEqual([listening.port, listening.port])
})

test.each(both)('a requested port that is busy on %s is an error that names it, and nothing stays open', async (host) => {
  const busy = await taken(host)
  const failed = await listened({ hosts: both, port: busy, movable: false }).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(PortError)
  expect(failed).toMatchObject({ kind: 'busy', port: busy, host })
  const other = host === '::1' ? '127.0.0.1' : '::1'
  await expect(fetch(`http://${other === '::1' ? '[::1]' : other}:${busy}/`)).rejects.toThrow()
})

test('an address that this machine lacks is left out, unless it is the only one', async () => {
  // 192.0.2.0/24 is reserved for documentation: no machine has it.
  const { addresses } = await listened({ hosts: ['127.0.0.1', '192.0.2.1'], port: 0, movable: false })
  expect(addresses.map(({ host }) => host)).toEqual(['127.0.0.1'])
  await expect(listened({ hosts: ['192.0.2.1'], port: 0, movable: false })).rejects.toMatchObject({ kind: 'no address', host: '192.0.2.1' })
})

test('bytes that are not HTTP are answered with 400 and reported, and a request with a head that is too large with 431', async () => {
  const events: AgentEvent[] = []
  const { port } = await listened({ hosts: ['127.0.0.1'], port: 0, movable: false }, (event) => void events.push(event))
  const answer = (sent: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(sent)
    return text(socket)
  }
  expect(await answer('\0\0\0\x10\0\x12\0\x03')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/)
  expect(await answer(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  expect(events).toMatchObject([
    {
      kind: 'protocol error',
      connectionId: undefined,
      client: { address: '127.0.0.1' },
      message: expect.stringContaining('HPE_INVALID_METHOD'),
    },
    { kind: 'protocol error', message: expect.stringContaining('HPE_HEADER_OVERFLOW') },
  ])
})

test('bytes that are not HTTP are reported once for each connection, and a client that disconnects within its request not at all', async () => {
  const events: AgentEvent[] = []
  const { port } = await listened({ hosts: ['127.0.0.1'], port: 0, movable: false }, (event) => void events.push(event))
  const leaving = connect(port, '127.0.0.1')
  leaving.end('GET / HTTP/1.1\r\nhost: loc')
  await text(leaving)
  const wrong = connect(port, '127.0.0.1')
  wrong.write('\0\0\0\x10')
  wrong.write('\0\x12\0\x03')
  wrong.end('\0\0')
  expect(await text(wrong)).toMatch(/^HTTP\/1\.1 400 /)
  expect(events).toMatchObject([{ kind: 'protocol error', message: expect.stringContaining('HPE_INVALID_METHOD') }])
})
