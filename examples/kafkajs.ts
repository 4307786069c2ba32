// A producer, and a consumer in a group that commits its offsets, with unmodified kafkajs.
// Run it with `node --conditions=lks-source examples/kafkajs.ts`.
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from 'local-kafka-service'

await using server = await startKafka({ topics: { orders: 3 } })
const kafka = new Kafka({ clientId: 'shop', brokers: [server.bootstrapServers], logLevel: logLevel.ERROR })

const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()
await producer.send({
  topic: 'orders',
  messages: [
    { key: 'order-1', value: 'coffee' },
    { key: 'order-2', value: 'tea' },
  ],
})
await producer.disconnect()

const consumer = kafka.consumer({ groupId: 'kitchen' })
await consumer.connect()
await consumer.subscribe({ topic: 'orders', fromBeginning: true })
const read = Promise.withResolvers<void>()
let count = 0
await consumer.run({
  eachMessage: async ({ message }) => {
    console.log(`${String(message.key)}: ${String(message.value)}`)
    count += 1
    if (count === 2) read.resolve()
  },
})
await read.promise
// kafkajs commits the offsets before the member leaves.
await consumer.disconnect()
console.log(`the kitchen is behind by ${await server.group('kitchen').lag()}`)
