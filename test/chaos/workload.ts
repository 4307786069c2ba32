// The clients of a run: programs of several libraries that send, read, commit and print what they saw.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../../packages/agent/src/native-error.ts'
import { type Program, startProgram } from '../../packages/sim/src/program.ts'
import { has, javaOptions, kafkaClasspath, python, succeeds } from '../e2e/testing/programs.ts'
import { repository } from '../e2e/testing/server.ts'
import type { ClientLine, ClientSettings, Reader } from './history.ts'
import { within } from './within.ts'

export interface ChaosClient {
  /** Of its process in the history. */
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
  readonly readers: readonly Reader[]
  readonly group: string
}

export interface Addressed {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  readonly settings: ClientSettings
}

/** Those that this machine has. kafkajs and @platformatic/kafka are always there. */
export function chaosClients(): readonly ChaosClient[] {
  const clients = join(repository, 'test/chaos/clients')
  const newestPython = join(repository, 'test/e2e/clients/built/python/bin/python')
  const pythonProgram = existsSync(newestPython) ? newestPython : python
  const found = [
    aClient('kafkajs', [process.execPath, '--conditions=lks-source', join(clients, 'kafkajs.ts')], { members: ['member 1', 'member 2'] }),
    aClient('platformatic', [process.execPath, '--conditions=lks-source', join(clients, 'platformatic.ts')], { members: ['member'] }),
  ]
  if (succeeds(pythonProgram, ['-c', 'import confluent_kafka']))
    found.push(aClient('confluent', [pythonProgram, join(clients, 'confluent.py')], { members: ['member'], assigned: true }))
  if (has.kafkaTools && succeeds('javac', ['-version'])) {
    const java = ['-Xmx128M', ...javaOptions(kafkaClasspath), join(clients, 'JavaChaosClient.java')]
    found.push(aClient('java', ['java', ...java], { members: ['member'], assigned: true }))
  }
  return found
}

function aClient(
  name: string,
  command: ChaosClient['command'],
  { members, assigned = false }: { readonly members: readonly string[]; readonly assigned?: boolean },
): ChaosClient {
  const group = `${name}-group`
  const readers: readonly Reader[] = [
    ...members.map((member): Reader => ({ kind: 'member', name: `${name} ${member}`, group })),
    ...(assigned ? [{ kind: 'assigned', name: `${name} reader` } as const] : []),
    { kind: 'scan', name: `${name} scan` },
  ]
  return { name, command, readers, group }
}

export type OnClientLine = (process: string, line: ClientLine) => void

export interface RunningClient extends AsyncDisposable {
  readonly client: ChaosClient
  /** It sends nothing more, and goes on reading. */
  stopSending(): void
  /** It has ended, and should not have yet. */
  readonly isOver: boolean
  /** Settles when it has ended by itself, or was killed because it did not; a failure is its text. */
  finish(): Promise<string | undefined>
}

export function startWork(client: ChaosClient, at: Addressed, onLine: OnClientLine): RunningClient {
  const program = start(client, ['work', ...argumentsOf(at, client), String(everyMs[at.settings])], onLine)
  let isOver = false
  void program.ended.then(() => (isOver = true))
  return {
    client,
    get isOver() {
      return isOver
    },
    stopSending: () => program.write('stop\n'),
    async finish() {
      program.endInput()
      try {
        return failureOf(client, await within(program.ended, { what: `${client.name} has ended`, limitMs: finishLimitMs }))
      } catch (error) {
        await program.kill()
        return errorText(error)
      }
    },
    [Symbol.asyncDispose]: async () => void (await program.kill()),
  }
}

/** Between two sends of a client. Pauses are measured where the machine is not busy. */
const everyMs: Readonly<Record<ClientSettings, number>> = { patient: 25, default: 60 }

/** Clients leave their groups, and close what they have. */
const finishLimitMs = 120_000

/** Reads everything, from the first offset to the ends. Returns its failure. */
export async function scan(
  client: ChaosClient,
  at: Addressed & { readonly ends: ReadonlyMap<number, number> },
  onLine: OnClientLine,
): Promise<string | undefined> {
  const ends = [...at.ends].map((pair) => pair.join(':')).join(',')
  const words = ['scan', ...argumentsOf({ ...at, settings: 'patient' }, client), ends]
  const program = start(client, words, onLine, scanLimitMs)
  program.endInput()
  return failureOf(client, await program.ended)
}

const scanLimitMs = 180_000

function start(client: ChaosClient, words: readonly string[], onLine: OnClientLine, limitMs = 0): Program {
  const [program, ...args] = client.command
  return startProgram(program, [...args, ...words], { limitMs, onLine: (text) => onLine(client.name, lineOf(text)) })
}

/** A library may log to standard output, too. */
function lineOf(text: string): ClientLine {
  // The cast: the programs in clients/ print lines of this type.
  return text.startsWith('{') ? (JSON.parse(text) as ClientLine) : { f: 'note', text }
}

function argumentsOf({ bootstrap, topic, partitions, settings }: Addressed, { name }: ChaosClient): readonly string[] {
  return [bootstrap, topic, String(partitions), name, settings]
}

function failureOf({ name }: ChaosClient, { code, signal, stderr }: Awaited<Program['ended']>): string | undefined {
  const wrong = stderr.length <= 4_000 ? stderr : `${stderr.slice(0, 2_000)}\n…\n${stderr.slice(-2_000)}`
  return code === 0 ? undefined : `${name} ended with ${code ?? signal}: ${wrong}`
}
