// Requests that arrive at once begin over several turns, in order.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { httpLimits } from './limits.ts'
import { RequestTurns } from './request-turns.ts'

function theTurns() {
  const due: (() => void)[] = []
  const turns = new RequestTurns({ soon: (callback) => void due.push(callback) })
  const begun: number[] = []
  const sockets: { destroyed: boolean }[] = []
  const listener = turns.listener((request) => void begun.push(Number(request.url)))
  /** Requests by their number. */
  const arrive = (count: number): void => {
    for (let at = 0; at < count; at += 1) arriveOn({ destroyed: false })
  }
  const arriveOn = (socket: { destroyed: boolean }): void => {
    // The casts: these parts are used.
    const request = { url: String(sockets.push(socket) - 1), socket } as unknown as IncomingMessage
    listener(request, {} as ServerResponse)
  }
  const endTurn = (): void => {
    for (const callback of due.splice(0)) callback()
  }
  return { due, begun, sockets, arrive, arriveOn, endTurn }
}

test('H12: of many requests at once a few begin in each turn, in the order of their arrival', () => {
  const { due, begun, arrive, endTurn } = theTurns()
  const { requestsPerTurn } = httpLimits
  arrive(2 * requestsPerTurn + 1)
  expect(begun).toHaveLength(requestsPerTurn)
  endTurn()
  expect(begun).toHaveLength(2 * requestsPerTurn)
  arrive(1)
  expect(begun).toHaveLength(2 * requestsPerTurn)
  endTurn()
  expect(begun).toEqual(Array.from({ length: 2 * requestsPerTurn + 2 }, (_, at) => at))
  endTurn()
  expect(due).toEqual([])
})

test('a request whose connection ends before its turn never begins, and takes no place', () => {
  const { begun, sockets, arrive, endTurn } = theTurns()
  arrive(httpLimits.requestsPerTurn + 2)
  const [, gone] = sockets.slice(-2).map((socket, at) => (at === 0 ? Object.assign(socket, { destroyed: true }) : socket))
  endTurn()
  expect(gone?.destroyed).toBe(false)
  expect(begun.at(-1)).toBe(httpLimits.requestsPerTurn + 1)
  expect(begun).toHaveLength(httpLimits.requestsPerTurn + 1)
})

test('H12: a request of a connection that has had one before does not wait for a burst of new connections', () => {
  const { begun, sockets, arrive, arriveOn, endTurn } = theTurns()
  arrive(1)
  const [kept] = sockets
  arrive(10 * httpLimits.requestsPerTurn)
  if (kept !== undefined) arriveOn(kept)
  expect(begun).toHaveLength(httpLimits.requestsPerTurn)
  endTurn()
  expect(begun).toContain(10 * httpLimits.requestsPerTurn + 1)
})
