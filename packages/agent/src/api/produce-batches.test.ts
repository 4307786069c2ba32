// The checks of a produced batch against its records, for every codec, over a whole agent in memory. Apache Kafka 4.3 answers the same bytes alike.
import {
  batchLayout,
  buildBatch,
  codecNames,
  compress,
  type DecodedRecord,
  encodeRequest,
  errors,
  Fetch,
  type KafkaErrorName,
  ListOffsets,
  Produce,
  readBatchHeader,
  readRecords,
} from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nativeCrc32c, nodeCodecs } from '../codecs.ts'
import type { RemoteCodecs } from '../memory/unpacker.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'
import { type BatchClaims, batchAround, damagedBatches, plainRecords } from './testing/damaged-batches.ts'

const t0 = Date.now() - 10_000

/** Three records at t0, t0 + 1 s and t0 + 2 s. */
const three = [0, 1, 2].map(
  (offsetDelta): DecodedRecord => ({
    offsetDelta,
    timestamp: t0 + offsetDelta * 1_000,
    key: null,
    value: Buffer.from(`v${offsetDelta}`),
    headers: [],
  }),
)

/** The bytes of the records before compression. */
function plain(records: readonly DecodedRecord[] = three): Uint8Array {
  return plainRecords(records, t0)
}

/** A batch with any bytes in place of its three records from t0 to t0 + 2 s. */
function aBatchOf(payload: Uint8Array, claims: Partial<BatchClaims> = {}): Uint8Array {
  return batchAround(payload, { base: t0, max: t0 + 2_000, ...claims })
}

async function produced(kafka: AgentForTests, records: Uint8Array, topic = 't'): Promise<number> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode ?? Number.NaN
}

async function endOf(kafka: AgentForTests, timestamp = -1): Promise<{ readonly offset: number; readonly timestamp: number }> {
  const { topics } = await kafka.call(ListOffsets, 7, {
    replicaId: -1,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
  })
  const found = topics[0]?.partitions[0]
  return { offset: found?.offset ?? Number.NaN, timestamp: found?.timestamp ?? Number.NaN }
}

async function batchAt(kafka: AgentForTests, fetchOffset: number): Promise<Uint8Array> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 }]
  const { responses } = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
  return responses[0]?.partitions[0]?.records ?? new Uint8Array()
}

const codeOf = (error: KafkaErrorName): number => errors[error].code

