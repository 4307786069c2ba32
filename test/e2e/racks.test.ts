// Agents in two racks, each a process of its own: consumers with `client.rack` read from an agent of their rack, and go on after its kill (KIP-392).
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { must } from '../../packages/agent/src/core/assert.ts'
import { startPostgres, type TestPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { type ClientProgram, clientPrograms, type ProgramName } from './clients/clients.ts'
import { AgentCluster } from './testing/agent-cluster.ts'
import { nameOf, needsClients, startClient } from './testing/client-program.ts'
import { json } from './testing/commands.ts'
import { becomes, createTopic, metrics } from './testing/http.ts'

const started = await startPostgres()
if (started.kind !== 'started') test.skipIf(process.env.CI !== 'true')(`agents in racks: ${started.why}`, () => expect.fail(started.why))
else describe('agents in racks', () => agentsInRacks(started.postgres))

interface Listed {
  readonly agent: string
  readonly rack: string | null
  readonly slots: number
}

/** Those that know `client.rack`. */
const programs: ReadonlySet<ProgramName> = new Set(['confluent-kafka (Python)', 'Java client', 'franz-go', 'kafkajs'])

/** They keep to an agent that has gone, kafkajs for 5 minutes and franz-go for 30, unless the consumer crashes or joins its group again. */
const keeping: ReadonlySet<string> = new Set<ProgramName>(['kafkajs', 'franz-go'])

function agentsInRacks(postgres: TestPostgres): void {
  const names = ['blue', 'green', 'red'] as const
  let cluster: AgentCluster
  let producer: Producer
  beforeAll(async () => {
    cluster = await AgentCluster.start(postgres, names, (name) => ['--broker-rack', name === 'blue' ? 'a' : 'b'])
    producer = new Kafka({ brokers: [cluster.of('blue').kafka], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
  })
  afterAll(async () => {
    await producer.disconnect()
    await cluster[Symbol.asyncDispose]()
    await postgres.stop()
  })

  /** The bytes that each agent has answered to fetches. */
  const fetchedBytes = async (): Promise<Readonly<Record<string, number>>> => {
    const counts: Record<string, number> = {}
    for (const name of names) {
      const [, bytes = '0'] = /^lks_reply_bytes_total\{api="Fetch"\} (\S+)$/m.exec(await metrics(cluster.of(name))) ?? []
      counts[name] = Number(bytes)
    }
    return counts
  }
  /** Every agent has its share of the slots: none of them moves. */
  const settled = async (): Promise<void> => {
    const list = async (): Promise<readonly Listed[]> => await json(['agent', 'list', '--url', cluster.of('blue').urls.control])
    await becomes(
      async () => (await list()).map(({ agent, rack, slots }) => [agent, rack, slots > 80]),
      [
        ['blue', 'a', true],
        ['green', 'b', true],
        ['red', 'b', true],
      ],
    )
  }
  /** A topic of one partition that blue leads. */
  const aTopicOfBlue = async (prefix: string): Promise<string> => {
    await settled()
    for (let number = 0; ; number += 1) {
      const topic = `${prefix}-${number}`
      await createTopic(cluster.of('blue'), topic, 1)
      const answer = await fetch(`${cluster.of('blue').urls.data}/topics/${topic}/produce/0`, {
        method: 'POST',
        body: 'k:v',
        redirect: 'manual',
      })
      if (answer.status === 200) return topic
    }
  }

  describe.each<ClientProgram>(clientPrograms.filter(({ name }) => programs.has(name)))('$name', { timeout: 240_000 }, (client) => {
    const each = needsClients(client.language)

    each('reads from one agent of its rack, and goes on after the kill of that one', async () => {
      const topic = await aTopicOfBlue(nameOf(client))
      const sizeBytes = 8_000
      let sent = 1
      const produce = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at += 1) {
          await producer.send({ topic, messages: [{ value: `${sent} `.padEnd(sizeBytes, '.') }] })
          sent += 1
        }
      }
      await produce(20)
      const before = await fetchedBytes()
      const bootstrap = names.map((name) => cluster.of(name).kafka).join()
      await using member = startClient(client, 'group', { bootstrap, topic, group: topic, rack: 'b' })
      await member.printed(sent)
      await produce(20)
      await member.printed(sent)
      const after = await fetchedBytes()
      const bytes = Object.fromEntries(names.map((name) => [name, must(after[name], name) - must(before[name], name)]))
      // Blue, the only agent outside of rack b, has the first one of it as its reader.
      expect(bytes.green).toBeGreaterThan(39 * sizeBytes)
      expect(bytes.blue).toBeLessThan(sizeBytes)
      expect(bytes.red).toBeLessThan(sizeBytes)

      const begin = await cluster.kill('green')
      await produce(20)
      if (keeping.has(client.name)) await begin()
      await member.printed(sent)
      expect(member.lines.map(({ offset }) => offset)).toEqual(Array.from({ length: sent }, (_, offset) => offset))
      if (!keeping.has(client.name)) await begin()
      await member.finish()
    })
  })
}
