// The commands of docs/operations.md that start three agents on one machine: as they stand, but for the ports and the stores.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { must } from '../../packages/agent/src/core/assert.ts'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { startS3Server } from '../../packages/agent/src/objects/testing/s3-server.ts'
import { eventually, json } from './testing/commands.ts'
import { runningBlocks } from './testing/guide.ts'
import { createTopic } from './testing/http.ts'
import { type ServerProcess, startServer } from './testing/server.ts'
import { s3Env } from './testing/stores.ts'

const started = await startPostgres()
if (started.kind !== 'started') test.skipIf(process.env.CI !== 'true')(`three agents: ${started.why}`, () => expect.fail(started.why))
else
  test(
    'the commands that start three agents on one machine make one cluster, which clients use through any of them',
    { timeout: 120_000 },
    () => threeAgents(started.postgres),
  )

/** Of 128 slots. */
const fairShare = 42

async function slotCounts(url: string): Promise<readonly number[]> {
  const { agents } = (await (await fetch(`${url}/agents`)).json()) as { readonly agents: readonly { readonly slots: number }[] }
  return agents.map(({ slots }) => slots)
}

async function threeAgents(postgres: TestPostgres): Promise<void> {
  const [block] = await runningBlocks('docs/operations.md')
  const lines = must(block, 'the commands').text.trimEnd().split('\n')
  const starts = lines.flatMap((line) => /^lks start (.*) &$/.exec(line)?.[1]?.split(/ +/) ?? []).filter((word) => !/^\d+$/.test(word))
  const list = must(lines.map((line) => /^lks (agent list) --url http:\/\/localhost:8000 /.exec(line)?.[1]).find(Boolean), 'the list')
  expect(lines[0]).toMatch(/^export LKS_STORAGE=\S+ LKS_METADATA=\S+$/)
  const s3 = await startS3Server()
  const env = { ...s3Env(s3), LKS_STORAGE: `s3://${s3.bucket}/${randomUUID()}`, LKS_METADATA: postgres.url }
  const agents: ServerProcess[] = []
  try {
    expect(starts).toEqual(
      ['blue', 'green', 'red'].flatMap((name) => ['--agent-name', name, '--kafka-port', '--control-port', '--data-port']),
    )
    for (const name of ['blue', 'green', 'red']) agents.push(await startServer({ command: 'start', args: ['--agent-name', name], env }))
    const [first, second, third] = agents.map(({ kafka }) => kafka)
    const url = must(agents[0], 'the first agent').urls.control
    await expect
      .poll(
        async () => (await json<readonly { readonly agent: string }[]>([...list.split(' '), '--url', url])).map(({ agent }) => agent),
        eventually,
      )
      .toEqual(['blue', 'green', 'red'])
    // Each agent gets its share from those before it.
    await expect.poll(async () => Math.min(...(await slotCounts(url))), eventually).toBeGreaterThanOrEqual(fairShare)
    await createTopic(must(agents[0], 'the first agent'), 'tried', 1)
    const connected = (broker: string | undefined): Kafka =>
      new Kafka({ brokers: [must(broker, 'an address')], logLevel: logLevel.NOTHING })
    const producer = connected(second).producer()
    await producer.connect()
    await producer.send({ topic: 'tried', messages: [{ value: 'on one machine' }] })
    await producer.disconnect()
    const consumer = connected(third).consumer({ groupId: 'tried' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'tried', fromBeginning: true })
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    await consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) })
    expect(await promise).toBe('on one machine')
    await consumer.disconnect()
    expect(first).not.toBe(second)
  } finally {
    for (const agent of agents) await agent.kill()
    await s3[Symbol.asyncDispose]()
    await postgres.stop()
  }
}
