// C15 and its kind: `lks produce --json` writes back what `lks consume -o json` prints, equal to the byte and to the millisecond.
import { codecNames } from '@local-kafka-service/protocol'
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import * as fc from 'fast-check'
import { type Kafka, startKafka } from 'local-kafka-service'
import { expect, test } from 'vitest'
import { BatchSender } from './batch-sender.ts'
import type { ConsumedRecord } from './consumed-record.ts'
import { readingsOf } from './partition-offsets.ts'
import { readPartitions } from './partition-reader.ts'
import type { PlacedRecord } from './record-chunk.ts'
import { parseRecordLine, type RecordToWrite, recordLine } from './record-json.ts'
import { RecordWriter } from './record-writer.ts'
import { Retries } from './retries.ts'

const bytes = fc.uint8Array({ maxLength: 20 }).map((made) => Buffer.from(made))
const text = fc.string({ unit: 'binary', maxLength: 12 }).map((made) => Buffer.from(made))
const content = fc.option(fc.oneof(bytes, text, fc.constant(Buffer.alloc(0))), { nil: null })
/** Three years of timestamps, also missing ones; the library's encoder wrote wrong ones if two in a batch are 25 days apart. */
const timestamps = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_700_000_000_000 }),
  fc.constantFrom(-1, 0, 2 ** 31, 1_700_000_000_000),
)
const sources = fc.array(
  fc.record({
    partition: fc.integer({ min: 0, max: 1 }),
    timestampMs: timestamps,
    key: content,
    value: content,
    // Duplicate names, names that are not UTF-8, and null values.
    headers: fc.array(fc.record({ key: fc.oneof(fc.constant(Buffer.from('a')), text, bytes), value: content }), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
)

test.each(codecNames)('C15: a topic with a history of years is copied exactly, written with %s', async (codec) => {
  await using kafka = await startKafka()
  let runs = 0
  await fc.assert(
    fc.asyncProperty(sources, async (records) => {
      runs += 1
      const [source, copy] = [`source-${runs}`, `copy-${runs}`]
      const admin = new Admin({ ...kafka.clientConfig('platformatic') })
      await admin.createTopics({ topics: [source, copy], partitions: 2, replicas: 1 })
      await admin.close()
      await using sender = aSender(kafka, source, codec)
      const placed = records.map((record, at): PlacedRecord => ({ ...record, timestamp: BigInt(record.timestampMs), line: at + 1 }))
      const outcome = await sender.sender.send(placed)
      expect(outcome.rejected.size).toBe(0)
      const original = await readAll(kafka, source, 2)
      const given = [0, 1].flatMap((partition) => records.filter((record) => record.partition === partition))
      expect(original.map(plain)).toEqual(given.map((record) => plain({ ...record, timestamp: BigInt(record.timestampMs) })))

      await using writing = aSender(kafka, copy, codec)
      const writer = new RecordWriter({
        sender: writing.sender,
        partitionCount: 2,
        firstPartition: 0,
        limits: { batchBytes: 900_000, chunkBytes: 4_000_000, recordCount: 5 },
        written: async () => {},
        failed: () => {},
      })
      for (const [at, record] of original.entries()) await writer.add(readBack(recordLine(record)), at + 1)
      await writer.flush()
      expect((await readAll(kafka, copy, 2)).map(placeless)).toEqual(original.map(placeless))
    }),
    { numRuns: 12 },
  )
})

test('C15: two records of one request that are 30 days apart', async () => {
  await using kafka = await startKafka({ topics: { t: 1 } })
  await using sending = aSender(kafka, 't', 'none')
  const writer = new RecordWriter({
    sender: sending.sender,
    partitionCount: 1,
    firstPartition: 0,
    limits: { batchBytes: 900_000, chunkBytes: 4_000_000, recordCount: 10 },
    written: async () => {},
    failed: () => {},
  })
  const lines = ['{"value":"a","timestamp":1700000000000}', '{"value":"b","timestamp":1702592000000}']
  for (const [at, line] of lines.entries()) await writer.add(readBack(line), at + 1)
  await writer.flush()
  expect(kafka.requests({ api: 'Produce' })).toHaveLength(1)
  expect((await readAll(kafka, 't')).map(({ timestamp }) => timestamp)).toEqual([1_700_000_000_000n, 1_702_592_000_000n])
})

test('a producer whose state the server has lost gets another id, and no record is written twice', async () => {
  await using kafka = await startKafka({ topics: { t: 1 } })
  await using sending = aSender(kafka, 't', 'none')
  const one = (value: string): readonly PlacedRecord[] => [
    { partition: 0, timestamp: undefined, timestampMs: 5, key: null, value: Buffer.from(value), headers: [], line: 1 },
  ]
  await sending.sender.send(one('before'))
  kafka.faults.on('Produce', () => ({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }), { times: 1 })
  expect([...(await sending.sender.send(one('after'))).acknowledged]).toEqual([[0, 1n]])
  expect((await readAll(kafka, 't')).map(({ value }) => String(value))).toEqual(['before', 'after'])
})

function aSender(
  kafka: Kafka,
  topic: string,
  compression: (typeof codecNames)[number],
): AsyncDisposable & { readonly sender: BatchSender } {
  const client = new Producer({ ...kafka.clientConfig('platformatic'), retries: 0 })
  const sender = new BatchSender({ client, topic, acks: 'all', compression, report: () => {} })
  return { sender, [Symbol.asyncDispose]: () => sender.close() }
}

function readBack(line: string): RecordToWrite {
  const parsed = parseRecordLine(Buffer.from(line))
  if (parsed.kind === 'wrong') throw new Error(parsed.why)
  return parsed.record
}

/** By partition. */
async function readAll(kafka: Kafka, topic: string, partitionCount = 1): Promise<readonly ConsumedRecord[]> {
  const client = new Consumer({ ...kafka.clientConfig('platformatic'), groupId: 'none', retries: 0 })
  const { signal } = new AbortController()
  const report = (): void => {}
  const retries = new Retries({ waitMs: 0, unreachedMs: 0, pauseMs: 1, signal, report, passes: () => false, isUnreached: () => false })
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
  const readings = await readingsOf(client, { topic, partitions, range: { from: { kind: 'start' }, until: { kind: 'end' } } })
  const records: ConsumedRecord[] = []
  for await (const blocks of readPartitions({ client, readings, retries, signal, report }))
    records.push(...blocks.flatMap((block) => block.records))
  await client.close(true)
  return records.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
}

function plain({
  partition,
  timestamp,
  key,
  value,
  headers,
}: Pick<ConsumedRecord, 'partition' | 'timestamp' | 'key' | 'value' | 'headers'>): unknown {
  const hex = (part: Buffer | null): string | null => part && part.toString('hex')
  return { partition, timestamp, key: hex(key), value: hex(value), headers: headers.map((one) => [hex(one.key), hex(one.value)]) }
}

function placeless(record: ConsumedRecord): string {
  return recordLine({ ...record, topic: 't' })
}
