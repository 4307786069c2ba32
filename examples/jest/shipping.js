// The code under test: ships what is ordered. It knows nothing of this server, only how its client is configured.
const { Kafka } = require('kafkajs')

async function startShipping(config) {
  const kafka = new Kafka(config)
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'shipping' })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({
    eachMessage: async ({ message }) => {
      await producer.send({ topic: 'shipments', messages: [{ key: message.key, value: JSON.stringify({ order: String(message.key) }) }] })
    },
  })
  return async () => {
    await consumer.disconnect()
    await producer.disconnect()
  }
}

module.exports = { startShipping }
