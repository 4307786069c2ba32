// Faults of requests, with real clients: a lost ack, a moved leader, a broken connection, a lost heartbeat.
import { expect, test } from 'vitest'
import { type Kafka, startKafka } from '../../index.ts'
import { clients, type TestClient } from './testing/clients.ts'

const each = test.each(clients)

/** The stored values, read by a consumer of its own group. */
async function stored(kafka: Kafka, { consumer }: TestClient, count: number): Promise<readonly string[]> {
  await using reader = await consumer(kafka, { group: 'what-is-stored', topic: 'orders', clientId: 'reader' })
  await reader.received(count)
  // A record after these would be in the same answer, or in the next one.
  const before = kafka.requests({ api: 'Fetch', clientId: 'reader', outcome: 'answered' }).length
  await holds(() => kafka.requests({ api: 'Fetch', clientId: 'reader', outcome: 'answered' }).length > before + 1)
  return [...reader.values]
}

/** Whatever bytes there are in it. */
function textOf(value: unknown): string {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
  return typeof value === 'object' && value !== null ? Object.values(value).map(textOf).join() : ''
}

/** Checks again in every turn until the condition holds. */
async function holds(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

each('$name: after a lost ack a producer retries: the record is in the log twice without idempotence, once with it', async (client) => {
  await using kafka = await startKafka()
  await using plain = await client.producer(kafka, { clientId: 'plain' })
  await plain.send('orders', 'first')
  const lost = kafka.faults.loseAck('Produce', { topic: 'orders', times: 1 })
  await plain.send('orders', 'plain')
  expect(lost.hits).toBe(1)
  expect(kafka.faults.list()).toEqual([])
  const again = kafka.faults.loseAck('Produce', { topic: 'orders', times: 1 })
  await using idempotent = await client.producer(kafka, { clientId: 'idempotent', idempotent: true })
  await idempotent.send('orders', 'idempotent')
  expect(again.hits).toBe(1)
  expect(await stored(kafka, client, 4)).toEqual(['first', 'plain', 'plain', 'idempotent'])
  expect(kafka.requests({ api: 'Produce', clientId: 'idempotent' })).toMatchObject([
    { outcome: 'lost', faults: ['loseAck Produce, topic orders, once'] },
    { outcome: 'answered', errors: [], faults: [] },
  ])
  kafka.expectNoErrors()
})

each('$name: after NOT_LEADER_OR_FOLLOWER twice the producer continues', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  const moved = kafka.faults.fail('Produce', 'NOT_LEADER_OR_FOLLOWER', { topic: 'orders', times: 2 })
  await sender.send('orders', 'two')
  expect(moved.hits).toBe(2)
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
  const failed = kafka.requests({ api: 'Produce', where: ({ errors }) => errors.length > 0 })
  expect(failed).toHaveLength(2)
  expect(failed[0]).toMatchObject({
    errors: [{ error: 'NOT_LEADER_OR_FOLLOWER', topic: 'orders', partition: 0 }],
    faults: ['fail Produce NOT_LEADER_OR_FOLLOWER, topic orders, 2 times'],
  })
  // The fault caused these errors.
  kafka.expectNoErrors()
})

each('$name: after NOT_LEADER_OR_FOLLOWER for a fetch the consumer finds the leader and continues', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  const moved = kafka.faults.fail('Fetch', 'NOT_LEADER_OR_FOLLOWER', { topic: 'orders', times: 2 })
  await using reader = await client.consumer(kafka, { group: 'g', topic: 'orders' })
  await reader.received(1)
  expect(moved.hits).toBe(2)
})

each('$name: a connection that breaks during a produce costs a retry, and no record', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka, { idempotent: true })
  await sender.send('orders', 'one')
  kafka.faults.disconnect('Produce', { times: 1 })
  await sender.send('orders', 'two')
  expect(kafka.faults.disconnect({ clientId: 'nobody' })).toBe(0)
  expect(kafka.faults.disconnect()).toBeGreaterThan(0)
  await sender.send('orders', 'three')
  expect(await stored(kafka, client, 3)).toEqual(['one', 'two', 'three'])
})

each('$name: a batch that is sent twice is stored twice without idempotence, once with it', async (client) => {
  await using kafka = await startKafka()
  kafka.faults.duplicate('Produce')
  await using plain = await client.producer(kafka)
  await plain.send('orders', 'plain')
  await using idempotent = await client.producer(kafka, { idempotent: true })
  await idempotent.send('orders', 'idempotent')
  kafka.faults.clear()
  expect(await stored(kafka, client, 3)).toEqual(['plain', 'plain', 'idempotent'])
})

