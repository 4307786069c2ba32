// Attacks over real sockets, bounded in count and time: what one client does costs an ordinary one nothing that it notices, and is said once.
import { ApiVersions, encodeRequest } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import { openReaders, openSockets, ordinaryClientIsServed, produceRecords, residentMiB } from './testing/attackers.ts'
import { eventually } from './testing/commands.ts'
import { metrics } from './testing/http.ts'
import { startServer } from './testing/server.ts'

const claims = (sizeBytes: number, sentBytes: number): Buffer => {
  const frame = Buffer.alloc(4 + sentBytes)
  frame.writeInt32BE(sizeBytes)
  return frame
}
const smallFrameBytes = 64 * 1024

test('H4: stalled requests do not lock out other clients, and their connections are closed with one log line', async () => {
  await using server = await startServer()
  const before = residentMiB(server.pid)
  await using stalled = await openSockets(server.port, 150)
  for (const socket of stalled.sockets) socket.write(claims(smallFrameBytes, 60 * 1024))
  await ordinaryClientIsServed(server.port)
  // A byte now and then is not progress.
  const drip = setInterval(() => stalled.sockets.forEach((socket) => socket.writable && socket.write('x')), 500)
  await expect.poll(() => stalled.closedCount(), eventually).toBeGreaterThan(0)
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
  await expect.poll(() => silent.closedCount(), eventually).toBeGreaterThan(29)
  expect(server.log().match(/max\.connections/g)).toHaveLength(2)
  expect(server.log().trim().split('\n')).toHaveLength(1)
  expect(await metrics(server)).toMatch(/^lks_connections_gave_way_total\{held="connection"\} 3\d$/m)
})

test('H2: HTTP reads that clients do not receive have a common limit; beyond it the answer is 503 with Retry-After', async () => {
  await using server = await startServer()
  await produceRecords(server.kafka, 'big', { count: 1, bytes: 12_000_000, fill: 'a', gzip: true })
  const before = residentMiB(server.pid)
  const path = '/topics/big/messages/0?offset=0&limit=1000&max_bytes=16777216'
  await using readers = await openReaders(server.urls.data, path, { count: 30 })
  const statuses = readers.statuses()
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(2)
  expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(2)
  expect(readers.headers(503)).toHaveProperty('retry-after')
  expect((await fetch(`${server.urls.data}/livez`)).status).toBe(200)
  await ordinaryClientIsServed(server.port)
  expect(residentMiB(server.pid) - before).toBeLessThan(400)
})

test('H3: a record of 60 MB out of a batch of 59 KB is answered by its beginning', async () => {
  await using server = await startServer()
  await produceRecords(server.kafka, 'bomb', { count: 1, bytes: 60_000_000, fill: '\0', gzip: true })
  const before = residentMiB(server.pid)
  const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(`${server.urls.data}/topics/bomb/messages/0?offset=0`)))
  for (const answer of answers) {
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text.length).toBeLessThan(500_000)
    expect(JSON.parse(text)).toMatchObject({ next: 1, records: [{ offset: 0, cut: { valueBytes: 60_000_000 } }] })
  }
  expect(residentMiB(server.pid) - before).toBeLessThan(600)
})

test('H12: each live tail that its client does not receive holds little memory', async () => {
  await using server = await startServer()
  await produceRecords(server.kafka, 'tailed', { count: 500, bytes: 8_000, fill: 'a' })
  const before = residentMiB(server.pid)
  await using readers = await openReaders(server.urls.data, '/topics/tailed/messages/0?offset=0', {
    count: 100,
    accept: 'text/event-stream',
  })
  expect(new Set(readers.statuses())).toEqual(new Set([200]))
  await ordinaryClientIsServed(server.port)
  expect(residentMiB(server.pid) - before).toBeLessThan(150)
})

test('H12: silent HTTP connections give way, and /livez stays reachable', async () => {
  await using server = await startServer()
  await using silent = await openSockets(Number(new URL(server.urls.control).port), 2_020)
  expect((await fetch(`${server.urls.control}/livez`)).status).toBe(200)
  await expect.poll(() => silent.closedCount(), eventually).toBeGreaterThan(19)
  expect(server.log().match(/it had never sent a request/g)).toHaveLength(2)
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
  expect(Number(/^lks_requests_total\{api="ApiVersions"\} (\d+)$/m.exec(await metrics(server))?.[1])).toBeLessThan(20 * 5_000)
})
