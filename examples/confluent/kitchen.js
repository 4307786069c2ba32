// A producer, and a consumer in a group, with unmodified @confluentinc/kafka-javascript.
// The package is CommonJS, so its names are properties of the default export.
import confluent from '@confluentinc/kafka-javascript'
import { startKafka } from 'local-kafka-service'

await using server = await startKafka({ topics: { orders: 3 } })
const kafka = new confluent.KafkaJS.Kafka(server.clientConfig('confluent'))

const producer = kafka.producer({ kafkaJS: { idempotent: true } })
await producer.connect()
await producer.send({
  topic: 'orders',
  messages: [
    { key: 'order-1', value: 'coffee' },
    { key: 'order-2', value: 'tea' },
  ],
})
await producer.disconnect()

const consumer = kafka.consumer({ kafkaJS: { groupId: 'kitchen', fromBeginning: true } })
await consumer.connect()
await consumer.subscribe({ topic: 'orders' })
const read = Promise.withResolvers()
let count = 0
await consumer.run({
  eachMessage: async ({ message }) => {
    console.log(`${String(message.key)}: ${String(message.value)}`)
    count += 1
    if (count === 2) read.resolve(undefined)
  },
})
await read.promise
await consumer.disconnect()
