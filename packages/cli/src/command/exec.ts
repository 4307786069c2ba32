// lks exec: runs a temporary in-memory Kafka server while another command runs, and exits as that command does.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Kafka } from 'local-kafka-service'
import { UserError } from 'local-kafka-service/internal/user-error'
import { wantedTopics } from 'local-kafka-service/internal/wanted-topics'
import type { ClientCommand, Terminal } from './client-command.ts'
import { Exit } from './exit.ts'

export const exec: ClientCommand = {
  path: ['exec'],
  summary: 'Run a command with a temporary in-memory Kafka server.',
  arguments: [{ name: 'command', required: true, variadic: true, doc: 'The command with its arguments, after --.' }],
  options: [
    {
      name: 'topic',
      placeholder: 'name:count',
      repeatable: true,
      doc: 'A topic to create before the command starts, with its partition count; orders:3,audit are two.',
      check: (text) => {
        const topics = wantedTopics(text)
        return typeof topics === 'string' ? topics : undefined
      },
    },
  ],
  examples: ['lks exec -- npm test', 'lks exec --topic orders:3 --topic audit -- pytest', "lks exec -- sh -c 'kcat -b $KAFKA_BROKERS -L'"],
  standalone: true,
  passThrough: true,
  async run(given, { terminal, env }) {
    const [program = '', ...args] = given.arguments
    const topics = wantedTopics(given.options('topic').join(','))
    if (typeof topics === 'string') throw new UserError('LKS-1004', { what: topics, fix: ['as in: --topic orders:3 --topic audit'] })
    const { startKafka, RefusedError } = await import('local-kafka-service')
    const kafka = await startKafka({ http: true })
    try {
      for (const { name, partitionCount } of topics) {
        try {
          await kafka.createTopic(name, partitionCount)
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error
          throw new UserError('LKS-1004', {
            what: `--topic: '${name}' cannot be created`,
            why: error.message,
            fix: ['use another name or count: --topic orders:3'],
            cause: error,
          })
        }
      }
      terminal.talk.write(`lks: in-memory Kafka server on ${kafka.bootstrapServers}\n`)
      const exitCode = await ran(spawn(program, args, { stdio: 'inherit', env: { ...env, ...environmentOf(kafka) } }), program, terminal)
      throw new Exit(exitCode)
    } finally {
      await kafka.stop()
    }
  },
}

/** The environment of the child process. */
export function environmentOf({
  bootstrapServers,
  urls,
  env,
}: Pick<Kafka, 'bootstrapServers' | 'urls' | 'env'>): Readonly<Record<string, string>> {
  return { ...env, LKS_BOOTSTRAP_SERVERS: bootstrapServers, ...(urls !== undefined && { LKS_DATA_URL: urls.data }) }
}

/** The exit code in the shells' convention: 128 plus the signal's number when a signal ended the process. */
async function ran(child: ChildProcess, program: string, { inputInteractive }: Terminal): Promise<number> {
  // On a terminal the child receives Ctrl-C anyway, so it is not forwarded. The server waits for the child's end in each case.
  const forward = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !inputInteractive) child.kill(signal)
  }
  for (const signal of forwarded) process.on(signal, forward)
  try {
    const { code, signal } = await endOf(child)
    if (code !== null) return code
    const { constants } = await import('node:os')
    return 128 + (signal === null ? 0 : constants.signals[signal])
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UserError('LKS-4016', {
      what: `'${program}' cannot be started`,
      why: error.message,
      fix: ['check that it is installed, and its spelling'],
      cause: error,
    })
  } finally {
    for (const signal of forwarded) process.off(signal, forward)
  }
}

function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
