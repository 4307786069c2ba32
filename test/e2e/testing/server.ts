// A server in a process of its own, for end-to-end tests: `node` itself runs `lks dev`, the ready line says where it is, and it is ended by its pid.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../../', import.meta.url))

export interface ReadyLine {
  readonly event: 'ready'
  /** `127.0.0.1:9092` */
  readonly kafka: string
  readonly urls: { readonly control: string; readonly data: string }
  readonly ms: number
  readonly pid: number
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ServerProcess extends ReadyLine, AsyncDisposable {
  readonly port: number
  /** Its standard error so far. */
  log(): string
  /** Drains: SIGTERM, then its end. */
  stop(): Promise<Ended>
  /** Like `kill -9`. */
  kill(): Promise<Ended>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

export interface Run {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The working directory; by default a temporary one, so that no existing `.lks` or configuration is read. */
  readonly cwd?: string
  /** Without it any free ones. */
  readonly ports?: readonly string[]
  /** `built`, the default: what testing/build.ts has made before the first test. `source`: what `pnpm start` runs. */
  readonly entry?: 'built' | 'source' | Installed
}

/** A packed `lks` somewhere else, and the Node that runs it. */
export interface Installed {
  readonly node: string
  readonly main: string
}

export const anyPorts: readonly string[] = ['--kafka-port', '0', '--control-port', '0', '--data-port', '0']

/** The arguments of a start at the same addresses, as a client expects of its broker after a restart. */
export function portsOf({ port, urls }: Pick<ServerProcess, 'port' | 'urls'>): readonly string[] {
  return ['--kafka-port', String(port), '--control-port', new URL(urls.control).port, '--data-port', new URL(urls.data).port]
}

/** Runs `lks dev` on any free ports, until it says that it is ready. Rejects with what it printed when it ends before. */
export async function startServer(run: Run = {}): Promise<ServerProcess> {
  const { child, ended } = await spawnLks({ ...run, args: ['dev', ...(run.ports ?? anyPorts), ...(run.args ?? [])] })
  const line = await Promise.race([firstLine(child), ended])
  if (typeof line !== 'string')
    throw new Error(`the server ended (${line.code ?? line.signal}) before it was ready:\n${line.stdout}${line.stderr}`)
  // The cast: the line's keys are the command's contract, and command.test.ts holds them to it.
  const ready = JSON.parse(line) as ReadyLine
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal)
    return await ended
  }
  return {
    ...ready,
    port: Number(ready.kafka.slice(ready.kafka.lastIndexOf(':') + 1)),
    log: () => child.said(),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    signal: (signal) => void child.kill(signal),
    ended,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** Runs `lks` with the arguments until it ends by itself. */
export async function lks(args: readonly string[], run: Omit<Run, 'args'> = {}): Promise<Ended> {
  return await (await spawnLks({ ...run, args })).ended
}

export interface Folder extends AsyncDisposable {
  readonly path: string
}

/** Removed again at its end. */
export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'lks-e2e-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

type Child = ChildProcess & { said: () => string }

async function spawnLks({
  args = [],
  env = {},
  cwd,
  entry = 'built',
}: Run): Promise<{ readonly child: Child; readonly ended: Promise<Ended> }> {
  const folder = cwd === undefined ? await temporaryFolder() : undefined
  const [program, ...before] = programOf(entry)
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LKS_|NODE_OPTIONS$|VITEST)/.test(name)))
  const child = spawn(program, [...before, ...args], {
    cwd: folder?.path ?? cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close').then(async ([code, signal]: unknown[]): Promise<Ended> => {
    await folder?.[Symbol.asyncDispose]()
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr }
  })
  return { child: Object.assign(child, { said: () => stderr }), ended }
}

/** The bundle that testing/build.ts makes before the first test. A command of it starts in less than half the time that the sources take. */
export const builtMain = join(repository, 'packages/local-kafka-service/dist/main.js')

function programOf(entry: NonNullable<Run['entry']>): readonly [program: string, ...args: string[]] {
  if (entry === 'built') return [process.execPath, builtMain]
  if (entry === 'source') return [process.execPath, '--conditions=lks-source', join(repository, 'packages/local-kafka-service/src/main.ts')]
  return [entry.node, entry.main]
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  return await new Promise((resolve) => {
    child.stdout?.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
    })
  })
}
