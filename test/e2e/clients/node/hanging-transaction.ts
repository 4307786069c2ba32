// Leaves a transaction of kafkajs open, with one record in the topic `copy`, until it is killed.
import { Kafka, logLevel } from 'kafkajs'

const [bootstrap = ''] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })
const producer = kafka.producer({ transactionalId: 'hangs', idempotent: true, maxInFlightRequests: 1 })

async function hang(): Promise<void> {
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'copy', messages: [{ value: 'hangs', partition: 0 }] })
  process.stdout.write('open\n')
  process.stdin.resume()
}

hang().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exit(1)
})
