// lks exec: a throw-away Kafka in memory while another command runs; its end is the command's.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Kafka } from '../index.ts'
import { UserError } from '../user-error.ts'
import type { ClientCommand, Terminal } from './client-command.ts'
import { Exit } from './exit.ts'

export const exec: ClientCommand = {
  path: ['exec'],
  summary: 'Run a command with a throw-away Kafka around it.',
  arguments: [{ name: 'command', required: true, variadic: true, doc: 'What to run, with its arguments, behind --.' }],
  options: [
    {
      name: 'topics',
      placeholder: 'topic:count,…',
      doc: 'Topics that are there when it starts, with their partitions: orders:3,audit.',
      check: (text) => {
        const topics = topicsIn(text)
        return typeof topics === 'string' ? topics : undefined
      },
    },
  ],
  examples: ['lks exec -- npm test', 'lks exec --topics orders:3,audit -- pytest', "lks exec -- sh -c 'kcat -b $KAFKA_BROKERS -L'"],
  standalone: true,
  passThrough: true,
  async run(given, { terminal, env }) {
    const [program = '', ...args] = given.arguments
    const topics = topicsIn(given.option('topics') ?? '')
    if (typeof topics === 'string') throw new UserError('LKS-1004', { what: topics, fix: ['as in: --topics orders:3,audit'] })
    const { startKafka, RefusedError } = await import('../index.ts')
    const kafka = await startKafka({ http: true })
    try {
      for (const { name, partitions } of topics) {
        try {
          await kafka.createTopic(name, partitions)
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error
          throw new UserError('LKS-1004', {
            what: `--topics: '${name}' cannot be made`,
            why: error.message,
            fix: ['give it another name or count: --topics orders:3'],
            cause: error,
          })
        }
      }
      terminal.talk.write(`lks: a Kafka in memory on ${kafka.bootstrapServers}\n`)
      const exitCode = await ran(spawn(program, args, { stdio: 'inherit', env: { ...env, ...environmentOf(kafka) } }), program, terminal)
      throw new Exit(exitCode)
    } finally {
      await kafka.stop()
    }
  },
}

/** What the child finds in its environment. */
export function environmentOf({
  bootstrapServers,
  urls,
  env,
}: Pick<Kafka, 'bootstrapServers' | 'urls' | 'env'>): Readonly<Record<string, string>> {
  return { ...env, LKS_BOOTSTRAP_SERVERS: bootstrapServers, ...(urls !== undefined && { LKS_DATA_URL: urls.data }) }
}

interface WantedTopic {
  readonly name: string
  readonly partitions: number
}

/** `orders:3,audit`; one partition where none is said. A text says what is wrong. */
export function topicsIn(text: string): readonly WantedTopic[] | string {
  const topics: WantedTopic[] = []
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [, name = '', count = '1'] = /^([^:\s]+)(?::([1-9]\d{0,5}))?$/.exec(part.trim()) ?? []
    if (name === '') return `'${part}' is no topic with a count, as orders:3`
    topics.push({ name, partitions: Number(count) })
  }
  return topics
}

/** The exit code as shells have it: 128 and the signal's number where a signal ended it. */
async function ran(child: ChildProcess, program: string, { inputInteractive }: Terminal): Promise<number> {
  // On a terminal Ctrl-C goes to the child anyway: twice would be once too often. The server waits for its end in each case.
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
      fix: ['look whether it is there, and how it is spelled'],
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
