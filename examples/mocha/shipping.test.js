// Each test starts a new Kafka in its own process, and the application; both end after the test.
import assert from 'node:assert/strict'
import { startKafka } from 'local-kafka-service'
import { startShipping } from './shipping.js'

describe('shipping', () => {
  let kafka
  let stopShipping
  beforeEach(async () => {
    kafka = await startKafka({ topics: { orders: 3, shipments: 1 } })
    stopShipping = await startShipping(kafka.clientConfig('kafkajs'))
    await kafka.group('shipping').ready()
  })
  afterEach(async () => {
    await stopShipping()
    await kafka.stop()
  })

  it('ships an order', async () => {
    await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

    const [shipment] = await kafka.waitFor('shipments', 1)
    assert.equal(shipment.keyText(), '42')
    assert.deepEqual(shipment.json(), { order: '42' })
  })

  it('ships an order once, although an acknowledgement gets lost', async () => {
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
})
