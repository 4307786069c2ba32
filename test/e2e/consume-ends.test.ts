// How `lks consume` ends, and what its group has committed then: exactly what was printed, or at most that where it was killed.
import { createServer } from 'node:net'
import {
  type Api,
  ApiVersions,
  batchLayout,
  buildBatch,
  codecNames,
  crc32c,
  decodeRequest,
  decodeRequestHeader,
  encodeResponse,
  Fetch,
  FrameSplitter,
  ListOffsets,
  Metadata,
  type ResponseOf,
} from '@local-kafka-service/protocol'
import { startKafka } from 'local-kafka-service'
import { describe, expect, test } from 'vitest'
import { printed, runCommand, startCommand } from './testing/client-command.ts'
import { expectError } from './testing/commands.ts'
import { listening } from './testing/listening.ts'

describe('C14: what a group has committed after', () => {
  test('-e, with the first fetch held until more is written: the end is that of the beginning', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const server = kafka.bootstrapServers
    await printed(server, ['produce', 't'], lines(0, 5))
    const held = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    kafka.faults.on(
      'Fetch',
      async () => {
        arrived.resolve()
        await held.promise
        return undefined
      },
      { times: 1 },
    )
    const member = startCommand(server, ['consume', 't', '-g', 'g', '-e', '-f', '%o\\n'])
    await arrived.promise
    // One batch, so that the fetch answers it whole, with the first.
    await printed(server, ['produce', 't'], lines(5, 5))
    held.resolve()
    const { code, stdout } = await member.ended
    expect({ code, printed: stdout }).toEqual({ code: 0, printed: lines(0, 5) })
    expect(await committed(server)).toBe(5)
  })

  test('-n, in the middle of a batch', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const server = kafka.bootstrapServers
    await printed(server, ['produce', 't'], lines(0, 20))
    expect(await printed(server, ['consume', 't', '-g', 'g', '-n', '7', '-f', '%o\\n'])).toBe(lines(0, 7))
    expect(await committed(server)).toBe(7)
  })

  test('Ctrl-C', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const server = kafka.bootstrapServers
    const member = startCommand(server, ['consume', 't', '-g', 'g', '-f', '%o\\n'])
    await member.until(() => member.stderr().includes('reading t[0]'))
    await printed(server, ['produce', 't'], lines(0, 2_000))
    await member.until(() => member.lines.length > 0)
    const { code } = await member.kill('SIGINT')
    expect(code).toBe(0)
    expect(await committed(server)).toBe(member.lines.length)
  })

  test('a closed pipe: at most what was written into it', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const server = kafka.bootstrapServers
    const member = startCommand(server, ['consume', 't', '-g', 'g', '-f', '%o\\n'])
    await member.until(() => member.stderr().includes('reading t[0]'))
    await printed(server, ['produce', 't'], lines(0, 10))
    await member.until(() => member.lines.length === 10)
    await member.closeStdout()
    await printed(server, ['produce', 't'], lines(10, 10))
    expect((await member.ended).code).toBe(0)
    expect(await committed(server)).toBe(10)
  })

  test('kill -9: at most what was printed', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const server = kafka.bootstrapServers
    const member = startCommand(server, ['consume', 't', '-g', 'g', '-f', '%o\\n'])
    await member.until(() => member.stderr().includes('reading t[0]'))
    await printed(server, ['produce', 't'], lines(0, 5_000))
    await member.until(() => member.lines.length > 0)
    await member.kill()
    expect(await committed(server)).toBeLessThanOrEqual(member.lines.length)
  })

  async function committed(server: string): Promise<number> {
    const text = await printed(server, ['group', 'describe', 'g', '-o', 'json'])
    const [group] = JSON.parse(text) as readonly { readonly partitions: readonly { readonly committed: number | null }[] }[]
    return group?.partitions[0]?.committed ?? 0
  }

  /** Each its own offset. */
  function lines(from: number, count: number): string {
    return Array.from({ length: count }, (_, at) => `${from + at}\n`).join('')
  }
})

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('C5: a batch that is not %s', (codec) => {
  test('ends consume and query in seconds: what stands before it is printed, and it is named', async () => {
    await using server = await listening(aServerOf([aBatch(0, 3), rubbish(3, codec)]))
    const named = new RegExp(`t\\[0\\]: the batch at offsets 3 to 5 cannot be read \\(${codec}\\)`)
    const read = await runCommand(server.address, ['consume', 't', '-e', '-f', '%o\\n'])
    expect(read.stdout).toBe('0\n1\n2\n')
    for (const end of [read, await runCommand(server.address, ['query', 't', '-o', 'name'])]) expectError(end, 'LKS-4103', named)
    expect(await printed(server.address, ['consume', 't', '-O', '6', '-e'])).toBe('')
  })
})

