// Faults below the protocol, with real clients: the object store or the database is unavailable, slow, or loses its reply.
import { expect, test } from 'vitest'
import { type Kafka, type KafkaEvent, startKafka } from '../../index.ts'
import { clients, type TestClient } from './testing/clients.ts'

const each = test.each(clients)
const values = (from: number, to: number): readonly string[] => Array.from({ length: to - from }, (_, at) => `v${from + at}`)

async function stored(kafka: Kafka, { consumer }: TestClient, count: number): Promise<readonly string[]> {
  await using reader = await consumer(kafka, { group: 'what-is-stored', topic: 'orders', clientId: 'reader' })
  await reader.received(count)
  const before = kafka.requests({ api: 'Fetch', clientId: 'reader', outcome: 'answered' }).length
  await holds(() => kafka.requests({ api: 'Fetch', clientId: 'reader', outcome: 'answered' }).length > before + 1)
  return [...reader.values]
}

async function holds(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

each(
  '$name: the store is unavailable for a while: records sent meanwhile are acknowledged afterwards, and none is lost or duplicated',
  async (client) => {
    await using kafka = await startKafka({ log: 'silent' })
    await using sender = await client.producer(kafka, { idempotent: true })
    await sender.send('orders', ...values(0, 10))
    const away = kafka.faults.store.disconnect('1s')
    const sending = sender.send('orders', ...values(10, 20))
    await holds(() => away.hits > 1)
    expect(kafka.faults.seen()).toContainEqual({
      at: expect.any(Number),
      fault: 'store: disconnect, for 1s',
      struck: expect.stringMatching(/^put /),
    })
    await sending
    expect(kafka.faults.list()).toEqual([])
    expect(await stored(kafka, client, 20)).toEqual(values(0, 20))
    kafka.expectNoErrors()
  },
)

each('$name: a put whose reply is lost is retried, and stored once', async (client) => {
  await using kafka = await startKafka({ log: 'silent' })
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  const lost = kafka.faults.store.loseReply('put', { times: 2 })
  await sender.send('orders', 'two')
  expect(lost.hits).toBe(2)
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
  kafka.expectNoErrors()
})

each('$name: the database commits and loses the reply: the records are there once, even without idempotence', async (client) => {
  const events: KafkaEvent[] = []
  await using kafka = await startKafka({ log: 'silent', onEvent: (event) => events.push(event) })
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  const lost = kafka.faults.metadata.loseReply('commit', { times: 3 })
  await sender.send('orders', 'two')
  expect(lost.hits).toBe(3)
  expect(events).toContainEqual(expect.objectContaining({ kind: 'commit retried', outcome: 'unknown' }))
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
  expect(kafka.requests({ api: 'Produce' })).toHaveLength(2)
  kafka.expectNoErrors()
})

each('$name: the database is unavailable for a while: produce waits for it, and the group continues', async (client) => {
  await using kafka = await startKafka({ log: 'silent' })
  await using sender = await client.producer(kafka, { idempotent: true })
  await sender.send('orders', 'one')
  await using reader = await client.consumer(kafka, { group: 'g', topic: 'orders' })
  await reader.received(1)
  const away = kafka.faults.metadata.disconnect('700ms')
  await sender.send('orders', 'two')
  expect(away.hits).toBeGreaterThan(1)
  await holds(() => reader.values.includes('two'))
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
  kafka.expectNoErrors()
})

each('$name: a full store stays full: the producer receives a retriable error, which is attributed to the fault', async (client) => {
  await using kafka = await startKafka({ log: 'silent' })
  await using sender = await client.producer(kafka, { idempotent: true })
  await sender.send('orders', 'one')
  const full = kafka.faults.store.fail('put', 'full', { times: 1 })
  await sender.send('orders', 'two')
  expect(full.hits).toBe(1)
  expect(kafka.requests({ api: 'Produce', where: ({ errors }) => errors.length > 0 })[0]).toMatchObject({
    faults: ['store: fail put full, once'],
    errors: [{ error: 'NOT_ENOUGH_REPLICAS', topic: 'orders', partition: 0 }],
  })
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
  kafka.expectNoErrors()
})

each('$name: a slow store and a slow database only cost time', async (client) => {
  await using kafka = await startKafka({ log: 'silent' })
  const slow = [kafka.faults.store.delay('put', 30), kafka.faults.metadata.delay(10, { when: ({ verb }) => verb === 'commit' })]
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  expect(slow.map(({ hits }) => hits)).toEqual([1, 1])
  expect(await stored(kafka, client, 1)).toEqual(['one'])
  const [produced] = kafka.requests({ api: 'Produce' })
  expect(produced).toMatchObject({ outcome: 'answered', errors: [] })
})

test('expectNoErrors reports a test function that throws below the protocol, and the request passes', async () => {
  await using kafka = await startKafka({ log: 'silent' })
  const [client] = clients as [TestClient]
  kafka.faults.store.fail('put', 'full', {
    when: () => {
      throw new TypeError('no such field')
    },
  })
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  expect(() => kafka.expectNoErrors()).toThrow(/put .*: a fault of the test threw: no such field/)
})
