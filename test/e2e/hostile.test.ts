// Attacks over real sockets, bounded in count and time: what one client does costs an ordinary one nothing that it notices, and is said once.
import { ApiVersions, encodeRequest } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { openSockets, ordinaryClientIsServed, residentMiB } from './testing/attackers.ts'
import { patiently } from './testing/commands.ts'
import { startServer } from './testing/server.ts'

const claims = (sizeBytes: number, sentBytes: number): Buffer => {
  const frame = Buffer.alloc(4 + sentBytes)
  frame.writeInt32BE(sizeBytes)
  return frame
}
const smallFrameBytes = 64 * 1024

test('H4: requests that stall before their end lock nobody out, and their connections are closed with one line', async () => {
  await using server = await startServer()
  const before = residentMiB(server.pid)
  await using stalled = await openSockets(server.port, 150)
  for (const socket of stalled.sockets) socket.write(claims(smallFrameBytes, 60 * 1024))
  await ordinaryClientIsServed(server.port)
  // A byte now and then is not progress.
  const drip = setInterval(() => stalled.sockets.forEach((socket) => socket.writable && socket.write('x')), 500)
  await expect.poll(() => stalled.closedCount(), patiently).toBeGreaterThan(0)
  clearInterval(drip)
  await ordinaryClientIsServed(server.port)
  expect(server.log().match(/bytes of its request had arrived/g)).toHaveLength(2)
  expect(server.log().trim().split('\n')).toHaveLength(1)
  expect(residentMiB(server.pid) - before).toBeLessThan(100)
})

test('H4: two thousand claims of one byte each take next to nothing', async () => {
  await using server = await startServer()
  const before = residentMiB(server.pid)
  await using stalled = await openSockets(server.port, 2_000)
  for (const socket of stalled.sockets) socket.write(claims(smallFrameBytes, 1))
  await ordinaryClientIsServed(server.port)
  expect(residentMiB(server.pid) - before).toBeLessThan(150)
})

test('H8: silent connections give way to new ones, and the log says once which setting is too small', async () => {
  await using server = await startServer({ args: ['--max-connections', '50'] })
  await using silent = await openSockets(server.port, 80)
  await ordinaryClientIsServed(server.port)
  await expect.poll(() => silent.closedCount(), patiently).toBeGreaterThan(29)
  expect(server.log().match(/max\.connections/g)).toHaveLength(2)
  expect(server.log().trim().split('\n')).toHaveLength(1)
  const metrics = await (await fetch(`${server.urls.control}/metrics`)).text()
  expect(metrics).toMatch(/^lks_connections_gave_way_total\{held="connection"\} 3\d$/m)
})

test('H9: between thousands of pipelined requests an ordinary client is served', async () => {
  await using server = await startServer()
  const request = Buffer.concat(encodeRequest(ApiVersions, { version: 0, correlationId: 1, clientId: 'greedy' }, {}))
  const many = Buffer.concat(Array.from({ length: 5_000 }, () => request))
  await using greedy = await openSockets(server.port, 20)
  for (const socket of greedy.sockets) {
    socket.resume()
    socket.write(many)
  }
  await ordinaryClientIsServed(server.port)
  const metrics = await (await fetch(`${server.urls.control}/metrics`)).text()
  expect(Number(/^lks_requests_total\{api="ApiVersions"\} (\d+)$/m.exec(metrics)?.[1])).toBeLessThan(20 * 5_000)
})
