// Each test starts a new Kafka in its own process.
const { startKafka } = require('local-kafka-service')
const { startShipping } = require('./shipping.js')

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

test('ships an order', async () => {
  await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

  const [shipment] = await kafka.waitFor('shipments', 1)
  expect(shipment.json()).toEqual({ order: '42' })
  expect(shipment.key).toEqual(Buffer.from('42'))
})

test('ships an order once, although an acknowledgement gets lost', async () => {
  kafka.faults.loseAck('Produce', { topic: 'shipments', times: 1 })

  await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

  await kafka.group('shipping').caughtUp()
  expect(await kafka.records('shipments')).toHaveLength(1)
  expect(kafka.requests({ api: 'Produce', topic: 'shipments' }).map(({ outcome }) => outcome)).toEqual(['lost', 'answered'])
  kafka.expectNoErrors()
})

test('a wait that times out lists the records it saw', async () => {
  await kafka.produce('orders', { key: '42', json: { sku: 'A' } })

  await expect(kafka.waitFor('shipments', 2, { timeoutMs: 300 })).rejects.toThrow("waitFor('shipments', 2): not within 300 ms")
})
