// A port that is open before the agent has started.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { holdPort } from './held-port.ts'
import type { EarlyRejected, Listener, Network, NetworkEvents, Socket, SocketEvents } from './network.ts'

const addresses = [{ host: '127.0.0.1', port: 9092 }]

/** A network in which the test makes the connections. */
function aNetwork() {
  let listener: NetworkEvents | undefined
  const listening = { times: 0, closed: 0 }
  const network: Network = {
    listen(asked, events) {
      listener = events
      listening.times++
      const made: Listener = {
        addresses: asked,
        async close() {
          listening.closed++
        },
      }
      return Promise.resolve(made)
    },
    connect: () => Promise.reject(new Error('there is no other agent')),
  }
  const connect = () => {
    const state = { paused: false, destroyed: false }
    const socket: Socket = {
      remote: { host: 'client', port: 1 },
      local: { host: '127.0.0.1', port: 9092 },
      write: () => true,
      pendingBytes: 0,
      pause: () => void (state.paused = true),
      resume: () => void (state.paused = false),
      end: () => void (state.destroyed = true),
      destroy: () => void (state.destroyed = true),
    }
    const events = listener?.onConnection(socket)
    if (events === undefined) throw new Error('the port is not open')
    return { socket, events, state }
  }
  return { network, connect, listening, acceptError: (error: Error) => listener?.onAcceptError(error) }
}

/** A server that records its events. */
function aServer() {
  const seen: string[] = []
  const onConnection = (socket: Socket): SocketEvents => {
    seen.push(`from ${socket.remote.host}`)
    return {
      data(chunk) {
        seen.push(`data ${chunk.join()}`)
        if (chunk[0] === 9) socket.pause()
      },
      drained: () => void seen.push('drained'),
      closed: (error) => void seen.push(`closed${error === undefined ? '' : ` ${error.message}`}`),
    }
  }
  const onAcceptError = ({ message }: Error): void => void seen.push(`not accepted: ${message}`)
  return { seen, events: { onConnection, onAcceptError } }
}

test('bytes that arrive before the agent listens are copied, because their chunk is valid during the call only', async () => {
  const { network, connect } = aNetwork()
  const held = await holdPort(network, addresses)
  const { events } = connect()
  const chunk = Uint8Array.of(1, 2)
  events.data(chunk)
  chunk.fill(0xdb)
  const server = aServer()
  await held.network.listen(addresses, server.events)
  expect(server.seen).toEqual(['from client', 'data 1,2'])
})

test('early clients wait unread, and are served in order when the agent listens', async () => {
  const { network, connect, listening } = aNetwork()
  const held = await holdPort(network, addresses)
  const { events, state } = connect()
  expect(state.paused).toBe(true)
  events.data(Uint8Array.of(1))
  events.data(Uint8Array.of(2))
  const { seen, events: server } = aServer()
  expect((await held.network.listen(addresses, server)).addresses).toEqual(addresses)
  expect(listening.times).toBe(1)
  expect(state.paused).toBe(false)
  events.data(Uint8Array.of(3))
  events.closed(new Error('reset'))
  expect(seen).toEqual(['from client', 'data 1', 'data 2', 'data 3', 'closed reset'])
})

test('a server that pauses while it receives the early bytes stays paused', async () => {
  const { network, connect } = aNetwork()
  const held = await holdPort(network, addresses)
  const { events, state } = connect()
  events.data(Uint8Array.of(9))
  await held.network.listen(addresses, aServer().events)
  expect(state.paused).toBe(true)
})

test('the agent never sees a client that disconnects before it listens', async () => {
  const { network, connect } = aNetwork()
  const held = await holdPort(network, addresses)
  connect().events.closed()
  const { seen, events: server } = aServer()
  await held.network.listen(addresses, server)
  expect(seen).toEqual([])
})

test('a failed accept is reported to the server of the port', async () => {
  const { network, acceptError } = aNetwork()
  const held = await holdPort(network, addresses)
  acceptError(new Error('before anybody serves'))
  const { seen, events } = aServer()
  await held.network.listen(addresses, events)
  acceptError(new Error('no file descriptors'))
  expect(seen).toEqual(['not accepted: no file descriptors'])
})

test('clients for whom there is no place are closed, and reported when the agent listens', async () => {
  const { network, connect } = aNetwork()
  const held = await holdPort(network, addresses)
  for (let count = 0; count < fixedLimits.connections; count++) expect(connect().state.destroyed).toBe(false)
  expect([connect().state.destroyed, connect().state.destroyed]).toEqual([true, true])
  const rejected: EarlyRejected[] = []
  await held.network.listen(addresses, { ...aServer().events, onEarlyRejected: (report) => void rejected.push(report) })
  expect(rejected).toEqual([{ count: 2, address: 'client', limit: fixedLimits.connections }])
})

test('closing disconnects waiting clients; after the take-over it has no effect', async () => {
  const { network, connect, listening } = aNetwork()
  const held = await holdPort(network, addresses)
  const { state } = connect()
  await held.close()
  expect(state.destroyed).toBe(true)
  expect(listening.closed).toBe(1)
  const taken = await holdPort(network, addresses)
  const listener = await taken.network.listen(addresses, aServer().events)
  await taken.close()
  expect(listening.closed).toBe(1)
  await listener.close()
  expect(listening.closed).toBe(2)
})