describe.each(codecNames)('with %s', (codec) => {
  const packed = (records?: readonly DecodedRecord[]): Uint8Array => compress(codec, plain(records), nodeCodecs)

  test.each([
    ['no maximum, as old sarama sends it', -1],
    ['a maximum that is too high', t0 + 9_999],
    ['a maximum that is too low', t0],
  ])('C4: %s is replaced by the maximum of the records', async (_what, max) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await produced(kafka, aBatchOf(packed(), { codec, max }))).toBe(0)
    const stored = await batchAt(kafka, 0)
    expect(readBatchHeader(stored, 0).maxTimestamp).toBe(t0 + 2_000)
    expect(nativeCrc32c(stored.subarray(batchLayout.attributes))).toBe(Buffer.from(stored).readUInt32BE(batchLayout.crc))
    expect(await endOf(kafka, t0 + 1_500)).toEqual({ offset: 2, timestamp: t0 + 2_000 })
    expect(await endOf(kafka, -3)).toEqual({ offset: 2, timestamp: t0 + 2_000 })
  })

  test.each<[string, () => Uint8Array, KafkaErrorName]>([
    ['a smaller count', () => aBatchOf(packed(), { codec, count: 2 }), 'INVALID_RECORD'],
    ['a larger count', () => aBatchOf(packed(), { codec, count: 4 }), 'INVALID_RECORD'],
    ['2,147,483,647 as its count', () => aBatchOf(packed(), { codec, count: 2 ** 31 - 1 }), 'INVALID_RECORD'],
    ['a last offset delta beyond its count', () => aBatchOf(packed(), { codec, lastOffsetDelta: 9 }), 'INVALID_RECORD'],
    [
      'bytes after its records',
      () => aBatchOf(compress(codec, Buffer.concat([plain(), Buffer.alloc(3)]), nodeCodecs), { codec }),
      'INVALID_RECORD',
    ],
    ['a record cut short', () => aBatchOf(compress(codec, plain().subarray(0, -2), nodeCodecs), { codec }), 'INVALID_RECORD'],
    [
      'offset deltas that are not 0, 1, 2',
      () => aBatchOf(packed([2, 1, 0].map((at) => ({ ...(three[at] as DecodedRecord) }))), { codec }),
      'INVALID_RECORD',
    ],
    ['a base offset', () => aBatchOf(packed(), { codec, baseOffset: 5 }), 'INVALID_RECORD'],
    [
      'a record in the far future',
      () => aBatchOf(packed([{ ...(three[0] as DecodedRecord), timestamp: t0 + 1e12 }]), { codec, count: 1 }),
      'INVALID_TIMESTAMP',
    ],
  ])('H7: a batch with %s is rejected, and nothing is appended', async (_what, batch, error) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await produced(kafka, batch())).toBe(codeOf(error))
    expect((await endOf(kafka)).offset).toBe(0)
  })

  test('the timestamp type LogAppendTime is cleared in a CreateTime topic, and rejected in a LogAppendTime topic', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    await kafka.topic('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const batch = aBatchOf(packed(), { codec, attributes: 8, max: -1 })
    expect(await produced(kafka, batch)).toBe(0)
    expect(readBatchHeader(await batchAt(kafka, 0), 0)).toMatchObject({ attributes: codecNames.indexOf(codec), maxTimestamp: t0 + 2_000 })
    expect(await produced(kafka, batch, 'stamped')).toBe(codeOf('INVALID_TIMESTAMP'))
  })

  test('records without a timestamp are accepted, whatever the limit on old timestamps', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 1, { 'message.timestamp.before.max.ms': '1000' })
    const batch = buildBatch(
      { baseTimestamp: -1, records: [{ ...(three[0] as DecodedRecord), timestamp: -1 }], compression: { codec, codecs: nodeCodecs } },
      nativeCrc32c,
    )
    expect(await produced(kafka, batch)).toBe(0)
  })
})

describe.each(codecNames.slice(1))('records that are marked as %s', (codec) => {
  const random = Uint8Array.from({ length: 20 }, (_, at) => (at * 73 + 11) & 0xff)
  const good = compress(codec, plain(), nodeCodecs)

  test.each([
    ['are 20 random bytes', random],
    ['are empty', new Uint8Array()],
    ['are not compressed', plain()],
    ['break off', good.subarray(0, -5)],
  ])('C5: and %s are rejected, and nothing is appended', async (_what, payload) => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    expect(await produced(kafka, aBatchOf(payload, { codec }))).toBe(codeOf('INVALID_RECORD'))
    expect((await endOf(kafka)).offset).toBe(0)
  })

  test.each<readonly [string, Uint8Array]>([
    // A snappy block without framing has no magic number, so a few random bytes may look like one.
    ...(codec === 'snappy'
      ? []
      : ([
          ['are 20 random bytes', aBatchOf(random, { codec })],
          ['are not compressed', aBatchOf(plain(), { codec })],
        ] as const)),
    ['cannot be as many as their batch says', aBatchOf(good, { codec, count: 2 ** 31 - 1 })],
    ['break off, in a batch without a maximum timestamp', aBatchOf(good.subarray(0, -5), { codec, max: -1 })],
  ])('C5: and %s are rejected where batches are not opened, too', async (_what, batch) => {
    await using kafka = await anAgent({ settings: { 'validate.compressed.batches': { value: 'false', source: 'flag' } } })
    await kafka.topic('t')
    expect(await produced(kafka, batch)).toBe(codeOf('INVALID_RECORD'))
    expect((await endOf(kafka)).offset).toBe(0)
  })
})

describe.each(['true', 'false'])('with validate.compressed.batches=%s', (value) => {
  test.each([
    ['linked blocks', 0x40],
    ['a dictionary', 0x61],
    ['another version of the frame format', 0xa0],
  ])('C5: an LZ4 frame with %s is rejected, because the Java client cannot read it', async (_what, flag) => {
    await using kafka = await anAgent({ settings: { 'validate.compressed.batches': { value, source: 'flag' } } })
    await kafka.topic('t')
    const frame = Buffer.from(compress('lz4', plain(), nodeCodecs))
    expect(await produced(kafka, aBatchOf(frame, { codec: 'lz4' }))).toBe(0)
    frame[4] = flag
    expect(await produced(kafka, aBatchOf(frame, { codec: 'lz4' }))).toBe(codeOf('INVALID_RECORD'))
    expect((await endOf(kafka)).offset).toBe(3)
  })
})

