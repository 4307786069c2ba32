// Generated batches, most of them damaged, to both servers: what each answers, and what a reader gets of a batch that was appended.
import assert from 'node:assert/strict'
import { type DecodedRecord, errorName, Fetch, Produce, ProtocolError, readBatchHeader, readRecords } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { damagedBatches } from '../../../packages/agent/src/api/testing/damaged-batches.ts'
import { nodeCodecs } from '../../../packages/agent/src/codecs.ts'
import { type ComparedServer, Conversation } from './conversation.ts'
import { firstTimestamp, logTopic } from './tables/parts.ts'

/** The name of an error, or the batch as it is read; `unreadable` for one that was appended although strict decoders cannot read it. */
type Taken = string | { readonly header: object; readonly records: readonly DecodedRecord[] }

const unreadable = 'unreadable'

export interface DamagedOutcomes {
  readonly rejected: number
  readonly appended: number
}

/**
 * Rejects with the smallest batch that the two servers take in two ways. The same seed sends the same batches. For damaged compressed bytes Kafka fails, which is
 * INVALID_RECORD here; and it appends some that its own lenient decoders read and others do not, which is INVALID_RECORD here, too. So are offset deltas out of
 * order, which it checks in compressed batches only.
 */
export async function compareDamagedBatches(
  { kafka, ours }: { readonly kafka: ComparedServer; readonly ours: ComparedServer },
  { seed, batches }: { readonly seed: number; readonly batches: number },
): Promise<DamagedOutcomes> {
  const there = await Receiver.of(kafka, seed)
  const here = await Receiver.of(ours, seed)
  let [rejected, appended] = [0, 0]
  try {
    await fc.assert(
      fc.asyncProperty(damagedBatches(firstTimestamp), async ({ codec, batch }) => {
        const [expected, taken] = await Promise.all([there.take(batch), here.take(batch)])
        if (typeof taken === 'string') rejected += 1
        else appended += 1
        const isKafkasOwn = expected === 'UNKNOWN_SERVER_ERROR' || (codec === 'none' ? !isInOrder(expected) : expected === unreadable)
        assert.deepEqual(taken, isKafkasOwn ? 'INVALID_RECORD' : expected)
      }),
      { seed, numRuns: batches },
    )
  } finally {
    there.end()
    here.end()
  }
  return { rejected, appended }
}

function isInOrder(taken: Taken): boolean {
  return typeof taken === 'string' || taken.records.every(({ offsetDelta }, index) => offsetDelta === index)
}

/** One partition of a server that gets batch after batch. */
class Receiver {
  readonly #conversation: Conversation
  readonly #topic: string

  private constructor(conversation: Conversation, topic: string) {
    this.#conversation = conversation
    this.#topic = topic
  }

  static async of(server: ComparedServer, seed: number): Promise<Receiver> {
    const conversation = new Conversation({ api: Produce, version: 12, slug: `damaged-${seed}`, server })
    return new Receiver(conversation, await logTopic(conversation))
  }

  async take(batch: Uint8Array): Promise<Taken> {
    const partitionData = [{ index: 0, records: batch }]
    const { responses } = await this.#conversation.ask(
      Produce,
      { acks: -1, timeoutMs: 10_000, topicData: [{ name: this.#topic, partitionData }] },
      { version: 12 },
    )
    const answer = responses[0]?.partitionResponses[0]
    if (answer === undefined) throw new Error('a Produce without an answer for its partition')
    if (answer.errorCode !== 0) return errorName(answer.errorCode) ?? `error ${answer.errorCode}`
    const partitions = [{ partition: 0, fetchOffset: answer.baseOffset, partitionMaxBytes: 1 }]
    const fetched = await this.#conversation.ask(
      Fetch,
      { maxWaitMs: 0, minBytes: 0, topics: [{ topic: this.#topic, partitions }] },
      { version: 12 },
    )
    const read = fetched.responses[0]?.partitions[0]?.records ?? new Uint8Array()
    try {
      // The servers have taken different batches before, and Kafka's first epoch is 0.
      const { baseOffset: _baseOffset, leaderEpoch: _leaderEpoch, ...header } = readBatchHeader(read, 0)
      return { header, records: [...readRecords(read, 0, nodeCodecs, 1_000_000)] }
    } catch (error) {
      if (error instanceof ProtocolError) return unreadable
      throw error
    }
  }

  end(): void {
    this.#conversation.end()
  }
}