each('$name: a produce without an answer is sent again after its time-out', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka, { clientId: 'sender', requestTimeoutMs: 300 })
  await sender.send('orders', 'one')
  kafka.faults.drop('Produce', { times: 1 })
  await sender.send('orders', 'two')
  expect(kafka.requests({ api: 'Produce' }).map(({ outcome }) => outcome)).toEqual(['answered', 'dropped', 'answered'])
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
})

each('$name: after a heartbeat without an answer the consumer continues', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  await using reader = await client.consumer(kafka, { group: 'g', topic: 'orders', requestTimeoutMs: 500 })
  await reader.received(1)
  const dropped = kafka.faults.drop('Heartbeat', { group: 'g', times: 1 })
  await holds(() => dropped.hits === 1)
  await sender.send('orders', 'two')
  await reader.received(2)
  expect(kafka.requests({ api: 'Heartbeat', outcome: 'dropped' })).toMatchObject([
    { groupId: 'g', faults: ['drop Heartbeat, group g, once'] },
  ])
  kafka.expectNoErrors()
})

test('@platformatic/kafka: if a broker hangs, the client closes the connection, and the record is there once', async () => {
  await using kafka = await startKafka()
  const [, client] = clients as [TestClient, TestClient]
  await using sender = await client.producer(kafka, { idempotent: true, requestTimeoutMs: 300 })
  await sender.send('orders', 'one')
  const hangs = kafka.faults.hang('Produce', { times: 1 })
  await sender.send('orders', 'two')
  expect(hangs.hits).toBe(1)
  expect(await stored(kafka, client, 2)).toEqual(['one', 'two'])
})

test('kafkajs: if a broker hangs, the client never closes the connection, and fails when its retries are used up', async () => {
  await using kafka = await startKafka()
  const [client] = clients as [TestClient]
  await using sender = await client.producer(kafka, { clientId: 'stuck', requestTimeoutMs: 200, retries: 2 })
  await sender.send('orders', 'one')
  kafka.faults.hang('Produce', { times: 1 })
  await expect(sender.send('orders', 'two')).rejects.toThrow(/timed out/)
  expect(kafka.requests({ api: 'Produce', clientId: 'stuck' }).map(({ outcome }) => outcome)).toEqual(['answered', 'dropped'])
  // Its disconnect waits for pending requests: a test that hangs a broker for kafkajs removes the fault like this.
  expect(kafka.faults.disconnect({ clientId: 'stuck' })).toBeGreaterThan(0)
})

each('$name: a forced rebalance: the member rejoins and continues', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  await using reader = await client.consumer(kafka, { group: 'g', topic: 'orders' })
  await reader.received(1)
  const joins = kafka.requests({ api: 'JoinGroup' }).length
  const rebalance = kafka.faults.fail('Heartbeat', 'REBALANCE_IN_PROGRESS', { group: 'g', times: 1 })
  await holds(() => kafka.requests({ api: 'JoinGroup', outcome: 'answered' }).length > joins)
  expect(rebalance.hits).toBe(1)
  await sender.send('orders', 'two')
  await holds(() => reader.values.includes('two'))
})

each('$name: delayed requests run in the order of their arrival', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  const came: (string | undefined)[] = ['one']
  kafka.faults.on('Produce', ({ body }) => {
    came.push(/two|three|four/.exec(textOf(body.topicData))?.[0])
    return { delay: '50ms' }
  })
  await Promise.all(['two', 'three', 'four'].map((value) => sender.send('orders', value)))
  expect(new Set(came).size).toBe(4)
  expect(await stored(kafka, client, 4)).toEqual(came)
})

each('$name: a fetch that is a long poll, and a join that waits, can be delayed and lost like any other request', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka)
  await sender.send('orders', 'one')
  kafka.faults.delay('JoinGroup', 20)
  kafka.faults.loseAck('JoinGroup', { times: 1 })
  kafka.faults.loseAck('Fetch', { times: 1, when: ({ summary }) => summary.includes('from 1') })
  await using reader = await client.consumer(kafka, { group: 'g', topic: 'orders' })
  await reader.received(1)
  await holds(() => kafka.requests({ api: 'Fetch', outcome: 'lost' }).length === 1)
  await sender.send('orders', 'two')
  await holds(() => reader.values.includes('two'))
  expect(kafka.requests({ api: 'JoinGroup', outcome: 'lost' })).toHaveLength(1)
})

