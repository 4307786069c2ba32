// Each test has its own Kafka, a fork of the prepared one. So tests can use the same topics and groups, and run in parallel.
import { kafkaTest } from 'local-kafka-service/vitest'
import { describe, expect } from 'vitest'
import { startShipping } from './shipping.ts'

const test = kafkaTest({
  topics: { orders: 3, shipments: 1 },
  // Runs once per worker. Every test begins with this order, which is already shipped.
  prepare: async (kafka) => {
    await kafka.produce('orders', { key: '41', json: { sku: 'A' } })
    await kafka.produce('shipments', { key: '41', json: { order: '41' } })
    await kafka.group('shipping').seek('end', { topic: 'orders' })
  },
})

describe.concurrent('shipping', () => {
  test('ships an order', async ({ kafka }) => {
    await using _app = await startShipping(kafka.clientConfig('kafkajs'))
    await kafka.group('shipping').ready()

    await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

    const [shipment] = await kafka.waitFor('shipments', (record) => record.keyText() === '42')
    expect(shipment.json()).toEqual({ order: '42' })
    expect(await kafka.records('shipments')).toHaveLength(2)
  })

  test('ships an order once, although an acknowledgement gets lost', async ({ kafka }) => {
    await using _app = await startShipping(kafka.clientConfig('kafkajs'))
    await kafka.group('shipping').ready()
    kafka.faults.loseAck('Produce', { topic: 'shipments', times: 1 })

    await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

    await kafka.group('shipping').caughtUp()
    expect(await kafka.records('shipments')).toHaveLength(2)
    expect(kafka.requests({ api: 'Produce', topic: 'shipments' }).map(({ outcome }) => outcome)).toEqual(['lost', 'answered'])
    kafka.expectNoErrors()
  })

  test('ships every order, and reads none twice', async ({ kafka }) => {
    await using _app = await startShipping(kafka.clientConfig('kafkajs'))
    await kafka.group('shipping').ready()

    await kafka.produce('orders', ...['1', '2', '3'].map((key) => ({ key, json: { sku: 'A' } })))

    await kafka.group('shipping').caughtUp()
    const shipments = await kafka.records('shipments')
    expect(shipments.map((record) => String(record.keyText())).toSorted()).toEqual(['1', '2', '3', '41'])
  })
})
