// The fair share of a connection: the memory of its frames and answers, its turns, and its place.
import { expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { aBudget, aConnection, earlyBy, frame, now, prefix, turn } from './testing/a-connection.ts'
import { TurnCounter } from './turn-counter.ts'

test('H4: the connection of a frame that arrives too slowly while others wait is closed, and the reason names what it held', async () => {
  const clock = new ManualClock()
  const permits = aBudget(1024, 100 * 1024, clock)
  const slow = aConnection({ permits, clock })
  const whole = aConnection({ permits, clock })
  const other = aConnection({ permits, clock })
  slow.connection.data(frame(new Uint8Array(90 * 1024)).subarray(0, 60 * 1024))
  whole.connection.data(frame(new Uint8Array(65 * 1024)))
  other.connection.data(frame(new Uint8Array(80 * 1024)))
  expect(other.requests).toHaveLength(0)
  await clock.advance(fixedLimits.frameGraceMs + 5_000)
  expect(slow.socket.state).toBe('destroyed')
  expect(slow.events[0]).toMatch(/^gave way its request: only 61436 of the 92160 bytes/)
  whole.requests[0]?.unpin()
  await turn()
  expect(other.requests).toHaveLength(1)
  expect(other.socket.state).toBe('open')
})

test('H4: a size prefix alone reserves little memory, whatever its size', () => {
  const { connection, permits } = aConnection()
  connection.data(prefix(defaultLimits.smallFrameBytes))
  expect(permits.small.usedBytes).toBeLessThanOrEqual(512)
})

test('H9: a connection takes a few of its pipelined requests in each turn, and another connection is served in between', async () => {
  const due: (() => void)[] = []
  const turns = new TurnCounter(earlyBy(0, new ManualClock(), (callback) => void due.push(callback)))
  const greedy = aConnection({ turns })
  const other = aConnection({ turns })
  greedy.connection.data(Buffer.concat(Array.from({ length: 3 * fixedLimits.requestsPerTurn }, () => frame('x'))))
  const settleAll = async (): Promise<void> => {
    for (let at = 0; at < greedy.requests.length; at += 1) {
      greedy.requests[at]?.settle(now('.'))
      await turn()
    }
  }
  await settleAll()
  expect(greedy.requests).toHaveLength(fixedLimits.requestsPerTurn)
  other.connection.data(frame('y'))
  expect(other.requests).toHaveLength(1)
  for (const callback of due.splice(0)) callback()
  await settleAll()
  expect(greedy.requests).toHaveLength(2 * fixedLimits.requestsPerTurn)
})

test('H9: many connections together take a limited number of requests in each turn, and the one that waits longest is first in the next', async () => {
  const due: (() => void)[] = []
  const turns = new TurnCounter(earlyBy(0, new ManualClock(), (callback) => void due.push(callback)))
  const all = Array.from({ length: fixedLimits.requestsPerTurnOfAll + 2 }, () => aConnection({ turns }))
  const counts = (): readonly number[] => all.map(({ requests }) => requests.length)
  for (const { connection } of all) connection.data(Buffer.concat([frame('x'), frame('y')]))
  expect(counts().filter((count) => count === 1)).toHaveLength(fixedLimits.requestsPerTurnOfAll)
  expect(counts().slice(-2)).toEqual([0, 0])
  for (const { requests } of all) requests[0]?.settle(now('.'))
  await turn()
  expect(counts().filter((count) => count === 2)).toHaveLength(0)
  for (const callback of due.splice(0)) callback()
  expect(counts().slice(-2)).toEqual([1, 1])
  expect(counts().filter((count) => count === 2)).toHaveLength(fixedLimits.requestsPerTurnOfAll - 2)
})

test('H6: large requests of all connections have a bound of their own in each turn, and a small request does not wait for them', async () => {
  const due: (() => void)[] = []
  const turns = new TurnCounter(earlyBy(0, new ManualClock(), (callback) => void due.push(callback)))
  const fit = 4
  const large = Array.from({ length: 2 * fit + 1 }, () => aConnection({ turns }))
  const small = aConnection({ turns })
  for (const { connection } of large) connection.data(frame(new Uint8Array(fixedLimits.largeRequestBytesPerTurn / fit)))
  small.connection.data(frame('x'))
  const taken = (): number => large.filter(({ requests }) => requests.length > 0).length
  expect([taken(), small.requests.length]).toEqual([fit, 1])
  for (const callback of due.splice(0)) callback()
  expect(taken()).toBe(2 * fit)
  for (const callback of due.splice(0)) callback()
  expect(taken()).toBe(2 * fit + 1)
})

test('H5: an answer is stalled from its write until the operating system accepts some of its bytes', async () => {
  const { connection, socket, clock, requests } = aConnection()
  expect(connection.stalledSinceMs).toBeUndefined()
  socket.taking = false
  connection.data(frame('a'))
  const writtenAtMs = clock.monotonic()
  requests[0]?.settle(now('0123456789', { sent: () => {} }))
  await turn()
  await clock.advance(1_000)
  expect(connection.stalledSinceMs).toBe(writtenAtMs)
  socket.pendingBytes = 5
  expect(connection.stalledSinceMs).toBe(clock.monotonic())
  socket.pendingBytes = 0
  connection.drained()
  expect(connection.stalledSinceMs).toBeUndefined()
})

test('H8: a connection is silent until its first whole request, and idle while it has nothing to do', async () => {
  const { connection, clock, requests } = aConnection()
  connection.data(frame('a').subarray(0, 3))
  expect(connection.silent).toBe(true)
  connection.data(frame('a').subarray(3))
  expect(connection.silent).toBe(false)
  expect(connection.idleSinceMs).toBeUndefined()
  await clock.advance(10)
  requests[0]?.settle(now('A'))
  await turn()
  expect(connection.idleSinceMs).toBe(clock.monotonic())
})
