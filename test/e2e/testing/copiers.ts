// Programs that copy the topic `source` exactly once, each with another client and to a topic of its own.
import { join } from 'node:path'
import { type Program, startProgram } from '../../../packages/sim/src/program.ts'
import { clientsBuilt } from './client-program.ts'
import { has, javaOptions, kafkaClasspath } from './programs.ts'
import { repository } from './server.ts'

export interface Copier {
  readonly name: string
  readonly isThere: boolean
  /** Each copies both partitions of `source`, or one of them. */
  readonly commands: (job: CopyJob) => readonly (readonly [program: string, ...args: string[]])[]
}

export interface CopyJob {
  readonly kafka: string
  readonly group: string
  readonly target: string
  readonly transactionSize: number
  /** Every transaction with a multiple of this number is aborted. */
  readonly abortEach: number
}

const clients = join(repository, 'test/e2e/clients')

function wordsOf({ kafka, group, target, transactionSize, abortEach }: CopyJob): readonly string[] {
  return [kafka, group, target, String(transactionSize), String(abortEach)]
}

export const copiers: readonly Copier[] = [
  {
    name: 'confluent-kafka',
    isThere: clientsBuilt.python,
    commands: (job) => [[join(clients, 'built/python/bin/python'), join(clients, 'python/copier.py'), ...wordsOf(job)]],
  },
  {
    name: 'kafkajs',
    isThere: clientsBuilt.node,
    commands: (job) => [[process.execPath, join(clients, 'node/kafkajs-copier.ts'), ...wordsOf(job)]],
  },
  {
    name: '@platformatic/kafka',
    isThere: clientsBuilt.node,
    commands: (job) => [[process.execPath, join(clients, 'node/platformatic-copier.ts'), ...wordsOf(job)]],
  },
  {
    name: "Kafka's TransactionalMessageCopier",
    isThere: has.kafkaTools,
    commands: ({ kafka, group, target, transactionSize }) =>
      [0, 1].map((partition) => {
        const options = {
          'transactional-id': `${group}-${partition}`,
          'broker-list': kafka,
          'input-topic': 'source',
          'output-topic': target,
        }
        const sizes = { 'input-partition': partition, 'consumer-group': group, 'transaction-size': transactionSize, 'max-messages': -1 }
        const words = Object.entries({ ...options, ...sizes }).flatMap(([name, value]) => [`--${name}`, String(value)])
        const main = 'org.apache.kafka.tools.TransactionalMessageCopier'
        return ['java', '-Xmx128M', ...javaOptions(kafkaClasspath), main, ...words, '--enable-random-aborts']
      }),
  },
]

export interface Running extends AsyncDisposable {
  /** Like `kill -9` of one of them, which then runs again. */
  killOne(): Promise<void>
  /** The standard errors of the last runs, for a message. */
  errors(): string
}

/** Runs the programs, and each again when it ends. */
export function keepRunning(commands: readonly (readonly [program: string, ...args: string[]])[]): Running {
  let isOver = false
  const running = new Map<number, Program>()
  const errors = new Map<number, string>()
  const start = async (at: number, [program, ...args]: readonly [program: string, ...args: string[]]): Promise<void> => {
    while (!isOver) {
      const one = startProgram(program, args)
      running.set(at, one)
      errors.set(at, (await one.ended).stderr.slice(-500))
    }
  }
  const all = Promise.all(commands.map((command, at) => start(at, command)))
  return {
    killOne: async () => void (await running.get(0)?.kill()),
    errors: () => [...errors.values()].join('\n'),
    async [Symbol.asyncDispose]() {
      isOver = true
      await Promise.all([...running.values()].map((one) => one.kill()))
      await all
    },
  }
}
