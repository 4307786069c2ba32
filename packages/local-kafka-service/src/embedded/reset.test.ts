// reset() under clients that stay connected.
import { Kafka as KafkaJs, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { startKafka } from '../index.ts'

test('C3: an idempotent producer that is connected during a reset() continues in the new topic', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  const producer = new KafkaJs({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  try {
    const send = (value: string): Promise<unknown> => producer.send({ topic: 'orders', acks: -1, messages: [{ value }] })
    for (const value of ['a', 'b', 'c']) await send(value)
    await kafka.reset()
    for (const value of ['d', 'e']) await send(value)
    expect((await kafka.records('orders')).map((record) => [record.offset, record.text()])).toEqual([
      [0, 'd'],
      [1, 'e'],
    ])
  } finally {
    await producer.disconnect()
  }
})
