// Each test starts its own Kafka, which ends with the test, and the application, which ends with the test's function, before its Kafka.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaFor } from 'local-kafka-service/node-test'
import { startShipping } from './shipping.ts'

const topics = { orders: 3, shipments: 1 }

void test('ships an order', async (t) => {
  const kafka = await kafkaFor(t, { topics })
  await using _app = await startShipping(kafka.clientConfig('kafkajs'))
  await kafka.group('shipping').ready()

  await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

  const [shipment] = await kafka.waitFor('shipments', 1)
  assert.equal(shipment.keyText(), '42')
  assert.deepEqual(shipment.json(), { order: '42' })
})

void test('ships an order once, although an acknowledgement gets lost', async (t) => {
  const kafka = await kafkaFor(t, { topics })
  await using _app = await startShipping(kafka.clientConfig('kafkajs'))
  await kafka.group('shipping').ready()
  kafka.faults.loseAck('Produce', { topic: 'shipments', times: 1 })

  await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

  await kafka.group('shipping').caughtUp()
  assert.equal((await kafka.records('shipments')).length, 1)
  const produced = kafka.requests({ api: 'Produce', topic: 'shipments' })
  assert.deepEqual(
    produced.map(({ outcome }) => outcome),
    ['lost', 'answered'],
  )
  kafka.expectNoErrors()
})
