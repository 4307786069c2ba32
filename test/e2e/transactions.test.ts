// Exactly once with real clients: a topic is copied in transactions while the server and the copier are killed, and a reader of committed records sees each record once.
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Program, startProgram } from '../../packages/sim/src/program.ts'
import { printed } from './testing/client-command.ts'
import { needsClients } from './testing/client-program.ts'
import { createTopic } from './testing/http.ts'
import { javaOptions, kafkaClasspath, kafkaTool, linesOf, needs } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { repository } from './testing/server.ts'

/** Of each of the two partitions. */
const records = 200
const clients = join(repository, 'test/e2e/clients')

interface Copier {
  readonly name: string
  readonly test: ReturnType<typeof needs>
  /** Copies both partitions, or one of them. */
  readonly commands: (kafka: string, group: string) => readonly (readonly [program: string, ...args: string[]])[]
}

const copiers: readonly Copier[] = [
  {
    name: 'confluent-kafka',
    test: needsClients('python'),
    commands: (kafka, group) => [[join(clients, 'built/python/bin/python'), join(clients, 'python/copier.py'), kafka, group]],
  },
  {
    name: 'kafkajs',
    test: needsClients('node'),
    commands: (kafka, group) => [[process.execPath, join(clients, 'node/kafkajs-copier.ts'), kafka, group]],
  },
  {
    name: '@platformatic/kafka',
    test: needsClients('node'),
    commands: (kafka, group) => [[process.execPath, join(clients, 'node/platformatic-copier.ts'), kafka, group]],
  },
  {
    name: "Kafka's TransactionalMessageCopier",
    test: needs('kafkaTools'),
    commands: (kafka, group) =>
      [0, 1].map((partition) => {
        const options = {
          'transactional-id': `${group}-${partition}`,
          'broker-list': kafka,
          'input-topic': 'source',
          'output-topic': 'copy',
        }
        const sizes = { 'input-partition': partition, 'consumer-group': group, 'transaction-size': 20, 'max-messages': -1 }
        const words = Object.entries({ ...options, ...sizes }).flatMap(([name, value]) => [`--${name}`, String(value)])
        const main = 'org.apache.kafka.tools.TransactionalMessageCopier'
        return ['java', '-Xmx128M', ...javaOptions(kafkaClasspath), main, ...words, '--enable-random-aborts']
      }),
  },
]

describe.each(copiers)('$name', { timeout: 180_000 }, ({ name, test, commands }) => {
  const server = sharedServer()

  /** The values in the topic, as a consumer of committed records sees them. */
  const valuesOf = async (topic: string): Promise<readonly string[]> =>
    linesOf(await printed(server.kafka, ['consume', topic, '-e', '-o', 'json'])).map(
      (line) => (JSON.parse(line) as { readonly value: string }).value,
    )

  test(`a copy by ${name} has each record once, although the server and the copier are killed`, async () => {
    await createTopic(server, 'source', 2)
    await createTopic(server, 'copy', 2)
    const source = Array.from({ length: 2 * records }, (_, number) => `record ${number}`)
    await printed(server.kafka, ['produce', 'source'], `${source.join('\n')}\n`)
    const group = `copy-by-${name.replaceAll(/\W+/g, '-')}`
    await using copying = keepRunning(commands(server.kafka, group))
    const copied = async (): Promise<number> => (await valuesOf('copy')).length
    await expect.poll(copied, { timeout: 60_000, interval: 200 }).toBeGreaterThan(0)
    await server.restart()
    await copying.killOne()
    await server.restart()
    await expect.poll(copied, { timeout: 120_000, interval: 500 }).toBeGreaterThanOrEqual(source.length)
    expect((await valuesOf('copy')).toSorted()).toEqual(source.toSorted())
  })
})

describe("Kafka's own tool", { timeout: 120_000 }, () => {
  const server = sharedServer()
  const java = needs('kafkaTools')
  const run = async (...args: readonly string[]): Promise<string> =>
    (await kafkaTool('org.apache.kafka.tools.TransactionsCommand', ['--bootstrap-server', server.kafka, ...args])).stdout

  java('kafka-transactions lists, describes and aborts a transaction that hangs', async () => {
    await createTopic(server, 'source', 2)
    await createTopic(server, 'copy', 1)
    await using hanging = startProgram(process.execPath, [join(clients, 'node/hanging-transaction.ts'), server.kafka])
    await hanging.until(() => hanging.lines.length > 0)
    expect(await run('list')).toMatch(/hangs\s+\d+\s+\d+\s+Ongoing/)
    expect(await run('describe', '--transactional-id', 'hangs')).toMatch(/hangs\s+\d+\s+0\s+Ongoing\s+60000.*copy-0/)
    expect(await run('describe-producers', '--topic', 'copy', '--partition', '0')).toMatch(/^\d+\s+0\s+-1\s+0\s+\d+\s+0\s*$/m)
    await run('abort', '--topic', 'copy', '--partition', '0', '--start-offset', '0')
    expect(await run('list')).toMatch(/hangs\s+\d+\s+\d+\s+CompleteAbort/)
  })
})

interface Running extends AsyncDisposable {
  /** Like `kill -9` of one of them, which then runs again. */
  killOne(): Promise<void>
}

/** Runs the programs, and each again when it ends. */
function keepRunning(commands: readonly (readonly [program: string, ...args: string[]])[]): Running {
  let isOver = false
  const running = new Map<number, Program>()
  const start = async (at: number, [program, ...args]: readonly [program: string, ...args: string[]]): Promise<void> => {
    while (!isOver) {
      const one = startProgram(program, args)
      running.set(at, one)
      await one.ended
    }
  }
  const all = Promise.all(commands.map((command, at) => start(at, command)))
  return {
    killOne: async () => void (await running.get(0)?.kill()),
    async [Symbol.asyncDispose]() {
      isOver = true
      await Promise.all([...running.values()].map((one) => one.kill()))
      await all
    },
  }
}
