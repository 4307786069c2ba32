// A consumer with minimal cost: reads a topic from its beginning with Fetch requests of the size that a Java consumer uses, one at a time.
import { batchSizeAt, decodeResponse, encodeRequest, errorName, Fetch, readBatchHeader } from '@local-kafka-service/protocol'
import type { WireClient } from './wire-client.ts'

const version = 12
const partitionMaxBytes = 1024 * 1024
const maxBytes = 50 * 1024 * 1024

export class TopicReader {
  readonly #client: WireClient
  readonly #topic: string
  /** By partition. */
  readonly #nextOffsets: Map<number, number>
  readonly #maxWaitMs: number

  constructor(
    client: WireClient,
    {
      topic,
      partitions,
      maxWaitMs,
    }: {
      readonly topic: string /** Their number, or some of them. */
      readonly partitions: number | readonly number[]
      readonly maxWaitMs: number
    },
  ) {
    this.#client = client
    this.#topic = topic
    const read = typeof partitions === 'number' ? Array.from({ length: partitions }, (_, partition) => partition) : partitions
    this.#nextOffsets = new Map(read.map((partition) => [partition, 0]))
    this.#maxWaitMs = maxWaitMs
  }

  /** The whole batches of one response, which follow those of the response before. Empty if the server waited for more without success. */
  async next(): Promise<readonly Uint8Array[]> {
    const partitions = Array.from(this.#nextOffsets, ([partition, fetchOffset]) => ({ partition, fetchOffset, partitionMaxBytes }))
    const request = {
      maxWaitMs: this.#maxWaitMs,
      minBytes: 1,
      maxBytes,
      topics: [{ topic: this.#topic, partitions }],
      forgottenTopicsData: [],
    }
    const frame = Buffer.concat(encodeRequest(Fetch, { version, correlationId: 1, clientId: 'bench' }, request))
    const { response } = decodeResponse(Fetch, version, await this.#client.send(frame))
    const batches: Uint8Array[] = []
    for (const { partitionIndex, errorCode, records } of response.responses[0]?.partitions ?? []) {
      if (errorCode !== 0) throw new Error(`fetch of partition ${partitionIndex} was answered with ${errorName(errorCode)}`)
      if (records === null) continue
      for (let at = 0; ; ) {
        const sizeBytes = batchSizeAt(records, at)
        if (sizeBytes === undefined || at + sizeBytes > records.length) break
        const { baseOffset, lastOffsetDelta } = readBatchHeader(records, at)
        batches.push(records.subarray(at, at + sizeBytes))
        this.#nextOffsets.set(partitionIndex, baseOffset + lastOffsetDelta + 1)
        at += sizeBytes
      }
    }
    return batches
  }
}
