// A producer, and a consumer in a group that commits its offsets, with unmodified @platformatic/kafka.
// Run it with `node --conditions=lks-source examples/platformatic.ts`.
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { startKafka } from 'local-kafka-service'

await using server = await startKafka({ topics: { orders: 3 } })
const options = { clientId: 'shop', bootstrapBrokers: [server.bootstrapServers] }

const producer = new Producer({ ...options, serializers: stringSerializers, idempotent: true })
await producer.send({
  messages: [
    { topic: 'orders', key: 'order-1', value: 'coffee' },
    { topic: 'orders', key: 'order-2', value: 'tea' },
  ],
})
await producer.close()

const consumer = new Consumer({ ...options, groupId: 'kitchen', deserializers: stringDeserializers })
const stream = await consumer.consume({ topics: ['orders'], mode: 'committed', fallbackMode: 'earliest', autocommit: false })
let count = 0
for await (const message of stream) {
  console.log(`${message.key}: ${message.value}`)
  await message.commit()
  count += 1
  if (count === 2) break
}
await stream.close()
await consumer.close()
console.log(`the kitchen is behind by ${await server.group('kitchen').lag()}`)
