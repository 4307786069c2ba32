// The HTTP connections that give way to a new one.
import type { AgentEvent } from '@local-kafka-service/agent'
import { expect, test } from 'vitest'
import { ConnectionRoom, isSurplus } from './connection-room.ts'
import { httpLimits } from './limits.ts'

class FakeConnection {
  readonly remoteAddress: string
  destroyed = false
  readonly #closed: (() => void)[] = []
  constructor(remoteAddress = '10.0.0.9') {
    this.remoteAddress = remoteAddress
  }
  on(_event: 'close', closed: () => void): void {
    this.#closed.push(closed)
  }
  destroy(): void {
    this.destroyed = true
    for (const closed of this.#closed) closed()
  }
}

function aRoom({ maxPerAddress = 1_000_000 } = {}) {
  const clock = { ms: 0, monotonic: () => clock.ms }
  const events: AgentEvent[] = []
  const room = new ConnectionRoom({ clock, emit: (event) => void events.push(event), maxPerAddress: () => maxPerAddress })
  const open = (): FakeConnection => openFrom('10.0.0.9')
  const openFrom = (address: string): FakeConnection => {
    const connection = new FakeConnection(address)
    room.opened(connection)
    return connection
  }
  /** Sends a request; the connection is busy until the returned object is destroyed. */
  const ask = (connection: FakeConnection): FakeConnection => {
    const response = new FakeConnection()
    room.requested(connection, response)
    return response
  }
  return { room, clock, events, open, openFrom, ask }
}

test('H12: silent connections give way to new ones, the oldest first, with one event each', () => {
  const { room, events, open } = aRoom()
  const all = Array.from({ length: httpLimits.connections + 2 }, open)
  expect(all.slice(0, 3).map(({ destroyed }) => destroyed)).toEqual([true, true, false])
  expect(room.size).toBe(httpLimits.connections)
  expect(events).toMatchObject([{ kind: 'gave way', held: 'connection', address: '10.0.0.9' }, { kind: 'gave way' }])
})

test('H12: the connection that has been without a request for the longest time gives way, kept alive or silent', () => {
  const { clock, open, ask } = aRoom()
  const idlest = open()
  ask(idlest).destroy()
  clock.ms = 5
  const silent = open()
  clock.ms = 10
  const later = open()
  ask(later).destroy()
  for (let count = 3; count < httpLimits.connections; count++) open()
  open()
  expect([silent, later, idlest].map(({ destroyed }) => destroyed)).toEqual([false, false, true])
  open()
  expect([silent, later].map(({ destroyed }) => destroyed)).toEqual([true, false])
})

test('H12: silent connections do not displace a client that sent a request after they were opened', () => {
  const { clock, open, ask } = aRoom()
  const ordinary = open()
  for (let count = 1; count < httpLimits.connections; count++) open()
  clock.ms = 1_000
  ask(ordinary).destroy()
  for (let count = 1; count < httpLimits.connections; count++) open()
  expect(ordinary.destroyed).toBe(false)
})

test('H12: when all are busy, a few more are accepted for operations only, and then no more', () => {
  const { open, ask, events } = aRoom()
  const all = Array.from({ length: httpLimits.connections }, open)
  const answers = all.map(ask)
  const more = Array.from({ length: httpLimits.surplusConnections }, () => {
    const connection = open()
    ask(connection)
    return connection
  })
  expect(more.every((connection) => isSurplus(connection) && !connection.destroyed)).toBe(true)
  expect(open().destroyed).toBe(true)
  const surplus = { kind: 'connection rejected', setting: 'HTTP connections', limit: httpLimits.connections }
  expect(events).toMatchObject([
    ...more.map(() => surplus),
    { kind: 'gave way', held: 'connection', message: expect.stringMatching(/^it was new/) },
  ])
  answers[0]?.destroy()
  expect(open().destroyed).toBe(false)
  expect(all[0]?.destroyed).toBe(true)
})

test('H12: further connections from one address are closed, with an event that names the setting; those of others are not', () => {
  const { events, open, openFrom, room } = aRoom({ maxPerAddress: 2 })
  const [first] = [open(), openFrom('::ffff:10.0.0.9')]
  expect([open().destroyed, openFrom('10.0.0.1').destroyed]).toEqual([true, false])
  expect(events).toEqual([{ kind: 'connection rejected', address: '10.0.0.9', setting: 'max.connections.per.ip', limit: 2 }])
  expect(room.size).toBe(3)
  first?.destroy()
  expect([open().destroyed, open().destroyed]).toEqual([false, true])
})
