// The server of the globalSetup is for all workers: code that reads its environment finds it, and names must be a test's own.
const { Kafka } = require('kafkajs')

test('all workers reach it', async () => {
  const admin = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(',') }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'shared-test' }] })
  expect(await admin.listTopics()).toContain('shared-test')
  await admin.disconnect()
})