each('$name: a function of the test sees the request and decides it asynchronously', async (client) => {
  await using kafka = await startKafka()
  const released = Promise.withResolvers<void>()
  const bodies: unknown[] = []
  kafka.faults.on(
    'Produce',
    async ({ body }) => {
      bodies.push(body.acks)
      await released.promise
      return { error: 'NOT_ENOUGH_REPLICAS' }
    },
    { times: 1 },
  )
  await using sender = await client.producer(kafka)
  const sending = sender.send('orders', 'one')
  await holds(() => bodies.length === 1)
  expect(kafka.requests({ api: 'Produce' })).toMatchObject([{ outcome: 'waiting' }])
  released.resolve()
  await sending
  expect(bodies[0]).toBe(-1)
  expect(kafka.requests({ api: 'Produce' }).map(({ errors }) => errors.map(({ error }) => error))).toEqual([['NOT_ENOUGH_REPLICAS'], []])
  kafka.expectNoErrors()
})

each('$name: an error in a function of the test is reported to the test, and the client gets an answer', async (client) => {
  await using kafka = await startKafka()
  kafka.faults.on(
    'Produce',
    () => {
      throw new TypeError('no such field')
    },
    { when: ({ topics }) => topics.includes('orders') },
  )
  await using sender = await client.producer(kafka, { retries: 0 })
  await expect(sender.send('orders', 'one')).rejects.toThrow()
  expect(() => kafka.expectNoErrors()).toThrow('a fault of the test threw: no such field')
})

each('$name: throttled clients get the throttle time, and are served', async (client) => {
  await using kafka = await startKafka()
  await using sender = await client.producer(kafka, { clientId: 'slow' })
  const throttled = kafka.faults.throttle(20, { api: 'Produce', clientId: 'slow' })
  await sender.send('orders', 'one')
  await sender.send('orders', 'two')
  expect(throttled.hits).toBe(2)
  kafka.expectNoErrors()
})

test('if several faults match a request, delays add up, the first one that decides it wins, and the others wait for the next request', async () => {
  await using kafka = await startKafka()
  const [{ producer }] = clients as [TestClient]
  kafka.faults.delay('Produce', 5)
  kafka.faults.delay('Produce', 6)
  kafka.faults.fail('Produce', 'NOT_LEADER_OR_FOLLOWER', { times: 1 })
  kafka.faults.fail('Produce', 'NOT_ENOUGH_REPLICAS', { times: 1 })
  await using sender = await producer(kafka)
  await sender.send('orders', 'one')
  expect(kafka.requests({ api: 'Produce' }).map(({ faults }) => faults)).toEqual([
    ['delay Produce 5ms', 'delay Produce 6ms', 'fail Produce NOT_LEADER_OR_FOLLOWER, once'],
    ['delay Produce 5ms', 'delay Produce 6ms', 'fail Produce NOT_ENOUGH_REPLICAS, once'],
    ['delay Produce 5ms', 'delay Produce 6ms'],
  ])
  expect(kafka.faults.seen().map(({ fault, struck }) => [fault, struck.slice(0, 19)])[2]).toEqual([
    'fail Produce NOT_LEADER_OR_FOLLOWER, once',
    'Produce 7 of kafkaj',
  ])
})

test('a fault ends with its block, when it is removed, and when all are cleared', async () => {
  await using kafka = await startKafka()
  {
    using fault = kafka.faults.drop('Heartbeat')
    expect(kafka.faults.list()).toEqual([fault])
  }
  expect(kafka.faults.list()).toEqual([])
  const removed = kafka.faults.hang('Fetch')
  removed.remove()
  removed.remove()
  kafka.faults.store.disconnect()
  kafka.faults.metadata.disconnect()
  expect(kafka.faults.list().map(({ words }) => words)).toEqual(['store: disconnect', 'metadata: disconnect'])
  kafka.faults.clear()
  expect(kafka.faults.list()).toEqual([])
})