test('C5: zstd frames with a byte after them are rejected, because decoders fail there', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const frame = compress('zstd', plain(), nodeCodecs)
  expect(await produced(kafka, aBatchOf(Buffer.concat([frame, Buffer.alloc(1)]), { codec: 'zstd' }))).toBe(codeOf('INVALID_RECORD'))
  expect(await produced(kafka, aBatchOf(frame, { codec: 'zstd' }))).toBe(0)
})

test('C5: a batch whose records unpack to more than any reader accepts is rejected as too large, without unpacking it all', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const value = new Uint8Array(70 * 1024 * 1024)
  const compression = { codec: 'gzip', codecs: nodeCodecs } as const
  const bomb = buildBatch({ baseTimestamp: t0, records: [{ ...(three[0] as DecodedRecord), value }], compression }, nativeCrc32c)
  expect(bomb.length).toBeLessThan(100_000)
  expect(await produced(kafka, bomb)).toBe(codeOf('MESSAGE_TOO_LARGE'))
})

test('C5, H7: a damaged batch is rejected and not appended, or all of its records can be read', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const seen = { rejected: 0, appended: 0 }
  await fc.assert(
    fc.asyncProperty(damagedBatches(t0), async ({ batch }) => {
      const start = (await endOf(kafka)).offset
      const error = await produced(kafka, batch)
      const end = (await endOf(kafka)).offset
      if (error !== 0) {
        seen.rejected += 1
        expect([codeOf('INVALID_RECORD'), codeOf('INVALID_TIMESTAMP'), codeOf('MESSAGE_TOO_LARGE')]).toContain(error)
        expect(end).toBe(start)
        return
      }
      seen.appended += 1
      const stored = await batchAt(kafka, start)
      const read = [...readRecords(stored, 0, nodeCodecs, 1_000_000)]
      expect(read.map(({ offsetDelta }) => start + offsetDelta)).toEqual(Array.from({ length: end - start }, (_, at) => start + at))
      expect(readBatchHeader(stored, 0).maxTimestamp).toBe(Math.max(-1, ...read.map(({ timestamp }) => timestamp)))
    }),
    { numRuns: 400 },
  )
  expect(Math.min(seen.rejected, seen.appended)).toBeGreaterThan(0)
})

test('H3: a connection takes its next request after the records of the last one were unpacked, and other connections are served meanwhile', async () => {
  const unpacking = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const gzip: RemoteCodecs['gzip'] = async (bytes, maxBytes) => {
    begun.resolve()
    await unpacking.promise
    return nodeCodecs.gzip.decompress(bytes, maxBytes)
  }
  await using kafka = await anAgent({ remoteCodecs: { gzip } })
  await kafka.topic('t')
  const values = Array.from({ length: 10_000 }, (_, at) => `value ${at}`)
  const large = aBatch(values, { compression: { codec: 'gzip', codecs: nodeCodecs } })
  const produce = (records: Uint8Array) => ({
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  })
  const frame = encodeRequest(Produce, { version: 9, correlationId: 1, clientId: 'test' }, produce(large))
  let taken = false
  const handled = kafka.sendFrame(Buffer.concat(frame).subarray(4)).then((outcome) => {
    taken = true
    return outcome
  })
  await begun.promise
  const other = await kafka.call(Produce, 9, produce(aBatch(['small'])))
  expect(other.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(taken).toBe(false)
  expect(kafka.services.unpacker.gauge.usedBytes).toBeGreaterThan(100_000)
  unpacking.resolve()
  const outcome = await handled
  expect(outcome.kind).toBe('later')
  if (outcome.kind === 'later') await outcome.answer
  expect(kafka.services.unpacker.gauge.usedBytes).toBe(0)
  const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1_000_000 }] }]
  const fetched = await kafka.call(Fetch, 12, { maxWaitMs: 0, minBytes: 1, topics })
  const read = [...readRecords(fetched.responses[0]?.partitions[0]?.records ?? new Uint8Array(), 0, nodeCodecs, 1_000_000)]
  expect(read.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual(values)
})
