// Copies the topic `source` to another with @platformatic/kafka, exactly once: in transactions with the offsets. It exits at any error, and begins again where the last transaction ended.
import { Consumer, type Message, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const [bootstrap = '', group = '', target = '', size = '', abortEach = ''] = process.argv.slice(2)
const common = { clientId: 'copier', bootstrapBrokers: bootstrap.split(','), retries: 100, retryDelay: 100 }

async function copy(): Promise<void> {
  // Without them its InitProducerId claims producer id 0 with epoch 0, and a second process of a transactional id that has another one is fenced.
  const none = { producerId: -1n, producerEpoch: -1 }
  const producer = new Producer({ ...common, ...none, serializers: stringSerializers, transactionalId: group, idempotent: true })
  const consumer = new Consumer({
    ...common,
    groupId: group,
    deserializers: stringDeserializers,
    autocommit: false,
    sessionTimeout: 6_000,
    heartbeatInterval: 500,
    maxWaitTime: 200,
  })
  const stream = await consumer.consume({ topics: ['source'], mode: 'committed', fallbackMode: 'earliest' })
  let transactions = 0
  let some: Message<string, string, string, string>[] = []
  for await (const message of stream) {
    some.push(message)
    if (some.length < Number(size)) continue
    const transaction = await producer.beginTransaction()
    await transaction.addConsumer(consumer)
    await transaction.send({ messages: some.map(({ value, partition }) => ({ topic: target, value, partition })) })
    const newest = new Map(some.map((one) => [one.partition, one]))
    for (const one of newest.values()) await transaction.addOffset(one)
    transactions += 1
    if (transactions % Number(abortEach) === 0) {
      await transaction.abort()
      throw new Error('aborted: begin again')
    }
    await transaction.commit()
    some = []
  }
}

copy().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exit(1)
})
