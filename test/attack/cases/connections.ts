// H4, H8, H9 and H12: connections that are silent, stall within a request, or send thousands of requests at once.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiVersions } from '@local-kafka-service/protocol'
import type { Scene } from '../attack.ts'
import { frameOf, httpGet, openSockets, ordinaryClientIsServed, type Sockets } from '../attackers.ts'

const smallFrameBytes = 64 * 1024

/** A frame's size, and the first of its bytes. */
function claims(sizeBytes: number, sentBytes: number): Buffer {
  const frame = Buffer.alloc(4 + sentBytes)
  frame.writeInt32BE(sizeBytes)
  return frame
}

export const stalledRequests: Scene = {
  prepare: () =>
    Promise.resolve([
      {
        name: 'H4: 150 requests of 64 KB that stall after 60 KB',
        logLines: 1,
        growthMiB: 100,
        async run({ port }) {
          await using stalled = await openSockets(port, 150)
          for (const socket of stalled.sockets) socket.write(claims(smallFrameBytes, 60 * 1024))
          await ordinaryClientIsServed(port)
          // A byte now and then is not progress.
          const drip = setInterval(() => stalled.sockets.forEach((socket) => socket.writable && socket.write('x')), 500)
          await closes(stalled, 1)
          clearInterval(drip)
          await ordinaryClientIsServed(port)
        },
      },
      {
        name: 'H4: 2,000 requests of 64 KB that stall after one byte',
        logLines: 1,
        growthMiB: 150,
        async run({ port }) {
          await using stalled = await openSockets(port, 2_000)
          for (const socket of stalled.sockets) socket.write(claims(smallFrameBytes, 1))
          await ordinaryClientIsServed(port)
        },
      },
    ]),
}

export const tooManyConnections: Scene = {
  server: () => ({ args: ['--max-connections', '50'] }),
  prepare: () =>
    Promise.resolve([
      {
        name: 'H8: more silent connections than max.connections',
        logLines: 1,
        growthMiB: 50,
        async run(target) {
          await using silent = await openSockets(target.port, 80)
          await ordinaryClientIsServed(target.port)
          await closes(silent, 30)
          assert.match(target.logLines().join('\n'), /max\.connections/)
          assert.ok(Number(await target.metric('lks_connections_gave_way_total{held="connection"}')) >= 30)
        },
      },
    ]),
}

export const pipelinedRequests: Scene = {
  prepare: (_, { pipelined }) =>
    Promise.resolve([
      {
        name: `H9: 20 connections with ${pipelined} requests each at once`,
        logLines: 0,
        growthMiB: 150,
        async run(target) {
          const request = frameOf(ApiVersions, 0, {})
          const many = Buffer.concat(Array.from({ length: pipelined }, () => request))
          const served = async (): Promise<number> => (await target.metric('lks_requests_total{api="ApiVersions"}')) ?? 0
          const before = await served()
          await using greedy = await openSockets(target.port, 20)
          for (const socket of greedy.sockets) {
            socket.resume()
            socket.write(many)
          }
          await ordinaryClientIsServed(target.port)
          assert.ok((await served()) - before < 20 * pipelined, 'the ordinary client was served last')
          while ((await served()) - before < 20 * pipelined) await delay(50)
        },
      },
    ]),
}

export const silentHttpConnections: Scene = {
  prepare: () =>
    Promise.resolve([
      {
        name: 'H12: 2,020 silent HTTP connections',
        logLines: 1,
        growthMiB: 150,
        async run({ server }) {
          await using silent = await openSockets(Number(new URL(server.urls.control).port), 2_020)
          assert.equal((await httpGet(`${server.urls.control}/livez`)).status, 200)
          await closes(silent, 20)
        },
      },
    ]),
}

/** Waits for a minute at most. */
async function closes(sockets: Sockets, count: number): Promise<void> {
  const end = performance.now() + 60_000
  while (sockets.closedCount() < count) {
    assert.ok(performance.now() < end, `only ${sockets.closedCount()} of ${count} connections were closed`)
    await delay(50)
  }
}
