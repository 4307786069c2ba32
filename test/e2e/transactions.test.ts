// Exactly once with real clients: a topic is copied in transactions while the agents and the copiers are killed, and a reader of committed records sees each record once.
import { join } from 'node:path'
import { Kafka, KafkaJSError, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { startPostgres } from '../../packages/agent/src/metadata/testing/postgres-server.ts'
import { startProgram } from '../../packages/sim/src/program.ts'
import { AgentCluster } from './testing/agent-cluster.ts'
import { printed } from './testing/client-command.ts'
import { type Copier, copiers, keepRunning } from './testing/copiers.ts'
import { createTopic, topicValues } from './testing/http.ts'
import { kafkaTool, linesOf, needs } from './testing/programs.ts'
import { RestartableServer, sharedServer } from './testing/restartable-server.ts'
import { repository, type ServerProcess } from './testing/server.ts'

const isLong = process.env.LKS_LONG === '1'
/** Of both partitions together. The long form kills until everything is copied, the short one a few times. */
const size = isLong
  ? { records: 100_000, transactionSize: 500, abortEach: 50, killEachMs: 10_000, limitMs: 1_500_000 }
  : { records: 400, transactionSize: 20, abortEach: 10, killEachMs: 1_500, limitMs: 300_000 }

interface Servers extends AsyncDisposable {
  readonly kafka: string
  readonly urls: ServerProcess['urls']
  /** Like `kill -9` of one agent, which comes back. */
  killOne(kills: number): Promise<void>
}

const available = copiers.filter(({ isThere }) => isThere)
if (process.env.CI === 'true') test('all clients that copy are there', () => expect(available).toEqual(copiers))

describe.each([
  { on: 'one agent', start: oneAgent },
  { on: 'three agents', start: threeAgents },
])('on $on', ({ start }) => {
  test('each client copies each record once, although agents and copiers are killed', { timeout: size.limitMs }, async ({ annotate }) => {
    await using servers = await start()
    await createTopic(servers, 'source', 2)
    const source = Array.from({ length: size.records }, (_, number) => `record ${number}`)
    await printed(servers.kafka, ['produce', 'source'], `${source.join('\n')}\n`)
    await using all = new AsyncDisposableStack()
    const copies: Copy[] = []
    for (const copier of available) copies.push(all.use(await Copy.begin(copier, servers)))
    const beganMs = performance.now()
    const isDone = async (): Promise<boolean> => (await Promise.all(copies.map((copy) => copy.isDone()))).every((done) => done)
    const waiting = async (): Promise<readonly string[]> => {
      const counts = await Promise.all(copies.map((copy) => copy.copied()))
      return copies.filter((_, at) => counts[at] === 0).map(({ name }) => name)
    }
    await expect.poll(waiting, { timeout: 120_000 }).toEqual([])
    let kills = 0
    while (kills < 2 || (isLong && !(await isDone()))) {
      await servers.killOne((kills += 1))
      await copies[kills % copies.length]?.killOne()
      await new Promise((resolve) => setTimeout(resolve, size.killEachMs))
    }
    await expect.poll(isDone, { timeout: size.limitMs, interval: 500 }).toBe(true)
    const seconds = Math.round((performance.now() - beganMs) / 1_000)
    for (const copy of copies) {
      const values = await copy.values()
      expect({ by: copy.name, records: values.length }).toEqual({ by: copy.name, records: source.length })
      expect(values.toSorted(), copy.name).toEqual(source.toSorted())
    }
    await annotate(`${copies.length} copies of ${source.length} records in ${seconds} s, with ${kills} kills of agents and of copiers`)
  })
})

/** The copy that one client makes. */
class Copy implements AsyncDisposable {
  readonly name: string
  readonly #servers: Servers
  readonly #group: string
  readonly #copying: ReturnType<typeof keepRunning>

  private constructor(copier: Copier, servers: Servers) {
    this.name = copier.name
    this.#servers = servers
    this.#group = Copy.#groupOf(copier)
    const { transactionSize, abortEach } = size
    const { kafka } = servers
    this.#copying = keepRunning(copier.commands({ kafka, group: this.#group, target: this.#group, transactionSize, abortEach }))
  }

  /** The target has the name of the group. */
  static async begin(copier: Copier, servers: Servers): Promise<Copy> {
    await createTopic(servers, Copy.#groupOf(copier), 2)
    return new Copy(copier, servers)
  }

  static #groupOf({ name }: Copier): string {
    return `copy-by-${name.replaceAll(/\W+/g, '-')}`
  }

  killOne(): Promise<void> {
    return this.#copying.killOne()
  }

  /** How many records of the source are copied in committed transactions. */
  async copied(): Promise<number> {
    for (const until = performance.now() + 60_000; ; ) {
      const admin = new Kafka({ brokers: this.#servers.kafka.split(','), logLevel: logLevel.NOTHING }).admin()
      try {
        await admin.connect()
        const [of] = await admin.fetchOffsets({ groupId: this.#group, topics: ['source'] })
        return (of?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
      } catch (error) {
        // The agent that it asked was killed.
        if (!(error instanceof KafkaJSError) || performance.now() > until) throw error
      } finally {
        await admin.disconnect()
      }
    }
  }

  async isDone(): Promise<boolean> {
    return (await this.copied()) === size.records
  }

  /** As a consumer of committed records sees them. */
  async values(): Promise<readonly string[]> {
    const lines = linesOf(await printed(this.#servers.kafka, ['consume', this.#group, '-e', '-o', 'json']))
    return lines.map((line) => (JSON.parse(line) as { readonly value: string }).value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copying[Symbol.asyncDispose]()
  }
}

async function oneAgent(): Promise<Servers> {
  const server = new RestartableServer()
  await server.start()
  return {
    kafka: server.kafka,
    urls: server.urls,
    killOne: () => server.restart(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function threeAgents(): Promise<Servers> {
  const started = await startPostgres()
  if (started.kind !== 'started') throw new Error(started.why)
  const { postgres } = started
  const cluster = await AgentCluster.start(postgres, ['blue', 'green', 'red'])
  const { kafka, urls } = cluster
  return {
    kafka,
    urls,
    // Long enough that another agent takes over, every other time.
    killOne: (kills) => cluster.killOne(kills % 2 === 1 ? 7_000 : 500),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await postgres.stop()
    },
  }
}

describe("Kafka's own tool", { timeout: 120_000 }, () => {
  const server = sharedServer()
  const java = needs('kafkaTools')
  const clients = join(repository, 'test/e2e/clients')
  const run = async (...args: readonly string[]): Promise<string> =>
    (await kafkaTool('org.apache.kafka.tools.TransactionsCommand', ['--bootstrap-server', server.kafka, ...args])).stdout

  java('kafka-transactions lists, describes and aborts a transaction that hangs', async () => {
    await createTopic(server, 'source', 2)
    await createTopic(server, 'copy', 1)
    await using hanging = startProgram(process.execPath, [join(clients, 'node/hanging-transaction.ts'), server.kafka])
    await hanging.until(() => hanging.lines.length > 0)
    expect(await topicValues(server, 'copy', 0)).toEqual([])
    expect(await run('list')).toMatch(/hangs\s+\d+\s+\d+\s+Ongoing/)
    expect(await run('describe', '--transactional-id', 'hangs')).toMatch(/hangs\s+\d+\s+0\s+Ongoing\s+60000.*copy-0/)
    expect(await run('describe-producers', '--topic', 'copy', '--partition', '0')).toMatch(/^\d+\s+0\s+-1\s+0\s+\d+\s+0\s*$/m)
    await run('abort', '--topic', 'copy', '--partition', '0', '--start-offset', '0')
    expect(await run('list')).toMatch(/hangs\s+\d+\s+\d+\s+CompleteAbort/)
  })
})
