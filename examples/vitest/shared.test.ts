// All workers share the server of globalSetup. Its address is in the environment. Each test must use its own names of topics and groups.
import { Kafka } from 'kafkajs'
import type {} from 'local-kafka-service/vitest/setup'
import { expect, inject, test } from 'vitest'

test('all workers reach it', async () => {
  expect(process.env.KAFKA_BROKERS).toBe(inject('kafka').bootstrapServers)
  const admin = new Kafka({ brokers: inject('kafka').brokers }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'shared-test' }] })
  expect(await admin.listTopics()).toContain('shared-test')
  await admin.disconnect()
})
