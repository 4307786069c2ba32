// H2, H3, H5 and H12: answers that clients do not read, and small batches that are large once they are decompressed.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { Fetch } from '@local-kafka-service/protocol'
import { WireClient } from '../../../bench/wire-client.ts'
import type { Attack, Scene } from '../attack.ts'
import { call, frameOf, httpGet, openReaders, openSockets, ordinaryClientIsServed, produceRecords } from '../attackers.ts'

export const unreadHttpAnswers: Scene = {
  async prepare({ server }) {
    await produceRecords(server.kafka, 'big', { count: 1, bytes: 11_000_000, fill: 'a', codec: 'gzip' })
    await produceRecords(server.kafka, 'tailed', { count: 500, bytes: 8_000, fill: 'a' })
    return [
      {
        name: 'H2: 30 HTTP reads of 16 MB that are not received',
        logLines: 1,
        growthMiB: 400,
        async run({ port }) {
          const path = '/topics/big/messages/0?offset=0&limit=1000&max_bytes=16777216'
          await using readers = await openReaders(server.urls.data, path, { count: 30 })
          const statuses = readers.statuses()
          assert.ok(statuses.filter((status) => status === 200).length > 2)
          assert.ok(statuses.filter((status) => status === 503).length > 2)
          assert.ok(readers.headers(503)?.['retry-after'] !== undefined)
          assert.equal((await httpGet(`${server.urls.data}/livez`)).status, 200)
          await ordinaryClientIsServed(port)
        },
      },
      {
        name: 'H12: 100 live tails that are not received',
        logLines: 1,
        growthMiB: 150,
        async run({ port }) {
          const tail = { count: 100, accept: 'text/event-stream' }
          await using readers = await openReaders(server.urls.data, '/topics/tailed/messages/0?offset=0', tail)
          assert.deepEqual(new Set(readers.statuses()), new Set([200]))
          await ordinaryClientIsServed(port)
        },
      },
    ]
  },
}

const bombBytes = 60_000_000

export const decompression: Scene = {
  async prepare({ server }, { rounds }) {
    await produceRecords(server.kafka, 'bomb', { count: 1, bytes: bombBytes, fill: '\0', codec: 'gzip' })
    return [
      {
        name: 'H3: 12 HTTP reads of a record of 60 MB out of 59 KB',
        logLines: 1,
        growthMiB: 600,
        async run() {
          const url = `${server.urls.data}/topics/bomb/messages/0?offset=0`
          const answers = await Promise.all(Array.from({ length: 12 }, () => httpGet(url)))
          for (const { status, text } of answers) {
            assert.equal(status, 200)
            assert.ok(text.length < 500_000)
            const { next, records } = JSON.parse(text) as {
              readonly next: number
              readonly records: readonly { readonly cut?: { readonly valueBytes: number } }[]
            }
            assert.deepEqual([next > 0, records[0]?.cut?.valueBytes], [true, bombBytes])
          }
        },
      },
      {
        name: 'H3: Produce of batches of 59 KB that decompress to 60 MB',
        logLines: 1,
        growthMiB: 600,
        run: () => produceRecords(server.kafka, 'bomb', { count: rounds, bytes: bombBytes, fill: '\0', codec: 'gzip' }),
      },
      ...(['lz4', 'snappy'] as const).map(
        (codec): Attack => ({
          name: `H3: Produce of ${codec} batches that decompress to 15 MB`,
          logLines: 1,
          growthMiB: 600,
          run: () => produceRecords(server.kafka, 'bomb', { count: 4 * rounds, bytes: 15_000_000, fill: '\0', codec }),
        }),
      ),
    ]
  },
}

export const unreadFetches: Scene = {
  longOnly: true,
  async prepare({ server }) {
    await produceRecords(server.kafka, 'fetched', { count: 64, bytes: 1_000_000, fill: 'a' })
    const topics = [{ topic: 'fetched', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50_000_000 }] }]
    const older = [{ topic: 'fetched', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2_000_000 }] }]
    const fetches = frameOf(Fetch, 12, { maxWaitMs: 500, minBytes: 1, maxBytes: 50_000_000, topics })
    const pipelined = Buffer.concat(Array.from({ length: 12 }, () => fetches))
    return [
      {
        name: 'H5: 30 readers with 12 fetches each that receive nothing, for 45 s',
        logLines: 1,
        growthMiB: 700,
        async run(target) {
          await using readers = await openSockets(target.port, 30)
          for (const socket of readers.sockets) socket.pause().write(pipelined)
          // A consumer of older records finds no memory for them, until stalled readers are closed.
          const consumer = await WireClient.open(target.port)
          let isServed = false
          for (const end = performance.now() + 45_000; performance.now() < end; ) {
            const { responses } = await call(consumer, Fetch, 12, { maxWaitMs: 500, minBytes: 1, maxBytes: 2_000_000, topics: older })
            isServed = (responses[0]?.partitions[0]?.records?.length ?? 0) > 0
            if (isServed) await delay(500)
          }
          consumer.close()
          assert.ok(isServed, 'a consumer of older records is not served')
          assert.ok(Number(await target.metric('lks_connections_gave_way_total{held="answers"}')) > 0, 'no stalled reader was closed')
        },
      },
    ]
  },
}
