// The libraries' types and constructors accept the configurations, which reach the server.
import { Admin, Producer } from '@platformatic/kafka'
import { Kafka as KafkaJs } from 'kafkajs'
import { expect, test } from 'vitest'
import { startKafka } from '../index.ts'

test('kafkajs and platformatic accept their configurations unchanged', async () => {
  await using kafka = await startKafka()
  const kafkaJs = new KafkaJs(kafka.clientConfig('kafkajs')).producer()
  await kafkaJs.connect()
  await kafkaJs.send({ topic: 't', messages: [{ value: 'from kafkajs' }] })
  await kafkaJs.disconnect()
  const platformatic = new Producer(kafka.clientConfig('platformatic'))
  await platformatic.send({ messages: [{ topic: 't', value: Buffer.from('from platformatic') }] })
  await platformatic.close()
  const admin = new Admin(kafka.clientConfig('platformatic'))
  expect(await admin.listTopics({})).toEqual(['t'])
  await admin.close()
  expect((await kafka.records('t')).map((record) => record.text())).toEqual(['from kafkajs', 'from platformatic'])
})

test('configurations for librdkafka use librdkafka’s own properties', async () => {
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  expect(kafka.clientConfig('node-rdkafka')).toMatchObject({ 'metadata.broker.list': bootstrapServers })
  expect(kafka.clientConfig('confluent')).toMatchObject({ kafkaJS: { brokers: [bootstrapServers] }, 'reconnect.backoff.ms': 50 })
})

test('each configuration belongs to the caller, and an unknown name is an error', async () => {
  await using kafka = await startKafka({ http: true })
  kafka.clientConfig('kafkajs').brokers.push('elsewhere:9092')
  kafka.brokers.push('elsewhere:9092')
  expect(kafka.clientConfig('kafkajs').brokers).toEqual([kafka.bootstrapServers])
  expect(kafka.brokers).toEqual([kafka.bootstrapServers])
  // The cast: a caller without types may pass any name.
  expect(() => kafka.clientConfig('kafka-node' as 'kafkajs')).toThrow('use one of kafkajs, confluent, platformatic, node-rdkafka')
  expect(kafka.env).toEqual({
    KAFKA_BROKERS: kafka.bootstrapServers,
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    LKS_URL: kafka.urls?.control,
  })
})
