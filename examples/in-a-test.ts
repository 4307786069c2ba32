// A test with a Kafka, which runs inside the test's own process, in memory, on any free port.
// Run it with `node --conditions=lks-source --test examples/in-a-test.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from 'local-kafka-service'

void test('an order is announced', async () => {
  await using kafka = await startKafka()

  await announce(kafka.bootstrapServers, { id: 'order-1', total: 42 })

  const [announced] = await kafka.waitFor('orders', 1)
  assert.equal(announced.keyText(), 'order-1')
  assert.deepEqual(announced.json(), { id: 'order-1', total: 42 })
})

/** The code under test. It knows only the address of a Kafka, and does not depend on this server. */
async function announce(brokers: string, order: { readonly id: string; readonly total: number }): Promise<void> {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.ERROR }).producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: order.id, value: JSON.stringify(order) }] })
  await producer.disconnect()
}
