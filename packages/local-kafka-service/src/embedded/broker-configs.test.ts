// Configs of the broker that a client changes at run time: a fork and a restart keep them, and reset() removes them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka as KafkaJs, logLevel } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { type Kafka, startKafka } from '../index.ts'

const dir = mkdtempSync(join(tmpdir(), 'lks-broker-configs-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const types = { topic: 2, broker: 4 } as const

async function withAdmin<T>(kafka: Kafka, work: (admin: ReturnType<KafkaJs['admin']>) => Promise<T>): Promise<T> {
  const admin = new KafkaJs({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

async function setRetention(kafka: Kafka, value: string): Promise<void> {
  const configEntries = [{ name: 'log.retention.ms', value }]
  await withAdmin(kafka, (admin) =>
    admin.alterConfigs({ validateOnly: false, resources: [{ type: types.broker, name: '1', configEntries }] }),
  )
}

async function retentionOf(kafka: Kafka, topic: string): Promise<string | undefined> {
  const resources = [{ type: types.topic, name: topic, configNames: ['retention.ms'] }]
  const answer = await withAdmin(kafka, (admin) => admin.describeConfigs({ includeSynonyms: false, resources }))
  return answer.resources[0]?.configEntries[0]?.configValue
}

test('a fork has them, and neither side sees later changes of the other', async () => {
  await using kafka = await startKafka({ topics: { t: 1 } })
  await setRetention(kafka, '700000')
  await using fork = await kafka.fork()
  expect(await retentionOf(fork, 't')).toBe('700000')
  await setRetention(fork, '800000')
  expect([await retentionOf(kafka, 't'), await retentionOf(fork, 't')]).toEqual(['700000', '800000'])
})

test('a restart keeps them, and reset() removes them', async () => {
  {
    await using kafka = await startKafka({ dir, topics: { t: 1 } })
    await setRetention(kafka, '700000')
  }
  await using kafka = await startKafka({ dir, topics: { t: 1 } })
  expect(await retentionOf(kafka, 't')).toBe('700000')
  await setRetention(kafka, '800000')
  expect(await retentionOf(kafka, 't')).toBe('800000')
  await kafka.reset()
  expect(await retentionOf(kafka, 't')).toBe('-1')
})
