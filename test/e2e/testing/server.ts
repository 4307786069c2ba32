// A server in a process of its own, for end-to-end tests: `node` itself runs `lks`, the ready line says where it is, and it is ended by its pid.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, type ProgramEnd, startProgram } from '../../../packages/sim/src/program.ts'

export const repository = fileURLToPath(new URL('../../../', import.meta.url))

export interface ReadyLine {
  readonly event: 'ready'
  /** `127.0.0.1:9092` */
  readonly kafka: string
  readonly urls: { readonly control: string; readonly data: string }
  readonly ms: number
  readonly pid: number
}

export interface ServerProcess extends ReadyLine, AsyncDisposable {
  readonly port: number
  /** Its standard error so far. */
  log(): string
  /** Drains: SIGTERM, then its end. */
  stop(): Promise<ProgramEnd>
  /** Like `kill -9`. */
  kill(): Promise<ProgramEnd>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<ProgramEnd>
}

export interface ServerRun {
  /** Default: dev. */
  readonly command?: 'dev' | 'start'
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The working directory; by default a temporary one, so that no existing `.lks` or configuration is read. */
  readonly cwd?: string
  /** Without it any free ones. */
  readonly ports?: readonly string[]
  /** `built`, the default: what testing/build.ts has made before the first test. `source`: what `pnpm start` runs. */
  readonly entry?: 'built' | 'source' | Installed
  /** A server that is not ready by then is killed. */
  readonly readyWithinMs?: number
  /** The words before the command, for a program that becomes it. */
  readonly prefix?: readonly string[]
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

/** Runs `lks dev` or `lks start` on any free ports, until it says that it is ready. Rejects with what it printed when it ends before, or takes too long. */
export async function startServer(run: ServerRun = {}): Promise<ServerProcess> {
  const { program: server, ended } = await startLks({
    ...run,
    args: [run.command ?? 'dev', ...(run.ports ?? anyPorts), ...(run.args ?? [])],
  })
  const limit = setTimeout(() => server.signal('SIGKILL'), run.readyWithinMs ?? readyWithinMs)
  // The cast: the line's keys are the command's contract, and command.test.ts holds them to it.
  const ready = JSON.parse(await server.firstLine().finally(() => clearTimeout(limit))) as ReadyLine
  const end = (signal: NodeJS.Signals): Promise<ProgramEnd> => {
    server.signal(signal)
    return ended
  }
  return {
    ...ready,
    port: Number(ready.kafka.slice(ready.kafka.lastIndexOf(':') + 1)),
    log: () => server.stderr(),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    signal: (signal) => server.signal(signal),
    ended,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** On a machine that does much else, a start takes many times its usual second. */
const readyWithinMs = 100_000

/** Runs `lks` with the arguments until it ends by itself. */
export async function lks(args: readonly string[], run: Omit<ServerRun, 'args'> = {}): Promise<ProgramEnd> {
  return await (await startLks({ ...run, args })).ended
}

export interface Folder extends AsyncDisposable {
  readonly path: string
}

/** Removed again at its end. */
export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'lks-e2e-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** A temporary working directory is removed before `ended` settles. */
async function startLks({
  args = [],
  env = {},
  cwd,
  entry = 'built',
  prefix = [],
}: ServerRun): Promise<{ readonly program: Program; readonly ended: Promise<ProgramEnd> }> {
  const folder = cwd === undefined ? await temporaryFolder() : undefined
  const [executable = '', ...before] = [...prefix, ...programOf(entry)]
  const program = startProgram(executable, [...before, ...args], {
    cwd: cwd ?? folder?.path,
    env: { ...withoutOurVariables(), ...env },
  })
  return { program, ended: program.ended.finally(() => folder?.[Symbol.asyncDispose]()) }
}

/** This process's environment without the variables and profiles that a server or a command would read. */
export function withoutOurVariables(): Readonly<Record<string, string | undefined>> {
  const others = Object.entries(process.env).filter(([name]) => !/^(LKS_|KAFKA_|NODE_OPTIONS$|VITEST)/.test(name))
  return { ...Object.fromEntries(others), LKS_PROFILES: '' }
}

/** The bundle that testing/build.ts makes before the first test. A command of it starts in less than half the time that the sources take. */
export const builtMain = join(repository, 'packages/local-kafka-service/dist/main.js')

function programOf(entry: NonNullable<ServerRun['entry']>): readonly [program: string, ...args: string[]] {
  if (entry === 'built') return [process.execPath, builtMain]
  if (entry === 'source') return [process.execPath, '--conditions=lks-source', join(repository, 'packages/cli/src/main.ts')]
  return [entry.node, entry.main]
}
