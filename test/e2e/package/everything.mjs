// Run from a folder in which the package is installed: a server in memory and one in a directory, every codec, HTTP; prints what it saw as one line of JSON.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startKafka, UserError } from 'local-kafka-service'
import { kafkaFor } from 'local-kafka-service/node-test'

const require = createRequire(join(process.cwd(), 'package.json'))
const required = require('local-kafka-service')
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = require(
  join(process.cwd(), 'node_modules/local-kafka-service/dist/kafka-client.cjs'),
)
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const seen = {
  node: process.versions.node,
  oneLibrary: required.startKafka === startKafka && required.UserError === UserError,
  values: {},
  http: {},
}

for (const [name, options] of [
  ['memory', { http: true }],
  ['directory', { dir: join(process.cwd(), `.lks-${process.version}`) }],
]) {
  const kafka = await startKafka(options)
  const client = { clientId: 'everything', bootstrapBrokers: [kafka.bootstrapServers] }
  const admin = new Admin(client)
  await admin.createTopics({ topics: ['letters'], partitions: 1 })
  await admin.close()
  for (const compression of compressions) {
    const producer = new Producer({ ...client, serializers: stringSerializers, compression, idempotent: true })
    await producer.send({ messages: [{ topic: 'letters', key: 'key', value: compression }] })
    await producer.close()
  }
  const consumer = new Consumer({ ...client, groupId: 'readers', deserializers: stringDeserializers })
  const stream = await consumer.consume({ topics: ['letters'], mode: 'earliest' })
  const values = []
  for await (const message of stream) {
    values.push(message.value)
    if (values.length === compressions.length) break
  }
  await stream.close()
  await consumer.close(true)
  seen.values[name] = values
  if (kafka.urls !== undefined) {
    const metrics = await (await fetch(`${kafka.urls.control}/metrics`)).text()
    const { openapi } = await (await fetch(`${kafka.urls.control}/openapi.json`)).json()
    const { records } = await (await fetch(`${kafka.urls.data}/topics/letters/messages/0?offset=0`)).json()
    seen.http = { metrics: metrics.includes('# HELP'), openapi, read: records.map(({ value }) => value) }
  }
  await kafka.stop()
}

const stops = []
const kafka = await kafkaFor({ after: (stop) => stops.push(stop) })
for (const stop of stops) await stop()
seen.endedWithItsTest = await kafka.ended

try {
  await startKafka({ port: -1 })
} catch (error) {
  seen.refused = error instanceof required.UserError
}
console.log(JSON.stringify(seen))
