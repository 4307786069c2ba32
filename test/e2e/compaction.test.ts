// Log compaction beside that of Apache Kafka: of the same records, the same ones are left.
import { Admin, type MessageToProduce, Producer } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import { printed } from './testing/client-command.ts'
import { hasKafkaBroker, startKafkaBroker } from './testing/kafka-broker.ts'
import { linesOf } from './testing/programs.ts'
import { startServer } from './testing/server.ts'

type NewRecord = MessageToProduce<Buffer, Buffer | undefined, Buffer, Buffer>
type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

const keyCount = 12
/** The same for both: pseudo-random keys, values and tombstones, in batches of every codec. */
const batches: readonly { readonly compression: Compression; readonly messages: readonly NewRecord[] }[] = Array.from(
  { length: 60 },
  (_, batch) => {
    const compression = (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)[batch % 5] ?? 'none'
    const messages = Array.from({ length: 1 + (batch % 4) }, (__, nth): NewRecord => {
      const number = batch * 7919 + nth * 104_729
      const value = number % 6 === 0 ? undefined : Buffer.from(`${compression} ${batch}.${nth} ${'x'.repeat(number % 50)}`)
      return {
        topic: 'users',
        partition: 0,
        key: Buffer.from(`key ${number % keyCount}`),
        value,
        timestamp: BigInt(Date.now() - 60_000 + batch),
      }
    })
    return { compression, messages }
  },
)

const configs = {
  'cleanup.policy': 'compact',
  'segment.ms': '500',
  'min.cleanable.dirty.ratio': '0.01',
  // Tombstones stay, and are compared, too.
  'delete.retention.ms': '86400000',
}

async function produceAll(kafka: string): Promise<void> {
  const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka] })
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: ['users'], partitions: 1, replicas: 1, configs: entries })
  await admin.close()
  const producer = new Producer<Buffer, Buffer | undefined, Buffer, Buffer>({
    clientId: 'e2e',
    bootstrapBrokers: [kafka],
    idempotent: true,
  })
  for (const { compression, messages } of batches) await producer.send({ messages: [...messages], compression })
  await producer.close()
}

/** Kafka begins another segment, and compacts those before it, only when a record comes whose timestamp is `segment.ms` later. */
async function produceLast(kafka: string): Promise<void> {
  const producer = new Producer<Buffer, Buffer | undefined, Buffer, Buffer>({
    clientId: 'e2e',
    bootstrapBrokers: [kafka],
    idempotent: false,
  })
  await producer.send({ messages: [{ topic: 'users', partition: 0, key: Buffer.from('last'), value: Buffer.from('record') }] })
  await producer.close()
}

async function recordsOf(kafka: string): Promise<readonly string[]> {
  return linesOf(await printed(kafka, ['consume', 'users', '-e', '-o', 'json'])).map((line) => {
    const { offset, key, value, timestamp } = JSON.parse(line)
    return JSON.stringify({ offset, key, value, ...(key === 'last' ? {} : { timestamp }) })
  })
}

describe.runIf(hasKafkaBroker())('beside Apache Kafka', () => {
  test('the same records of a compacted topic are left, with their offsets, values and timestamps', { timeout: 120_000 }, async () => {
    await using apache = await startKafkaBroker()
    await using ours = await startServer({ args: ['--memory'], env: { LKS_LOG_CLEANER_BACKOFF_MS: '100' } })
    for (const { kafka } of [apache, ours]) {
      await produceAll(kafka)
      await produceLast(kafka)
    }
    for (const { kafka } of [apache, ours])
      await expect.poll(async () => (await recordsOf(kafka)).length, { timeout: 60_000, interval: 500 }).toBe(keyCount + 1)
    expect(await recordsOf(ours.kafka)).toEqual(await recordsOf(apache.kafka))
  })
})
