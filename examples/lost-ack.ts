// The server writes a record, but its acknowledgement gets lost. The topic then has the record twice without idempotence, and once with it.
// Run it with `node --conditions=lks-source --test examples/lost-ack.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from 'local-kafka-service'

for (const [client, send] of Object.entries({ kafkajs: sendByKafkajs, '@platformatic/kafka': sendByPlatformatic })) {
  void test(`${client}: a lost ack doubles a record, unless the producer is idempotent`, async () => {
    await using kafka = await startKafka()

    kafka.faults.loseAck('Produce', { topic: 'plain', times: 1 })
    await send(kafka.bootstrapServers, { topic: 'plain', idempotent: false })
    assert.equal((await kafka.records('plain')).length, 2)

    kafka.faults.loseAck('Produce', { topic: 'careful', times: 1 })
    await send(kafka.bootstrapServers, { topic: 'careful', idempotent: true })
    assert.equal((await kafka.records('careful')).length, 1)

    // The client sent the same batch again, and received no error that no fault caused.
    assert.deepEqual(
      kafka.requests({ api: 'Produce', topic: 'careful' }).map(({ outcome }) => outcome),
      ['lost', 'answered'],
    )
    kafka.expectNoErrors()
  })
}

interface Sending {
  readonly topic: string
  readonly idempotent: boolean
}

async function sendByKafkajs(brokers: string, { topic, idempotent }: Sending): Promise<void> {
  const retry = { retries: 5, initialRetryTime: 20 }
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer({ idempotent, retry })
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'order-1', value: 'paid' }] })
  await producer.disconnect()
}

async function sendByPlatformatic(brokers: string, { topic, idempotent }: Sending): Promise<void> {
  const producer = new Producer({
    clientId: 'billing',
    bootstrapBrokers: [brokers],
    serializers: stringSerializers,
    autocreateTopics: true,
    idempotent,
    retries: 5,
    retryDelay: 20,
  })
  await producer.send({ messages: [{ topic, key: 'order-1', value: 'paid' }] })
  await producer.close()
}
