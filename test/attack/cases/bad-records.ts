// H1 and H7: stored records that are damaged, and batches with a right checksum whose records are not what the batch claims.
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { batchLayout, buildBatch, crc32c, Fetch, ListOffsets, Metadata, Produce } from '@local-kafka-service/protocol'
import { WireClient } from '../../../bench/wire-client.ts'
import { startServer } from '../../e2e/testing/server.ts'
import type { Scene } from '../attack.ts'
import { call } from '../attackers.ts'

const records = 40
const damagedAt = 20

export const damagedRecords: Scene = {
  async before(folder) {
    await using server = await startServer({ args: ['--dir', folder] })
    const client = await WireClient.open(server.port)
    await call(client, Metadata, 9, { topics: [{ name: 'damaged' }], allowAutoTopicCreation: true })
    for (let offset = 0; offset < records; offset++) await produce(client, 'damaged', aBatch(Buffer.from(`record ${offset}.`)))
    client.close()
    await server.stop()
    await flipByteAt(folder, `record ${damagedAt}.`)
  },
  server: (folder) => ({ args: ['--dir', folder] }),
  prepare: (_, { rounds }) =>
    Promise.resolve([
      {
        name: 'H1: a client that reads a damaged record again and again',
        logLines: 1,
        growthMiB: 100,
        async run({ port }) {
          const client = await WireClient.open(port)
          const read = async (fetchOffset: number): Promise<{ readonly errorCode: number; readonly bytes: number }> => {
            const topics = [{ topic: 'damaged', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }]
            const { responses } = await call(client, Fetch, 12, { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, topics })
            const [partition] = responses[0]?.partitions ?? []
            return { errorCode: partition?.errorCode ?? -1, bytes: partition?.records?.length ?? 0 }
          }
          const oneRecord = aBatch(Buffer.from('record 0.')).length
          for (let round = 0; round < 50 * rounds; round++) {
            const beginning = await read(0)
            assert.ok(
              beginning.errorCode === 0 && beginning.bytes >= damagedAt * oneRecord,
              'the good records before the damage are missing',
            )
            assert.deepEqual(await read(damagedAt), { errorCode: 2, bytes: 0 })
            const rest = await read(damagedAt + 1)
            assert.ok(rest.errorCode === 0 && rest.bytes > 0, 'the good records after the damage are missing')
          }
          client.close()
        },
      },
    ]),
}

export const illBatches: Scene = {
  async prepare({ port }, { rounds }) {
    const client = await WireClient.open(port)
    await call(client, Metadata, 9, { topics: [{ name: 'ill' }], allowAutoTopicCreation: true })
    await produce(client, 'ill', aBatch(Buffer.from('good')))
    const whole = aBatch(Buffer.alloc(1_000, 'a'))
    const plain = whole.subarray(batchLayout.records)
    const ill: readonly Buffer[] = [
      withChecksum(whole, (view) => view.setInt32(batchLayout.recordCount, 2 ** 31 - 1)),
      withChecksum(whole, (view) => {
        view.setInt32(batchLayout.recordCount, 2 ** 31 - 1)
        view.setInt32(batchLayout.lastOffsetDelta, 2 ** 31 - 2)
      }),
      // The first record claims more bytes than the batch has.
      withChecksum(whole, (view) => view.setUint16(batchLayout.records, 0xfe7f)),
      withGzip(whole, gzipSync(plain).subarray(0, -9)),
      withGzip(whole, gzipSync(plain.subarray(0, -9))),
      withGzip(whole, Buffer.from(plain)),
    ]
    return [
      {
        name: 'H7: batches whose records are not what they claim',
        logLines: 1,
        growthMiB: 100,
        async run() {
          for (let round = 0; round < 20 * rounds; round++)
            for (const batch of ill) assert.ok([2, 87].includes(await errorOf(client, 'ill', batch)), 'an ill batch was accepted')
          const topics = [{ name: 'ill', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
          const listed = await call(client, ListOffsets, 7, { replicaId: -1, topics })
          assert.equal(listed.topics[0]?.partitions[0]?.offset, 1)
          client.close()
        },
      },
    ]
  },
}

function aBatch(value: Uint8Array): Uint8Array {
  return buildBatch({ baseTimestamp: 0, records: [{ offsetDelta: 0, timestamp: 0, key: null, value, headers: [] }] }, crc32c)
}

async function produce(client: WireClient, topic: string, batch: Uint8Array): Promise<void> {
  assert.equal(await errorOf(client, topic, batch), 0)
}

async function errorOf(client: WireClient, topic: string, batch: Uint8Array): Promise<number> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: batch }] }]
  const { responses } = await call(client, Produce, 9, { acks: -1, timeoutMs: 30_000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode ?? -1
}

function withChecksum(batch: Uint8Array, change: (view: DataView) => void): Buffer {
  const changed = Buffer.from(batch)
  const view = new DataView(changed.buffer, changed.byteOffset, changed.length)
  change(view)
  view.setUint32(batchLayout.crc, crc32c(changed.subarray(batchLayout.attributes)))
  return changed
}

function withGzip(batch: Uint8Array, payload: Uint8Array): Buffer {
  const joined = Buffer.concat([batch.subarray(0, batchLayout.records), payload])
  return withChecksum(joined, (view) => {
    view.setInt32(batchLayout.length, joined.length - batchLayout.leaderEpoch)
    view.setInt16(batchLayout.attributes, 1)
  })
}

/** In the one file that has the text. */
async function flipByteAt(folder: string, text: string): Promise<void> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.volume'))
  for (const path of paths.map((each) => join(folder, each))) {
    const bytes = await readFile(path)
    const at = bytes.indexOf(text)
    if (at < 0) continue
    bytes[at] = (bytes[at] ?? 0) ^ 0xff
    await writeFile(path, bytes)
    return
  }
  throw new Error(`no volume has the text ${text}`)
}
