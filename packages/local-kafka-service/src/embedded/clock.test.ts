// The clock of an embedded server: time-outs, timestamps and expiry follow it, members and sockets only on request.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, describe, expect, test } from 'vitest'
import { type StartKafkaOptions, startKafka } from '../index.ts'
import { clockOf } from './clock.ts'
import { clients } from './faults/testing/clients.ts'
import { takeSnapshot } from './snapshot.ts'

const day = 86_400_000
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const kept: readonly { readonly where: string; readonly options: () => StartKafkaOptions }[] = [
  { where: 'in memory', options: () => ({}) },
  {
    where: 'in a directory',
    options: () => {
      const dir = mkdtempSync(join(tmpdir(), 'lks-clock-'))
      folders.push(dir)
      return { dir }
    },
  },
]

describe.each(clients)('members of $name', (client) => {
  test('a session times out without waiting, on request', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    const group = kafka.group('g')
    // It joins, and then sends nothing for longer than this test may take.
    await using _silent = await client.consumer(kafka, { group: 'g', topic: 't', sessionTimeoutMs: 60_000, heartbeatMs: 59_000 })
    await group.ready(1, { fetching: false })
    const [member] = (await group.describe()).members
    await kafka.clock.advance('1h')
    expect((await group.describe()).members).toMatchObject([{ memberId: member?.memberId }])
    await kafka.clock.advance('61s', { sessions: 'expire' })
    expect((await group.describe()).members.map(({ memberId }) => memberId)).not.toContain(member?.memberId)
  })

  test('a live member notices it and rejoins by itself', async () => {
    await using kafka = await startKafka({ topics: { t: 1 } })
    await using consumer = await client.consumer(kafka, { group: 'g', topic: 't', sessionTimeoutMs: 30_000, heartbeatMs: 50 })
    await kafka.group('g').ready()
    await kafka.clock.advance('1m', { sessions: 'expire' })
    await kafka.produce('t', 'after')
    await consumer.received(1)
    await kafka.group('g').ready()
  })

  test('its connections survive days, and its later requests use the new time', async () => {
    await using kafka = await startKafka({ topics: { t: { config: { 'message.timestamp.type': 'LogAppendTime' } } } })
    await using producer = await client.producer(kafka)
    await using consumer = await client.consumer(kafka, { group: 'g', topic: 't' })
    await producer.send('t', 'before')
    await consumer.received(1)
    await kafka.clock.advance('8d')
    await producer.send('t', 'after')
    await consumer.received(2)
    const [before, after] = await kafka.records('t')
    expect(Number(after?.timestamp) - Number(before?.timestamp)).toBeGreaterThanOrEqual(8 * day)
    expect(kafka.requests({ api: 'ApiVersions' }).length).toBeLessThanOrEqual(6)
  })
})

describe.each(kept)('of a server $where', ({ options }) => {
  test('committed offsets expire by the clock, and not before', async () => {
    await using kafka = await startKafka({ ...options(), topics: { t: 1 } })
    await kafka.produce('t', 'one')
    await kafka.group('g').seek('end', { topic: 't' })
    await kafka.clock.advance('6d')
    expect(await kafka.group('g').lag()).toBe(0)
    await kafka.clock.advance('25h')
    await expect(kafka.group('g').describe()).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
  })

  test('old records are removed by the clock, where their topic asks for it', async () => {
    await using kafka = await startKafka({ ...options(), topics: { week: { config: { 'retention.ms': '604800000' } }, kept: 1 } })
    for (const topic of ['week', 'kept']) for (const value of ['one', 'two']) await kafka.produce(topic, value)
    await kafka.clock.advance('6d')
    await kafka.produce('week', 'three')
    expect((await kafka.records('week')).length).toBe(3)
    await kafka.clock.advance('2d')
    expect((await kafka.records('week')).map(({ offset, value }) => [Number(offset), String(value)])).toEqual([[2, 'three']])
    await kafka.clock.advance('8d')
    expect([(await kafka.records('week')).length, (await kafka.records('kept')).length]).toEqual([0, 2])
    // New records continue after the removed ones.
    await kafka.produce('week', 'four')
    expect((await kafka.records('week')).map(({ offset }) => Number(offset))).toEqual([3])
  })

  test('a fork begins at its parent’s time, and has its own clock from then on', async () => {
    await using kafka = await startKafka(options())
    await kafka.clock.advance('30d')
    await using fork = await kafka.fork()
    expect(fork.clock.now() - Date.now()).toBeGreaterThan(29 * day)
    await fork.clock.advance('1d')
    expect(fork.clock.now() - kafka.clock.now()).toBeGreaterThan(day - 60_000)
  })
})

test('a waiting fetch is answered when its wait time is over', async () => {
  await using kafka = await startKafka({ topics: { t: 1 } })
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING, requestTimeout: 120_000 })
  const consumer = client.consumer({ groupId: 'g', maxWaitTimeInMs: 60_000, heartbeatInterval: 10_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: 't' })
  const polled = new Promise<void>((resolve) => void consumer.on('consumer.fetch', () => resolve()))
  await consumer.run({ eachMessage: async () => {} })
  await kafka.group('g').ready()
  await kafka.clock.advance('1m')
  await polled
  // kafkajs leaves when its next fetch is answered, whenever it was sent.
  let left = false
  const leaving = consumer.disconnect().finally(() => {
    left = true
  })
  while (!left) await kafka.clock.advance('1m')
  await leaving
})

test('set: to the future, and to the past only for timestamps', async () => {
  await using kafka = await startKafka({ topics: { t: { config: { 'message.timestamp.type': 'LogAppendTime' } } } })
  await kafka.clock.set(new Date('2031-01-01T00:00:00Z'))
  await kafka.clock.set(Date.UTC(2030, 5, 1))
  await kafka.produce('t', 'one')
  const [record] = await kafka.records('t')
  expect(new Date(Number(record?.timestamp)).toISOString()).toMatch(/^2030-06-01T00:0/)
})

test('an invalid time is an error, and moves nothing', async () => {
  await using kafka = await startKafka()
  const before = kafka.clock.now()
  for (const duration of ['soon', '', '8 days', '-1s', '1h30', -1, Number.NaN])
    await expect(kafka.clock.advance(duration), String(duration)).rejects.toMatchObject({ code: 'LKS-1004' })
  await expect(kafka.clock.set(new Date('no'))).rejects.toMatchObject({ code: 'LKS-1004' })
  expect(kafka.clock.now() - before).toBeLessThan(day)
  await kafka.stop()
  await expect(kafka.clock.advance(1)).rejects.toMatchObject({ code: 'SERVER_STOPPED' })
})

test('with metadata in PostgreSQL, moving the clock and copying are rejected with a reason', async () => {
  const clock = clockOf(undefined, { asked: (work) => work(), now: () => 7 })
  expect(clock.now()).toBe(7)
  await expect(clock.advance('1s')).rejects.toMatchObject({ code: 'LKS-1401', what: expect.stringContaining('PostgreSQL') })
  await expect(clock.set(0)).rejects.toMatchObject({ code: 'LKS-1401' })
  await expect(takeSnapshot({ copies: undefined, snapshot: () => Promise.resolve() }, 'file')).rejects.toMatchObject({ code: 'LKS-1401' })
})
