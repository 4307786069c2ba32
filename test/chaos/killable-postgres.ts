// A PostgreSQL of the run's own, of the binaries that the machine has, which can be killed with all its processes and started again at its port.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectTo } from '../../packages/agent/src/metadata/testing/connection.ts'
import { type Program, runProgram, startProgram } from '../../packages/sim/src/program.ts'
import { freePorts } from '../e2e/testing/free-ports.ts'

export interface KillablePostgres extends AsyncDisposable {
  readonly port: number
  /** `postgres://postgres@127.0.0.1:5432/postgres`, or the same at a proxy. */
  url(at?: { readonly host: string; readonly port: number }): string
  /** The server and all its processes, like `kill -9`. */
  kill(): Promise<void>
  /** Settles when it answers. */
  start(): Promise<void>
}

/** Undefined: this machine has no PostgreSQL server. */
export function postgresBin(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).toSorted((one, other) => Number(other) - Number(one)) : []
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

/** Root runs it as the user postgres, because the server does not run as root. */
export async function startKillablePostgres(): Promise<KillablePostgres> {
  const bin = postgresBin()
  if (bin === undefined) throw new Error('there is no PostgreSQL server in /usr/lib/postgresql: install the package postgresql')
  const folder = await mkdtemp(join(tmpdir(), 'lks-chaos-postgres-'))
  const data = join(folder, 'data')
  const [port = 0] = await freePorts(1)
  await chmod(folder, 0o755)
  if (process.getuid?.() === 0) spawnSync('chown', ['postgres', folder])
  const [initdb, ...initdbArgs] = asPostgres(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'])
  await runProgram(initdb, initdbArgs, { cwd: folder })
  const url = (at = { host: '127.0.0.1', port }): string => `postgres://postgres@${at.host}:${at.port}/postgres`
  let server: Program | undefined
  const postgres: KillablePostgres = {
    port,
    url,
    async kill() {
      if (server === undefined) return
      // The children first: they notice the end of their server, and some would still finish what they do.
      const children = childrenOf(server.pid)
      for (const pid of [server.pid, ...children]) signal(pid, 'SIGKILL')
      await server.ended
      server = undefined
    },
    async start() {
      // The files stay in the page cache when processes are killed, so nothing has to be flushed.
      const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 100, fsync: 'off' }
      const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const [program, ...words] = asPostgres(join(bin, 'postgres'), ['-D', data, ...args])
      const starting = startProgram(program, words, { cwd: folder })
      server = starting
      await answers(url(), starting)
    },
    async [Symbol.asyncDispose]() {
      await postgres.kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await postgres.start()
  return postgres
}

/** `setpriv` becomes the program, so that its process id is that of the server. */
function asPostgres(program: string, args: readonly string[]): readonly [program: string, ...args: string[]] {
  if (process.getuid?.() !== 0) return [program, ...args]
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', program, ...args]
}

async function answers(url: string, server: Program): Promise<void> {
  const ended = server.ended.then(({ signal: by, stderr }) => {
    // It was killed while it started: the next start waits for its own.
    if (by !== 'SIGKILL') throw new Error(`PostgreSQL ended: ${stderr}`)
  })
  let over = false
  const stop = (): void => {
    over = true
  }
  void ended.then(stop, stop)
  const until = performance.now() + answersWithinMs
  const answered = (async () => {
    while (!over) {
      if (performance.now() > until)
        throw new Error(`PostgreSQL does not answer after ${answersWithinMs / 1_000} s: ${server.stderr().slice(-2_000)}`)
      const database = await connectTo(url).catch(() => undefined)
      await database?.[Symbol.asyncDispose]()
      if (database !== undefined) return
      await delay(20)
    }
  })()
  await Promise.race([answered, ended])
  ended.catch(() => {}) // It will end one day, which is then expected.
}

const answersWithinMs = 60_000

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It has ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