test('a stop does not wait for faults: hanging and undecided requests are released, delayed requests run', async () => {
  const kafka = await startKafka({ topics: { orders: 1, hung: 1, pending: 1 } })
  const [{ producer }] = clients as [TestClient]
  await using sender = await producer(kafka, { retries: 0, clientId: 'delayed' })
  await using hung = await producer(kafka, { retries: 0, clientId: 'hung' })
  await using pending = await producer(kafka, { retries: 0, clientId: 'pending' })
  kafka.faults.delay('Produce', '1h', { clientId: 'delayed' })
  kafka.faults.hang('Produce', { clientId: 'hung' })
  kafka.faults.on('Produce', () => new Promise(() => {}), { clientId: 'pending' })
  const sent = Promise.allSettled([sender.send('orders', 'one'), hung.send('hung', 'one'), pending.send('pending', 'one')])
  await holds(() => kafka.requests({ api: 'Produce' }).length === 3)
  await kafka.stop()
  expect((await sent).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
})

test('a reset removes the faults, including those that would block it, and clears the recorded requests', async () => {
  await using kafka = await startKafka({ topics: { orders: 1 }, log: 'silent' })
  const [{ producer }] = clients as [TestClient]
  await using sender = await producer(kafka)
  kafka.faults.delay('Produce', 1, { times: 1 })
  await sender.send('orders', 'one')
  kafka.faults.metadata.disconnect()
  kafka.faults.drop('Fetch')
  await kafka.reset()
  expect([kafka.faults.list(), kafka.faults.seen(), kafka.requests(), await kafka.records('orders')]).toEqual([[], [], [], []])
})

test('the random choice of a rate is the same in every run, at the given rate', async () => {
  const struck = async (seed: number): Promise<readonly number[]> => {
    await using kafka = await startKafka()
    const [{ producer }] = clients as [TestClient]
    const fault = kafka.faults.delay('Produce', 1, { rate: 0.3, seed })
    await using sender = await producer(kafka)
    const hits: number[] = []
    for (let at = 0; at < 60; at += 1) {
      await sender.send('orders', `${at}`)
      if (fault.hits > hits.length) hits.push(at)
    }
    return hits
  }
  const one = await struck(1)
  expect(await struck(1)).toEqual(one)
  expect(await struck(2)).not.toEqual(one)
  expect(one.length).toBeGreaterThan(6)
  expect(one.length).toBeLessThan(30)
})

test.each<[string, (kafka: Kafka) => unknown, string]>([
  [
    'an API',
    ({ faults }) => faults.fail('produce' as never, 'NOT_LEADER_OR_FOLLOWER'),
    "'produce' is not a known API; did you mean Produce?",
  ],
  [
    'an error',
    ({ faults }) => faults.fail('Produce', 'NOT_LEADER' as never),
    "'NOT_LEADER' is not a known error; did you mean NOT_LEADER_OR_FOLLOWER?",
  ],
  ['no error at all', ({ faults }) => faults.fail('Produce', 'NONE' as never), "'NONE' is not a known error"],
  ['a duration', ({ faults }) => faults.delay('Produce', 'soon'), "delay: 'soon' is not a valid duration: use a number of milliseconds"],
  ['a negative duration', ({ faults }) => faults.throttle(-1), "throttle: '-1' is not a valid duration"],
  ['times', ({ faults }) => faults.drop('Heartbeat', { times: 0 }), 'times: 0: must be an integer of at least 1'],
  ['a rate', ({ faults }) => faults.drop('Heartbeat', { rate: 10 }), 'rate: 10: must be above 0 and at most 1'],
  ['an option', ({ faults }) => faults.drop('Heartbeat', { topik: 't' } as never), "'topik' is not a known option; did you mean topic?"],
  [
    'an operation',
    ({ faults }) => faults.store.fail('write' as never, 'full'),
    "'write' is not a known operation: it is one of put, read, list, remove",
  ],
  [
    'a kind of error',
    ({ faults }) => faults.store.fail('put', 'SlowDown' as never),
    "'SlowDown' is not a known kind of error: it is one of throttled,",
  ],
  ['an invalid reply', ({ faults }) => faults.store.loseReply('read' as never), "'read' is not a known operation whose reply can be lost"],
  ['a verb', ({ faults }) => faults.metadata.loseReply('comit' as never), "'comit' is not a known verb; did you mean commit?"],
])('an invalid value for %s is rejected with advice, and changes nothing', async (_, ask, message) => {
  await using kafka = await startKafka()
  expect(() => ask(kafka)).toThrow(message)
  expect(() => ask(kafka)).toThrow(expect.objectContaining({ name: 'UserError', code: 'LKS-1004' }))
  expect(kafka.faults.list()).toEqual([])
})
