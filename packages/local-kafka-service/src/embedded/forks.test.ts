// Forks: a copy of all committed data, independent from then on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Kafka, type StartKafkaOptions, startKafka } from '../index.ts'
import { clients } from './faults/testing/clients.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lks-forks-'))
  folders.push(folder)
  return folder
}

const kept: readonly { readonly where: string; readonly options: () => StartKafkaOptions }[] = [
  { where: 'in memory', options: () => ({}) },
  { where: 'in a directory', options: () => ({ dir: aFolder() }) },
]

async function valuesIn(kafka: Kafka, topic = 't'): Promise<readonly string[]> {
  return (await kafka.records(topic)).map(({ value }) => String(value))
}

describe.each(kept)('of a server $where', ({ options }) => {
  test('a fork has the topics, records and committed offsets; neither side sees later changes of the other', async () => {
    await using kafka = await startKafka({ ...options(), topics: { t: 1 } })
    await kafka.produce('t', 'one', 'two')
    await kafka.group('g').seek({ offset: 1 }, { topic: 't' })
    await using fork = await kafka.fork()
    expect(fork.port).not.toBe(kafka.port)
    expect(fork.clusterId).toBe(kafka.clusterId)
    expect(await valuesIn(fork)).toEqual(['one', 'two'])
    expect(await fork.group('g').lag()).toBe(1)
    await fork.produce('t', 'of the fork')
    await fork.createTopic('made-in-the-fork')
    await kafka.produce('t', 'of the parent')
    await fork.group('g').seek('end', { topic: 't' })
    expect(await valuesIn(kafka)).toEqual(['one', 'two', 'of the parent'])
    expect(await valuesIn(fork)).toEqual(['one', 'two', 'of the fork'])
    await expect(kafka.records('made-in-the-fork')).rejects.toMatchObject({ name: 'RefusedError' })
    expect([await kafka.group('g').lag(), await fork.group('g').lag()]).toEqual([2, 0])
  })

  test('real clients in concurrent forks, with the same topics and groups, do not see each other', async () => {
    await using kafka = await startKafka({ ...options(), topics: { t: 1 } })
    await kafka.produce('t', 'base')
    const forks = await Promise.all(clients.flatMap((client) => [1, 2].map(async (n) => ({ client, n, fork: await kafka.fork() }))))
    await Promise.all(
      forks.map(async ({ client, n, fork }) => {
        await using producer = await client.producer(fork)
        await using consumer = await client.consumer(fork, { group: 'g', topic: 't' })
        await producer.send('t', `${client.name} ${n}`)
        await consumer.received(2)
        expect(consumer.values).toEqual(['base', `${client.name} ${n}`])
      }),
    )
    expect(await valuesIn(kafka)).toEqual(['base'])
    await Promise.all(forks.map(({ fork }) => fork.stop()))
  })

  test('a fork has all earlier acknowledged records, and of concurrent ones a prefix without gaps', async () => {
    await using kafka = await startKafka({ ...options(), topics: { t: 1 } })
    let acknowledged = 0
    const produce = async (count: number): Promise<void> => {
      for (let one = 0; one < count; one++) {
        await kafka.produce('t', String(acknowledged))
        acknowledged += 1
      }
    }
    for (let round = 0; round < 5; round++) {
      await produce(3)
      const atLeast = acknowledged
      const producing = produce(10)
      await using fork = await kafka.fork()
      await producing
      const values = await valuesIn(fork)
      expect(values).toEqual(values.map((_, index) => String(index)))
      expect(values.length).toBeGreaterThanOrEqual(atLeast)
    }
  })

  test('its groups have no members, so a new consumer does not wait for absent ones', async () => {
    const [client] = clients
    if (client === undefined) throw new RangeError('no client')
    await using kafka = await startKafka({ ...options(), topics: { t: 2 } })
    await using _member = await client.consumer(kafka, { group: 'g', topic: 't', sessionTimeoutMs: 60_000 })
    await kafka.group('g').ready()
    const before = await kafka.group('g').describe()
    await using fork = await kafka.fork()
    expect(await fork.group('g').describe()).toMatchObject({ state: 'Empty', members: [] })
    await using _other = await client.consumer(fork, { group: 'g', topic: 't' })
    await fork.group('g').ready()
    expect((await fork.group('g').describe()).members).toHaveLength(1)
    expect(await kafka.group('g').describe()).toEqual(before)
  })

  test('a fork outlives its parent, and so does a fork of the fork', async () => {
    const kafka = await startKafka({ ...options(), topics: { t: 1 } })
    await kafka.produce('t', 'one')
    await using fork = await kafka.fork()
    await fork.produce('t', 'two')
    await kafka.kill()
    const second = await fork.fork()
    await fork.stop()
    await second.produce('t', 'three')
    expect(await valuesIn(second)).toEqual(['one', 'two', 'three'])
    await second.stop()
    await expect(second.fork()).rejects.toMatchObject({ code: 'SERVER_STOPPED' })
  })
})

test('a data directory is released when the last fork that reads it has ended', async () => {
  const dir = aFolder()
  const kafka = await startKafka({ dir, topics: { t: 1 } })
  await kafka.produce('t', 'one')
  const fork = await kafka.fork()
  const second = await fork.fork()
  await kafka.stop()
  await fork.stop()
  await expect(startKafka({ dir })).rejects.toMatchObject({ code: 'LKS-1101' })
  expect(await valuesIn(second)).toEqual(['one'])
  await second.stop()
  await using again = await startKafka({ dir })
  expect(await valuesIn(again)).toEqual(['one'])
})

test('a fork of a server with HTTP has its own ports and its own events', async () => {
  const [ofParent, ofFork]: [string[], string[]] = [[], []]
  await using kafka = await startKafka({ http: true, onEvent: ({ kind, name }) => ofParent.push(`${kind} ${String(name)}`) })
  await using fork = await kafka.fork({ onEvent: ({ kind, name }) => ofFork.push(`${kind} ${String(name)}`) })
  expect(fork.urls?.control).toMatch(/^http:/)
  expect(fork.urls?.control).not.toBe(kafka.urls?.control)
  await fork.createTopic('t')
  expect(ofFork).toContain('topic created t')
  expect(ofParent).not.toContain('topic created t')
})
