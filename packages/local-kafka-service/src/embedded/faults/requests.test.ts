// The requests that a test can see, and how `expectNoErrors` reports their errors.

import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startKafka } from '../../index.ts'
import { clients } from './testing/clients.ts'

test.each(clients)('$name: every request is recorded with its client, topics, groups and summary', async ({ producer, consumer }) => {
  await using kafka = await startKafka()
  {
    await using sender = await producer(kafka, { clientId: 'billing', idempotent: true })
    await sender.send('orders', 'one', 'two')
    await using reader = await consumer(kafka, { clientId: 'billing', group: 'g', topic: 'orders' })
    await reader.received(2)
  }
  const [produced] = kafka.requests({ api: 'Produce', topic: 'orders' })
  expect(produced).toMatchObject({ clientId: 'billing', topics: ['orders'], outcome: 'answered', errors: [], faults: [] })
  expect(produced?.summary).toMatch(/^orders\[0\] 2 records, \d+ bytes, producer 0 epoch 0 sequence 0; acks=-1$/)
  expect(kafka.requests({ api: 'JoinGroup', groupId: 'g' })[0]).toMatchObject({
    groupId: 'g',
    summary: expect.stringMatching(/^group g as a new member; .+; session 10000 ms$/),
    errors: [{ error: 'MEMBER_ID_REQUIRED' }],
  })
  expect(kafka.requests({ api: 'Fetch' })[0]).toMatchObject({
    topics: ['orders'],
    summary: expect.stringMatching(/^orders\[0\] from 0; waits 100 ms/),
  })
  expect(kafka.requests({ clientId: 'nobody' })).toEqual([])
  expect(kafka.requests({ where: ({ version }) => version < 0 })).toEqual([])
  expect(kafka.requests({ outcome: 'waiting' })).toEqual([])
  const times = kafka.requests().map(({ at }) => at)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  // Expected errors of the protocol are not reported: a new member's first answer, a topic that does not exist yet.
  kafka.expectNoErrors()
})

test('an error that no fault caused is thrown with client, request, place and time, unless it is ignored', async () => {
  await using kafka = await startKafka()
  const [{ producer } = fail()] = clients
  await using sender = await producer(kafka, { clientId: 'billing', retries: 0 })
  await sender.send('orders', 'one')
  await expect(sender.send('orders', 'x'.repeat(2 * 1024 * 1024))).rejects.toThrow()
  expect(() => kafka.expectNoErrors()).toThrow(
    /^An error that no fault caused:\n {2}\d\d:\d\d:\d\d\.\d{3} billing Produce 7 orders\[0\]: MESSAGE_TOO_LARGE.*\nIf this is expected: expectNoErrors\(\{ ignore: \['MESSAGE_TOO_LARGE'\] \}\)$/,
  )
  kafka.expectNoErrors({ ignore: ['MESSAGE_TOO_LARGE'] })
  kafka.expectNoErrors({
    ignore: ({ error, topic, partition }, { api }) => `${api} ${topic} ${partition} ${error}` === 'Produce orders 0 MESSAGE_TOO_LARGE',
  })
  expect(() => kafka.expectNoErrors({ ignore: ['CORRUPT_MESSAGE'] })).toThrow('MESSAGE_TOO_LARGE')
})

test('a request that cannot be decoded is also an error', async () => {
  await using kafka = await startKafka()
  const socket = connect({ host: '127.0.0.1', port: kafka.port })
  await once(socket, 'connect')
  // API 999 in version 0.
  socket.end(Uint8Array.from([0, 0, 0, 10, 3, 0xe7, 0, 0, 0, 0, 0, 7, 0xff, 0xff]))
  socket.resume()
  await once(socket, 'close')
  expect(() => kafka.expectNoErrors()).toThrow(
    'connection 1 API 999 0 was rejected: API 999 0 is not served (API key 999); the connection was closed',
  )
  expect(kafka.requests({ api: 'API 999' })).toMatchObject([{ version: 0, outcome: 'closed' }])
})

test('a long poll is recorded while it waits', async () => {
  await using kafka = await startKafka()
  const [{ producer, consumer } = fail()] = clients
  await using sender = await producer(kafka)
  await sender.send('orders', 'one')
  await using reader = await consumer(kafka, { group: 'g', topic: 'orders' })
  await reader.received(1)
  await seen(() => kafka.requests({ api: 'Fetch', outcome: 'waiting' }).length > 0)
  expect(kafka.requests({ outcome: 'waiting' })).toMatchObject([{ api: 'Fetch', durationMs: undefined, errors: [] }])
})

/** Checks again in every turn until the condition holds. */
async function seen(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

function fail(): never {
  throw new Error('no client')
}
