// The same application with @platformatic/kafka: it writes an invoice for each order, exactly once. Run it with `node invoicing-platformatic.ts localhost:9092`.
// The invoices and the offsets of their orders are one transaction. After an error, or a kill at any moment, the next process goes on where the last transaction ended.
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const [brokers = 'localhost:9092'] = process.argv.slice(2)
const common = { clientId: 'invoicing', bootstrapBrokers: brokers.split(',') }
const producer = new Producer({
  ...common,
  serializers: stringSerializers,
  // The server ends the open transaction of an earlier process with this id, and rejects whatever that process still sends.
  transactionalId: 'invoicing',
  idempotent: true,
  // Without these two, version 2.12 sends producer id 0 and epoch 0, and the server rejects every process but the first.
  producerId: -1n,
  producerEpoch: -1,
})
const consumer = new Consumer({
  ...common,
  groupId: 'invoicing',
  deserializers: stringDeserializers,
  autocommit: false,
  sessionTimeout: 6_000,
  heartbeatInterval: 500,
  maxWaitTime: 100,
})
const orders = await consumer.consume({ topics: ['orders'], mode: 'committed', fallbackMode: 'earliest' })
// An error ends the process: another one begins at the committed offsets.
for await (const order of orders) {
  const transaction = await producer.beginTransaction()
  await transaction.addConsumer(consumer)
  await transaction.send({ messages: [{ topic: 'invoices', key: order.key, value: `invoice for ${order.value}` }] })
  await transaction.addOffset(order)
  await transaction.commit()
}
