// The requests of the benches: one topic, one partition, batches of a given size.
import {
  buildBatch,
  type CodecName,
  CreateTopics,
  crc32c,
  type DecodedRecord,
  DeleteTopics,
  encodeRequest,
  Fetch,
  Produce,
  readRecords,
} from '@local-kafka-service/protocol'
import { nodeCodecs } from '../packages/agent/src/codecs.ts'
import type { WireClient } from './wire-client.ts'

export const topic = 'bench'
const produceVersion = 9
const fetchVersion = 12

export interface ProduceFrame {
  readonly bytes: Buffer
  /** The offset of the batch in the frame, without the frame's size. */
  readonly batchAt: number
  readonly batchBytes: number
}

/** One batch of about `sizeBytes` to each of the first `partitions`, with incompressible bytes. */
export function produceFrame(sizeBytes: number, partitions = 1, name = topic): ProduceFrame {
  const value = new Uint8Array(Math.max(1, Math.min(sizeBytes - 90, 1_000)))
  let state = 1
  for (let index = 0; index < value.length; index++) value[index] = (state = (state * 48_271) % 0x7fff_ffff) & 0xff
  const count = Math.max(1, Math.floor((sizeBytes - 61) / (value.length + 12)))
  const timestamp = Date.now()
  const records = Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta, timestamp, key: null, value, headers: [] }))
  return framed(buildBatch({ baseTimestamp: timestamp, records }, crc32c), partitions, name)
}

/** One batch of about `sizeBytes` of JSON before compression, like the logs of services. */
export function compressedProduceFrame(sizeBytes: number, codec: CodecName): ProduceFrame {
  const timestamp = Date.now()
  const records: DecodedRecord[] = []
  for (let bytes = 0; bytes < sizeBytes; ) {
    const at = records.length
    const user = (at * 7_919) % 100_003
    const value = Buffer.from(
      JSON.stringify({ id: at, user, email: `u${user}@example.com`, amount: ((at * 31) % 9_973) / 100, note: Math.sin(at).toString(36) }),
    )
    records.push({ offsetDelta: at, timestamp: timestamp + at, key: null, value, headers: [] })
    bytes += value.length + 12
  }
  return framed(buildBatch({ baseTimestamp: timestamp, records, compression: { codec, codecs: nodeCodecs } }, crc32c), 1)
}

/** One small record with this number as its value, to partition 0 of the topic. */
export function stampedFrame(name: string, stamp: number, key: string | null = null): Buffer {
  const timestamp = Date.now()
  const value = Buffer.alloc(8)
  value.writeDoubleBE(stamp)
  const batch = buildBatch(
    { baseTimestamp: timestamp, records: [{ offsetDelta: 0, timestamp, key: key === null ? null : Buffer.from(key), value, headers: [] }] },
    crc32c,
  )
  return framed(batch, 1, name).bytes
}

/** The number in the batch of a `stampedFrame`. */
export function stampOf(batch: Uint8Array): number {
  for (const { value } of readRecords(batch, 0, nodeCodecs, batch.length)) if (value !== null) return Buffer.from(value).readDoubleBE(0)
  throw new Error('the batch has no stamp')
}

/** The batch, to each of the first `partitions` of the topic. */
export function framed(batch: Uint8Array, partitions: number, name = topic): ProduceFrame {
  const partitionData = Array.from({ length: partitions }, (_, index) => ({ index, records: batch }))
  const request = { acks: -1, timeoutMs: 30_000, topicData: [{ name, partitionData }] }
  const bytes = Buffer.concat(encodeRequest(Produce, { version: produceVersion, correlationId: 1, clientId: 'bench' }, request))
  return { bytes, batchAt: bytes.indexOf(batch) - 4, batchBytes: batch.length }
}

/** Throws if the response to a produce is an error. */
export function checkProduced(answer: Buffer, name = topic): void {
  // Correlation id, tags, one topic, its name, one partition, its index; then the error code.
  const errorAt = 4 + 1 + 1 + 1 + name.length + 1 + 4
  const code = answer.readInt16BE(errorAt)
  if (code !== 0) throw new Error(`produce was answered with error ${code}`)
}

export function fetchFrame(offset: number): Buffer {
  const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1024 * 1024 }]
  const request = {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1024 * 1024,
    sessionEpoch: -1,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
  }
  return Buffer.concat(encodeRequest(Fetch, { version: fetchVersion, correlationId: 1, clientId: 'bench' }, request))
}

export async function createTopic(
  client: WireClient,
  partitions = 1,
  name = topic,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const set = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const topics = [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: set }]
  const answer = await client.ask(CreateTopics, 5, { topics, timeoutMs: 10_000, validateOnly: false })
  const code = answer.topics[0]?.errorCode
  if (code !== 0) throw new Error(`the topic was not created: error ${code}`)
}

export async function deleteTopic(client: WireClient, name: string): Promise<void> {
  const answer = await client.ask(DeleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 })
  const code = answer.responses[0]?.errorCode
  if (code !== 0) throw new Error(`the topic was not deleted: error ${code}`)
}
