// reset() under clients that stay connected.
import { Kafka as KafkaJs, logLevel, type Producer } from 'kafkajs'
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

test('after a reset() no transaction is open, and a transactional producer that is connected goes on', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 } })
  const client = new KafkaJs({ brokers: kafka.brokers, logLevel: logLevel.NOTHING })
  const [staying, hanging] = ['staying', 'hanging'].map((transactionalId) =>
    client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 }),
  ) as [Producer, Producer]
  await Promise.all([staying.connect(), hanging.connect()])
  const commit = async (value: string): Promise<void> => {
    const transaction = await staying.transaction()
    await transaction.send({ topic: 'orders', messages: [{ value }] })
    await transaction.commit()
  }
  await commit('before')
  const open = await hanging.transaction()
  await open.send({ topic: 'orders', messages: [{ value: 'open' }] })
  await kafka.reset()
  expect(await kafka.transactions()).toEqual([])
  await expect(open.commit()).rejects.toThrow()
  await commit('after')
  expect((await kafka.records('orders')).map((record) => record.text())).toEqual(['after'])
  expect(await kafka.transactions()).toMatchObject([{ transactionalId: 'staying', state: 'CompleteCommit' }])
  await Promise.all([staying.disconnect(), hanging.disconnect()])
})