/** One broker with the topic `t` of one partition, as it was stored by a server that does not look into batches. */
function aServerOf(batches: readonly Uint8Array[]): ReturnType<typeof createServer> {
  const log = Buffer.concat(batches)
  const served: readonly (readonly [api: Api, newest: number])[] = [
    [ApiVersions, 3],
    [Metadata, 8],
    [ListOffsets, 5],
    [Fetch, 11],
  ]
  const server = createServer((socket) => {
    const splitter = new FrameSplitter({ maxBytes: 1024 * 1024 })
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      for (let frame = splitter.take(); frame !== undefined; frame = splitter.take()) for (const part of answerTo(frame)) socket.write(part)
    })
  })
  return server

  function answerTo(frame: Uint8Array): readonly Uint8Array[] {
    const { apiKey, apiVersion: version, correlationId, bodyAt } = decodeRequestHeader(frame)
    const answer = <A extends Api>(api: A, response: ResponseOf<A>): readonly Uint8Array[] =>
      encodeResponse(api, version, correlationId, response)
    if (apiKey === ApiVersions.key) {
      const apiKeys = served.map(([api, newest]) => ({ apiKey: api.key, minVersion: api.versions[0], maxVersion: newest }))
      return answer(ApiVersions, { errorCode: 0, apiKeys })
    }
    if (apiKey === Metadata.key) {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const partitions = [
        { errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] },
      ]
      return answer(Metadata, {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: null }],
        clusterId: 'c',
        controllerId: 1,
        topics: [{ errorCode: 0, name: 't', isInternal: false, partitions }],
      })
    }
    if (apiKey === ListOffsets.key) {
      const { topics } = decodeRequest(ListOffsets, version, frame, bodyAt)
      const timestamp = topics[0]?.partitions[0]?.timestamp
      const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: -1, offset: timestamp === -1 ? 6 : 0, leaderEpoch: 0 }]
      return answer(ListOffsets, { throttleTimeMs: 0, topics: [{ name: 't', partitions }] })
    }
    const { topics } = decodeRequest(Fetch, version, frame, bodyAt)
    const from = topics[0]?.partitions[0]?.fetchOffset ?? 0
    const records = from < 3 ? log : from < 6 ? log.subarray(batches[0]?.length) : null
    return answer(Fetch, {
      throttleTimeMs: 0,
      responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 6, abortedTransactions: null, records }] }],
    })
  }
}

function aBatch(baseOffset: number, count: number): Uint8Array {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({
    offsetDelta,
    timestamp: 1,
    key: null,
    value: Buffer.from('v'),
    headers: [],
  }))
  return buildBatch({ baseTimestamp: 1, baseOffset, records }, crc32c)
}

/** Length, count and checksum are right; what it unpacks to is not there. */
function rubbish(baseOffset: number, codec: 'gzip' | 'snappy' | 'lz4' | 'zstd'): Uint8Array {
  const batch = Buffer.concat([aBatch(baseOffset, 3).subarray(0, batchLayout.records), Buffer.from('twenty random bytes!')])
  batch.writeInt32BE(batch.length - batchLayout.leaderEpoch, batchLayout.length)
  batch.writeInt16BE(codecNames.indexOf(codec), batchLayout.attributes)
  batch.writeUInt32BE(crc32c(batch.subarray(batchLayout.attributes)), batchLayout.crc)
  return batch
}
