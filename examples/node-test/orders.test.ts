// Each test starts its own Kafka, which ends with the test.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { kafkaFor } from 'local-kafka-service/node-test'

void test('an order is announced', async (t) => {
  const kafka = await kafkaFor(t, { topics: { orders: 1 } })

  const producer = new Producer({ ...kafka.clientConfig('platformatic'), serializers: stringSerializers })
  await producer.send({ messages: [{ topic: 'orders', key: '42', value: '{"sku":"A"}' }] })
  await producer.close()

  const [order] = await kafka.waitFor('orders', 1)
  assert.equal(order.keyText(), '42')
  assert.deepEqual(order.json(), { sku: 'A' })
})

void test('each test has its own Kafka', async (t) => {
  const kafka = await kafkaFor(t, { topics: { orders: 1 } })

  assert.deepEqual(await kafka.records('orders'), [])
})
