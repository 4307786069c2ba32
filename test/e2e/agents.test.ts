// Several agents of one cluster, each a process of its own, on PostgreSQL and S3: they list one another alike, and clients survive the kill -9 of one.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { type S3Server, startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { json } from './testing/commands.ts'
import { topicValues } from './testing/http.ts'
import { sendNumbers } from './testing/sending.ts'
import { portsOf, type ServerProcess, type ServerRun, startServer } from './testing/server.ts'
import { s3Env } from './testing/stores.ts'

const started = await startPostgres()
if (started.kind !== 'started') test.skipIf(process.env.CI !== 'true')(`several agents: ${started.why}`, () => expect.fail(started.why))
else describe('several agents', () => severalAgents(started.postgres))

interface AgentLine {
  readonly agent: string
  readonly brokerId: number
  readonly slots: number
}

function severalAgents(postgres: TestPostgres): void {
  const names = ['blue', 'green', 'red'] as const
  const agents = new Map<string, ServerProcess>()
  const cluster = randomUUID()
  let s3: S3Server

  const agent = (name: string): ServerProcess => {
    const found = agents.get(name)
    if (found === undefined) throw new Error(`there is no agent '${name}'`)
    return found
  }
  const begin = async (name: string, run: Pick<ServerRun, 'ports'> = {}): Promise<void> => {
    const args = ['--cluster-id', cluster, '--agent-name', name, '--flush-puts-per-second', '1000', '--flush-linger-ms', '5']
    const env = { ...s3Env(s3), LKS_STORAGE: `s3://${s3.bucket}/${cluster}`, LKS_METADATA: postgres.url }
    agents.set(name, await startServer({ command: 'start', args, env, ...run }))
  }
  const kafka = (): Kafka =>
    new Kafka({
      brokers: [...agents.values()].map((one) => one.kafka),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 },
    })
  const listOf = async (name: string): Promise<readonly AgentLine[]> =>
    await json<readonly AgentLine[]>(['agent', 'list', '--url', agent(name).urls.control])
  const leaderOf = async (client: Kafka, topic: string): Promise<string> => {
    const admin = client.admin()
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    await admin.disconnect()
    const leader = topics[0]?.partitions[0]?.leader
    const owner = (await listOf('blue')).find(({ brokerId }) => brokerId === leader)
    if (owner === undefined) throw new Error(`broker ${leader} is not listed`)
    return owner.agent
  }
  /** What the agents list, one line for each of them, without the one that was asked. */
  const lines = (list: readonly AgentLine[]): readonly string[] =>
    list.map(({ agent: name, brokerId, slots }) => `${name} ${brokerId} ${slots}`)
  const listedByAll = async (expected: (lists: readonly (readonly AgentLine[])[]) => boolean): Promise<void> => {
    const until = performance.now() + 20_000
    for (;;) {
      const lists = await Promise.all([...agents.keys()].map(listOf))
      if (expected(lists)) return
      if (performance.now() > until) expect.fail(`the agents list ${JSON.stringify(lists.map(lines))}`)
    }
  }

  beforeAll(async () => {
    s3 = await startS3Server()
    for (const name of names) await begin(name)
  })
  afterAll(async () => {
    for (const one of agents.values()) await one.kill()
    await s3[Symbol.asyncDispose]()
    await postgres.stop()
  })

  test('the agents of other names join, and all list the same agents', async () => {
    await listedByAll((lists) => lists.every((list) => list.length === names.length))
    const [first, ...others] = await Promise.all(names.map(listOf))
    // Slots move meanwhile.
    const named = (list: readonly AgentLine[] = []): readonly string[] => list.map(({ agent: name, brokerId }) => `${name} ${brokerId}`)
    for (const other of others) expect(named(other)).toEqual(named(first))
    expect(first?.map(({ brokerId }) => brokerId)).toEqual([1, 2, 3])
    const controllers = new Set<number | null>()
    for (const one of agents.values()) {
      const admin = new Kafka({ brokers: [one.kafka], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      const { brokers, controller } = await admin.describeCluster()
      await admin.disconnect()
      expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3])
      controllers.add(controller)
    }
    expect(controllers).toEqual(new Set([1]))
  })

  test('the agents share the slots, while a producer and a group go on without an error', async () => {
    const client = kafka()
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'moving', numPartitions: 1 }] })
    await admin.disconnect()
    const producer = client.producer({ retry: { retries: 0 } })
    await producer.connect()
    const received: string[] = []
    const consumer = client.consumer({ groupId: 'moving', heartbeatInterval: 200 })
    const joins: unknown[] = []
    consumer.on('consumer.group_join', (event) => joins.push(event))
    await consumer.connect()
    await consumer.subscribe({ topic: 'moving', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void received.push(message.value?.toString() ?? '') })
    const sending = sendNumbers(producer, 'moving', { everyMs: 50 })
    // Each send fails at its first error: there are no retries.
    await Promise.race([
      sending.reached(Number.POSITIVE_INFINITY),
      listedByAll((lists) => lists.every((list) => list.every(({ slots }) => slots >= 80))),
    ])
    await sending.reached(sending.acknowledged() + 5)
    await sending.end()
    await producer.disconnect()
    const numbers = Array.from({ length: sending.acknowledged() }, (_, number) => String(number))
    await expect.poll(() => received.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(numbers.length)
    expect(received).toEqual(numbers)
    expect(joins).toHaveLength(1)
    await consumer.disconnect()
  }, 120_000)

  test('an HTTP request for a partition of another agent is redirected there, or forwarded', async () => {
    const admin = kafka().admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'posted', numPartitions: 1 }] })
    await admin.disconnect()
    const path = '/topics/posted/produce/0'
    const statuses: number[] = []
    for (const one of agents.values()) {
      const answer = await fetch(`${one.urls.data}${path}`, { method: 'POST', body: 'k:v', redirect: 'manual' })
      statuses.push(answer.status)
      if (answer.status === 307) {
        const moved: unknown = await answer.json()
        expect(moved).toMatchObject({
          error: 'Moved',
          slot: expect.any(Number),
          agent: expect.any(String),
          location: answer.headers.get('location'),
        })
        expect((await fetch(`${one.urls.data}${path}`, { method: 'POST', body: 'k:v' })).status).toBe(200)
      }
      const forwarded = await fetch(`${one.urls.data}${path}?forward=1`, { method: 'POST', body: 'k:v', redirect: 'manual' })
      expect([forwarded.status, await forwarded.json()]).toMatchObject([200, { topic: 'posted', partition: 0 }])
    }
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 307, 307])
  })

  test('a topic that one agent makes is known to all', async () => {
    const topics = [...agents.values()].map((_, at) => `of agent ${at}`.replaceAll(' ', '-'))
    for (const [at, one] of [...agents.values()].entries()) {
      const admin = new Kafka({ brokers: [one.kafka], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: topics[at] ?? '', numPartitions: 3 }] })
      await admin.disconnect()
      for (const other of agents.values()) {
        const described = await (await fetch(`${other.urls.control}/topics/${topics[at]}`)).json()
        expect(described).toMatchObject({ name: topics[at] })
      }
    }
  })

  test('every agent serves the records, also those that arrive while a reader waits', async () => {
    const admin = kafka().admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'read-by-all', numPartitions: 1 }] })
    await admin.disconnect()
    const producer = kafka().producer()
    await producer.connect()
    for (const value of ['a', 'b']) {
      await producer.send({ topic: 'read-by-all', messages: [{ value }] })
      for (const one of agents.values()) expect((await topicValues(one, 'read-by-all', 0)).at(-1)).toBe(value)
    }
    await producer.disconnect()
  })

  test('a producer and a group survive the kill -9 of the agent that leads the partition: each acknowledged record is there once, in order', async () => {
    const client = kafka()
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] })
    await admin.disconnect()
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const received: string[] = []
    const consumer = client.consumer({ groupId: 'shipping', heartbeatInterval: 500 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void received.push(message.value?.toString() ?? '') })
    // Each record is an object of its own, and an agent that does not own the partition reads it from the store.
    const sending = sendNumbers(producer, 'orders', { everyMs: 50 })
    await sending.reached(20)
    const owner = await leaderOf(client, 'orders')
    await agent(owner).kill()
    const dead = agent(owner)
    agents.delete(owner)
    const killedMs = performance.now()
    await sending.reached(sending.acknowledged() + 20)
    // A time-out of 5 s, and the back-off of the client.
    expect(performance.now() - killedMs).toBeLessThan(20_000)
    await listedByAll((lists) => lists.every((list) => list.length === names.length - 1))
    // The name comes back under its broker id.
    await begin(owner, { ports: portsOf(dead) })
    await listedByAll((lists) => lists.every((list) => list.map(({ brokerId }) => brokerId).join() === '1,2,3'))
    await sending.end()
    await producer.disconnect()
    const numbers = Array.from({ length: sending.acknowledged() }, (_, number) => String(number))
    expect(await readAll(kafka(), 'orders', numbers.length)).toEqual(numbers)
    // kafkajs takes up to 45 s to find the new coordinator.
    await expect.poll(() => new Set(received).size, { timeout: 90_000 }).toBe(numbers.length)
    await consumer.disconnect()
  }, 240_000)

  test('an agent that is drained by a command gives everything away first, and no client has an error', async () => {
    const client = kafka()
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const sending = sendNumbers(producer, 'orders', { everyMs: 50 })
    await sending.reached(5)
    const owner = await leaderOf(client, 'orders')
    const other = names.find((name) => name !== owner) ?? ''
    expect(await json(['agent', 'drain', owner, '--url', agent(other).urls.control])).toEqual({ agent: owner, state: 'draining' })
    const end = await agent(owner).ended
    expect(end.code).toBe(0)
    agents.delete(owner)
    await sending.reached(sending.acknowledged() + 5)
    await sending.end()
    await producer.disconnect()
    await listedByAll((lists) => lists.every((list) => list.length === names.length - 1 && list.every(({ slots }) => slots > 0)))
  }, 60_000)
}

async function readAll(client: Kafka, topic: string, count: number): Promise<readonly string[]> {
  const consumer = client.consumer({ groupId: `reader ${randomUUID()}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value?.toString() ?? '')
        if (values.length >= count) resolve()
      },
    })
  })
  await consumer.disconnect()
  return values
}
