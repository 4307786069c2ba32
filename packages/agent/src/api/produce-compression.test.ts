// `compression.type` and its levels: batches are compressed again as Kafka 4.3 does it, one by one, with their offsets, sequences and timestamps.
import {
  attributeBits,
  batchLayout,
  buildBatch,
  type CodecName,
  checkBatch,
  codecNames,
  type DecodedRecord,
  errors,
  Fetch,
  InitProducerId,
  Produce,
  readBatchHeader,
  readRecords,
} from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../codecs.ts'
import { fixedLimits } from '../limits.ts'
import { type AgentForTests, anAgent } from './testing/an-agent.ts'

const t0 = Date.now() - 10_000

/** Their values are hard to compress, so that a level makes a difference. */
function records(count: number): readonly DecodedRecord[] {
  return Array.from({ length: count }, (_, at) => ({
    offsetDelta: at,
    timestamp: t0 + at,
    key: Buffer.from(`key ${at % 7}`),
    value: at % 5 === 4 ? null : Buffer.from(`${at} ${(at * 7919) % 1009} ${Math.imul(at, 0x9e3779b1) >>> 3} of a value`),
    headers: [{ key: 'header', value: Buffer.from(`${at}`) }],
  }))
}

const few = records(3)
/** More than is packed in the turn. */
const many = records(2_000)

const batchOf = (of: readonly DecodedRecord[], codec: CodecName, more = {}): Uint8Array =>
  buildBatch({ baseTimestamp: t0, records: of, compression: { codec, codecs: nodeCodecs }, ...more }, nativeCrc32c)

async function answerOf(kafka: AgentForTests, batch: Uint8Array, topic = 't') {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: batch }] }]
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
  const [answer] = responses[0]?.partitionResponses ?? []
  return { code: answer?.errorCode, offset: Number(answer?.baseOffset), message: answer?.errorMessage }
}

async function stored(kafka: AgentForTests, fetchOffset: number): Promise<Uint8Array> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
  return responses[0]?.partitions[0]?.records ?? new Uint8Array()
}

function codecOf(batch: Uint8Array): CodecName | undefined {
  return codecNames[readBatchHeader(batch, 0).attributes & attributeBits.codec]
}

const readAll = (batch: Uint8Array): readonly DecodedRecord[] => [...readRecords(batch, 0, nodeCodecs, fixedLimits.decompressedBytes)]

/** As bytes: codecs return buffers of different classes. */
function shown(of: readonly DecodedRecord[]): string {
  return Buffer.from(buildBatch({ baseTimestamp: t0, records: of }, nativeCrc32c)).toString('hex')
}

describe.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])('with compression.type=%s', (type) => {
  const target = type === 'uncompressed' ? 'none' : type

  test.each(codecNames)('a batch with %s becomes one batch with this codec, and is otherwise as it was', async (source) => {
    await using kafka = await anAgent()
    await kafka.topic('t', 1, { 'compression.type': type })
    const producer = await kafka.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
    const { producerId, producerEpoch } = producer
    for (const [nth, of] of [few, many].entries()) {
      const baseSequence = nth * few.length
      const sent = batchOf(of, source, { producer: { id: producerId, epoch: producerEpoch, baseSequence } })
      const offset = nth * few.length
      expect(await answerOf(kafka, sent)).toMatchObject({ code: 0, offset })
      // A duplicate is still recognized.
      expect(await answerOf(kafka, sent)).toMatchObject({ code: 0, offset })
      const batch = await stored(kafka, offset)
      expect(checkBatch(batch, 0, nativeCrc32c).kind).toBe('ok')
      const { sizeBytes: _size, attributes: _attributes, leaderEpoch: _epoch, ...header } = readBatchHeader(batch, 0)
      const { sizeBytes: _sentSize, attributes: _sentAttributes, leaderEpoch: _sentEpoch, ...sentHeader } = readBatchHeader(sent, 0)
      expect(header).toEqual({ ...sentHeader, baseOffset: offset })
      expect(codecOf(batch)).toBe(target)
      expect(shown(readAll(batch))).toEqual(shown(of))
      if (source === target)
        expect(Buffer.from(batch.subarray(batchLayout.records))).toEqual(Buffer.from(sent.subarray(batchLayout.records)))
    }
  })
})

test('LogAppendTime is stamped on a batch that was compressed again, whose records keep their timestamps', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'compression.type': 'gzip', 'message.timestamp.type': 'LogAppendTime' })
  expect(await answerOf(kafka, batchOf(many, 'none'))).toMatchObject({ code: 0 })
  const { attributes, maxTimestamp, baseTimestamp } = readBatchHeader(await stored(kafka, 0), 0)
  expect(attributes).toBe(attributeBits.logAppendTime | codecNames.indexOf('gzip'))
  expect(baseTimestamp).toBe(t0)
  expect(maxTimestamp).toBeGreaterThan(t0 + many.length)
})

test.each([
  ['gzip', 'compression.gzip.level', '1', '9'],
  ['zstd', 'compression.zstd.level', '-50', '19'],
])('the level of %s decides how small batches become', async (type, name, low, high) => {
  await using kafka = await anAgent()
  const sizes: number[] = []
  for (const level of [low, high]) {
    await kafka.topic(`t${level}`, 1, { 'compression.type': type, [name]: level })
    expect(await answerOf(kafka, batchOf(many, 'none'), `t${level}`)).toMatchObject({ code: 0 })
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }]
    const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: `t${level}`, partitions }] })
    sizes.push(responses[0]?.partitions[0]?.records?.length ?? 0)
  }
  expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) * 0.95)
})

test('a batch that is larger than max.message.bytes only after it was compressed again is rejected, and a smaller one is not', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'compression.type': 'uncompressed', 'max.message.bytes': '60000' })
  const sent = batchOf(many, 'gzip')
  expect(sent.length).toBeLessThan(60_000)
  expect(await answerOf(kafka, sent)).toMatchObject({
    code: errors.MESSAGE_TOO_LARGE.code,
    message: expect.stringMatching(/ bytes with the topic's compression\.type, more than max\.message\.bytes = 60000\.$/),
  })
  expect(await answerOf(kafka, batchOf(records(200), 'gzip'))).toMatchObject({ code: 0, offset: 0 })
})

test('a request with many batches to compress again has them admitted a few at a time, in order, and all are answered', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 40, { 'compression.type': 'uncompressed' })
  const partitionData = Array.from({ length: 40 }, (_, index) => ({ index, records: batchOf(many, 'zstd') }))
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData }] })
  expect(responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode])).toEqual(
    Array.from({ length: 40 }, (_, index) => [index, 0]),
  )
})
