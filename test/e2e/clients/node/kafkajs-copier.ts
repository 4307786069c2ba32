// Copies the topic `source` to another with kafkajs, exactly once: in transactions with the offsets. It exits at any error, and begins again where the last transaction ended.
import { Kafka, logLevel } from 'kafkajs'

const [bootstrap = '', group = '', target = '', size = '', abortEach = ''] = process.argv.slice(2)
const recordsEach = Number(size)
const kafka = new Kafka({
  brokers: bootstrap.split(','),
  logLevel: logLevel.NOTHING,
  retry: { retries: 30, initialRetryTime: 50, maxRetryTime: 500 },
})
const producer = kafka.producer({ transactionalId: group, idempotent: true, maxInFlightRequests: 1 })
const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6_000, heartbeatInterval: 500, maxWaitTimeInMs: 200 })

function end(error: unknown): never {
  process.stderr.write(`${String(error)}\n`)
  process.exit(1)
}

async function copy(): Promise<void> {
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: 'source', fromBeginning: true })
  let transactions = 0
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    async eachBatch(given) {
      const { topic, partition, messages } = given.batch
      for (let at = 0; at < messages.length; at += recordsEach) {
        const some = messages.slice(at, at + recordsEach)
        const last = some.at(-1)?.offset ?? '0'
        try {
          const transaction = await producer.transaction()
          await transaction.send({ topic: target, messages: some.map(({ value }) => ({ value, partition })) })
          const next = String(Number(last) + 1)
          await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition, offset: next }] }] })
          transactions += 1
          if (transactions % Number(abortEach) === 0) {
            await transaction.abort()
            end('aborted: begin again')
          }
          await transaction.commit()
        } catch (error) {
          end(error)
        }
        given.resolveOffset(last)
        await given.heartbeat()
      }
    },
  })
}

consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error))
copy().catch(end)
