// Records reported as written were acknowledged, and requests are sent one after another: the test's server answers only when the test allows it.
import { Producer } from '@platformatic/kafka'
import { type Kafka, startKafka } from 'local-kafka-service'
import { expect, test } from 'vitest'
import { BatchSender } from './batch-sender.ts'
import type { RecordToWrite } from './record-json.ts'
import { RecordWriter } from './record-writer.ts'

test('flush also waits for a request that is sent when another one ends', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  await using held = await holdingWriter(kafka, { records: 10 })
  const { writer, letGo, arrived, written } = held
  await writer.add(aRecord('first'), 1)
  writer.kick()
  await arrived(1)
  await writer.add(aRecord('second'), 2)
  let flushed = false
  const flushing = writer.flush().then(() => (flushed = true))
  letGo()
  await arrived(2)
  expect({ flushed, written }).toEqual({ flushed: false, written: ['first'] })
  letGo()
  await flushing
  expect(written).toEqual(['first', 'second'])
})

test('full chunks are sent one after another, and none of them is empty', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  await using held = await holdingWriter(kafka, { records: 1 })
  const { writer, letGo, arrived, written } = held
  const values = ['a', 'b', 'c', 'd']
  const adding = (async () => {
    for (const [at, value] of values.entries()) {
      await writer.add(aRecord(value), at + 1)
      writer.kick()
    }
    await writer.flush()
  })()
  for (const [at] of values.entries()) {
    await arrived(at + 1)
    expect(kafka.requests({ api: 'Produce' })).toHaveLength(at + 1)
    letGo()
  }
  await adding
  expect(written).toEqual(values)
  expect((await kafka.records('orders')).map((record) => record.text())).toEqual(values)
})

function aRecord(value: string): RecordToWrite {
  return { partition: undefined, timestamp: undefined, key: null, value: Buffer.from(value), headers: [] }
}

interface Holding extends AsyncDisposable {
  readonly writer: RecordWriter
  /** Settles when this number of Produce requests has arrived. */
  readonly arrived: (count: number) => Promise<void>
  /** Lets the waiting request continue. */
  readonly letGo: () => void
  /** The values that were reported as acknowledged. */
  readonly written: readonly string[]
}

async function holdingWriter(kafka: Kafka, { records }: { readonly records: number }): Promise<Holding> {
  const written: string[] = []
  let count = 0
  let waiting: PromiseWithResolvers<void> | undefined
  let changed = Promise.withResolvers<void>()
  kafka.faults.on('Produce', async () => {
    waiting = Promise.withResolvers<void>()
    count += 1
    changed.resolve()
    changed = Promise.withResolvers<void>()
    await waiting.promise
    return undefined
  })
  const writer = new RecordWriter({
    sender: new BatchSender({
      client: new Producer({ ...kafka.clientConfig('platformatic'), retries: 0 }),
      topic: 'orders',
      acks: 'all',
      compression: 'none',
      report: () => {},
    }),
    partitionCount: 1,
    firstPartition: 0,
    limits: { batchBytes: 900_000, chunkBytes: 4_000_000, recordCount: records },
    written: async (reported) => void written.push(...reported.map(({ value }) => String(value))),
    failed: () => {},
  })
  return {
    writer,
    async arrived(wanted) {
      while (count < wanted) await changed.promise
    },
    letGo: () => waiting?.resolve(),
    written,
    [Symbol.asyncDispose]: () => writer.close(),
  }
}
