// All workers share the server of globalSetup. Its address is in the environment. Each test must use its own names of topics and groups.
const { Kafka } = require('kafkajs')

test('all workers reach it', async () => {
  const admin = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(',') }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'shared-test' }] })
  expect(await admin.listTopics()).toContain('shared-test')
  await admin.disconnect()
})
