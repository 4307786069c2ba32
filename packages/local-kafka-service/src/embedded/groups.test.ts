// Groups as a test sees them, with the clients of Node: ready, caught up, lag, seek, expel, reset.
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka'
import { type Consumer, Kafka as KafkaJs } from 'kafkajs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Kafka, startKafka } from '../index.ts'
import { WireMember } from './testing/wire-member.ts'

let kafka: Kafka
const open: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  kafka = await startKafka({ topics: { orders: 3 } })
})
afterEach(async () => {
  for (const close of open.splice(0)) await close()
  await kafka.stop()
})

/** Subscribed and running, from the end of the topic; not necessarily joined. */
async function aConsumer(
  groupId: string,
  { clientId = 'app', seen = [] }: { readonly clientId?: string; readonly seen?: string[] } = {},
): Promise<Consumer> {
  const consumer = new KafkaJs({ ...kafka.clientConfig('kafkajs'), clientId, logLevel: 0 }).consumer({
    groupId,
    heartbeatInterval: 100,
    // It notices a rebalance only between two fetches.
    maxWaitTimeInMs: 100,
  })
  open.push(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
  return consumer
}

test('ready: from then on a consumer that starts at the end misses nothing', async () => {
  const seen: string[] = []
  await aConsumer('g', { seen })
  await kafka.group('g').ready()
  await kafka.produce('orders', { key: 'a', value: '1' }, { key: 'b', value: '2' }, { key: 'c', value: '3' })
  await kafka.group('g').caughtUp()
  expect(seen.toSorted()).toEqual(['1', '2', '3'])
  expect(await kafka.group('g').lag()).toBe(0)
})

test('ready: the given number of members, each with its share', async () => {
  const ready = kafka.group('g').ready(3)
  await Promise.all([aConsumer('g'), aConsumer('g'), aConsumer('g', { clientId: 'another' })])
  await ready
  const { state, members } = await kafka.group('g').describe()
  expect(state).toBe('Stable')
  expect(members.map(({ assigned, partitions }) => [assigned, partitions.length])).toEqual([
    [true, 1],
    [true, 1],
    [true, 1],
  ])
})

test('ready, with the client of platformatic', async () => {
  const consumer = new PlatformaticConsumer({ ...kafka.clientConfig('platformatic'), groupId: 'p' })
  open.push(() => consumer.close(true))
  const stream = await consumer.consume({ topics: ['orders'], mode: 'latest' })
  const first = new Promise((resolve) => stream.once('data', resolve))
  await kafka.group('p').ready()
  await kafka.produce('orders', 'hello')
  expect(await first).toMatchObject({ value: Buffer.from('hello') })
})

test('a member that has its partitions and does not fetch is not ready, unless fetching is false', async () => {
  using member = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
  await member.join('orders', [0, 1, 2])
  await kafka.group('g').ready(1, { fetching: false })
  await expect(kafka.group('g').ready(1, { timeoutMs: 20 })).rejects.toThrow(
    "client 'bare' has its partitions, but has not started to fetch",
  )
  const ready = kafka.group('g').ready()
  await member.fetch('orders')
  await ready
})

test('after a time-out the error describes the state of the group', async () => {
  await expect(kafka.group('g').ready(1, { timeoutMs: 20 })).rejects.toThrow(
    /^group\('g'\)\.ready\(1\): not within 20 ms\n\n {2}the group does not exist yet\n/,
  )
  using member = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
  await member.join('orders', [0, 1, 2])
  await kafka.produce('orders', { value: 'x', partition: 1 })
  await expect(kafka.group('g').ready(2, { timeoutMs: 20 })).rejects.toThrow('1 of 2 members')
  const error = await kafka
    .group('g')
    .caughtUp({ timeoutMs: 20 })
    .catch((thrown: unknown) => thrown)
  const { message } = error as Error
  expect(message).toMatch(
    /orders\[1\] lags by 1[^]* {2}group g: Stable, 1 member, lag 1\n {4}bare-\w{8}… {2}has orders\[0\] orders\[1\] orders\[2\]\n {4}orders\[1\] {2}no committed offset, end @1, lag 1\n {2}connected clients: bare$/,
  )
  for (const line of message.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  await expect(kafka.group('g').ready(0)).rejects.toThrow('an integer of at least 1')
})

test('caught up: every partition with records counts, by its committed offset', async () => {
  await kafka.produce('orders', { value: 'x', partition: 0 }, { value: 'y', partition: 1 })
  using member = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
  await member.join('orders', [0, 1, 2])
  const group = kafka.group('g')
  expect(await group.lag()).toBe(2)
  await member.commit('orders', { 0: 1 })
  expect(await group.lag()).toBe(1)
  const caughtUp = group.caughtUp()
  await member.commit('orders', { 1: 1 })
  await caughtUp
  expect(await group.lag()).toBe(0)
})

test('N7: unread records in a partition without a committed offset count, also after the members have left', async () => {
  await kafka.produce('orders', { value: 'x', partition: 0 }, { value: 'y', partition: 1 }, { value: 'z', partition: 1 })
  {
    using member = await WireMember.open({ port: kafka.port, clientId: 'bare', groupId: 'g' })
    await member.join('orders', [0, 1, 2])
    await member.commit('orders', { 0: 1 })
  }
  const group = kafka.group('g')
  await group.expel()
  expect(await group.lag()).toBe(2)
  const { partitions } = await group.describe()
  expect(partitions.map(({ committed, lag }) => [committed, lag])).toEqual([
    [1, 0],
    [undefined, 2],
    [undefined, 0],
  ])
  await group.seek('end')
  expect(await group.lag()).toBe(0)
})

test('seek moves committed offsets after the consumers have left', async () => {
  const seen: string[] = []
  const consumer = await aConsumer('g', { seen })
  const group = kafka.group('g')
  await group.ready()
  await kafka.produce('orders', { key: 'a', value: '1' }, { key: 'b', value: '2' })
  await group.caughtUp()
  await expect(group.seek('start')).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' })
  await consumer.disconnect()
  await group.seek('start')
  expect(await group.lag()).toBe(2)
  await group.seek('end', { topic: 'orders', partitions: [0, 1, 2] })
  expect(await group.lag()).toBe(0)
  await group.seek({ by: -1 })
  expect((await group.describe()).partitions.map(({ committed, end }) => [committed, end])).toContainEqual([0, 1])
  await expect(group.seek('start', { topic: 'missing' })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('expelled members are removed, and a live client rejoins', async () => {
  await aConsumer('g')
  const group = kafka.group('g')
  await group.ready()
  const [before] = (await group.describe()).members
  await expect(group.expel('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
  expect(await group.expel()).toEqual([before?.memberId])
  await group.ready(1, { fetching: false })
  const [after] = (await group.describe()).members
  expect(after?.memberId).not.toBe(before?.memberId)
})

test('an unknown group is rejected with the list of existing groups', async () => {
  await expect(kafka.group('nobody').describe()).rejects.toMatchObject({
    code: 'GROUP_ID_NOT_FOUND',
    message: "group 'nobody' does not exist; there are no groups",
  })
  await expect(kafka.group('nobody').lag()).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
})

test('reset: as after the start, but not under running consumers', async () => {
  const consumer = await aConsumer('g')
  await kafka.group('g').ready()
  await kafka.produce('orders', 'x')
  await kafka.produce('made meanwhile'.replace(' ', '-'), 'y')
  await expect(kafka.reset()).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP', message: expect.stringContaining('members of g') })
  expect(await kafka.records('orders')).toHaveLength(1)
  await consumer.disconnect()
  await kafka.reset()
  expect(await kafka.records('orders')).toEqual([])
  await expect(kafka.records('made-meanwhile')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await expect(kafka.group('g').describe()).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
})
