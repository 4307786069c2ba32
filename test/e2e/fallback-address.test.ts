// A proxy in front of each agent, with the others as its backups: what clients see when an agent is killed and another one answers at its address.
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { must } from '../../packages/agent/src/core/assert.ts'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { AgentCluster } from './testing/agent-cluster.ts'
import { json } from './testing/commands.ts'
import { type FallbackAddress, startFallbackAddress } from './testing/fallback-address.ts'
import { becomes, createTopic, topicValues } from './testing/http.ts'
import { sendNumbers } from './testing/sending.ts'

const started = await startPostgres()
if (started.kind !== 'started')
  test.skipIf(process.env.CI !== 'true')(`agents behind proxies: ${started.why}`, () => expect.fail(started.why))
else
  test(
    'each agent in turn is killed: while another one answers at its address, no consumer of kafkajs crashes, and its group goes on',
    { timeout: 300_000 },
    () => eachIsKilled(started.postgres),
  )

const names = ['blue', 'green', 'red'] as const

async function eachIsKilled(postgres: TestPostgres): Promise<void> {
  const addresses = new Map<string, FallbackAddress>()
  for (const name of names) addresses.set(name, await startFallbackAddress())
  const addressOf = (name: string): FallbackAddress => must(addresses.get(name), `the address of ${name}`)
  const cluster = await AgentCluster.start(postgres, names, (name) => ['--advertised', `127.0.0.1:${addressOf(name).port}`])
  try {
    const ports = names.map((name) => cluster.of(name).port)
    for (const [at, name] of names.entries()) addressOf(name).leadTo([...ports.slice(at), ...ports.slice(0, at)])
    /** All live, and have their share of the slots. */
    const settled = (): Promise<void> =>
      becomes(
        async () =>
          (await json<readonly { readonly slots: number }[]>(['agent', 'list', '--url', cluster.urls.control])).map(
            ({ slots }) => slots > 80,
          ),
        [true, true, true],
      )
    await settled()
    await createTopic(cluster.of('blue'), 'orders', 1)
    const client = new Kafka({ brokers: names.map((name) => `127.0.0.1:${addressOf(name).port}`), logLevel: logLevel.NOTHING })
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const received: string[] = []
    const crashes: string[] = []
    const consumer = client.consumer({ groupId: 'shipping' })
    consumer.on('consumer.crash', ({ payload }) => crashes.push(String(payload.error)))
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void received.push(String(message.value)) })
    const sending = sendNumbers(producer, 'orders', { everyMs: 50 })
    await sending.reached(20)
    for (const name of names) {
      const begin = await cluster.kill(name)
      const before = sending.acknowledged()
      await sending.reached(before + 20)
      await becomes(() => received.includes(String(before + 20 - 1)), true)
      await begin()
      await settled()
    }
    await sending.end()
    const numbers = Array.from({ length: sending.acknowledged() }, (_, number) => String(number))
    await becomes(() => new Set(received).size, numbers.length)
    expect(crashes).toEqual([])
    expect(await topicValues(cluster.of('blue'), 'orders', 0)).toEqual(numbers)
    await consumer.disconnect()
    await producer.disconnect()
  } finally {
    await cluster[Symbol.asyncDispose]()
    for (const address of addresses.values()) await address[Symbol.asyncDispose]()
    await postgres.stop()
  }
}
