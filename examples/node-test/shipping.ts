// The code under test: it ships each order. It knows only the configuration of its client, and does not depend on this server.
import { Kafka, type KafkaConfig } from 'kafkajs'

export async function startShipping(config: KafkaConfig): Promise<AsyncDisposable> {
  const kafka = new Kafka(config)
  // If an acknowledgement gets lost, an idempotent producer sends again without doubling the record.
  const producer = kafka.producer({ idempotent: true })
  // kafkajs stops only between two fetches, and by default a fetch can wait for 5 s: that is too long for a test.
  const consumer = kafka.consumer({ groupId: 'shipping', maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({
    eachMessage: async ({ message }) => {
      await producer.send({ topic: 'shipments', messages: [{ key: message.key, value: JSON.stringify({ order: String(message.key) }) }] })
    },
  })
  return {
    async [Symbol.asyncDispose]() {
      await consumer.disconnect()
      await producer.disconnect()
    },
  }
}
