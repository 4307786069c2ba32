// The application, with kafkajs: it writes an invoice for each order, exactly once. Run it with `node invoicing-kafkajs.ts localhost:9092`.
// The invoices and the offsets of their orders are one transaction. After an error, or a kill at any moment, the next process goes on where the last transaction ended.
import { Kafka } from 'kafkajs'

const [brokers = 'localhost:9092'] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'invoicing', brokers: brokers.split(',') })
// The server ends the open transaction of an earlier process with this id, and rejects whatever that process still sends.
const producer = kafka.producer({ transactionalId: 'invoicing', idempotent: true, maxInFlightRequests: 1 })
const consumer = kafka.consumer({ groupId: 'invoicing', sessionTimeout: 6_000, maxWaitTimeInMs: 100 })

/** kafkajs would go on after an error, with the rest of the batch: another process begins at the committed offsets. */
function end(error: unknown): never {
  console.error(error)
  process.exit(1)
}

consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error))
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topic: 'orders', fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ topic, partition, message }) => {
    try {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'invoices', messages: [{ key: message.key, value: `invoice for ${String(message.value)}` }] })
      const offset = String(BigInt(message.offset) + 1n)
      await transaction.sendOffsets({ consumerGroupId: 'invoicing', topics: [{ topic, partitions: [{ partition, offset }] }] })
      await transaction.commit()
    } catch (error) {
      end(error)
    }
  },
})
