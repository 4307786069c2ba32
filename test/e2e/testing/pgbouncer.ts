// PgBouncer in transaction mode in front of a PostgreSQL, as a process of its own that a test can kill and start again at the same port.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Program, startProgram } from '../../../packages/sim/src/program.ts'
import { freePorts } from './free-ports.ts'

export interface PgBouncer extends AsyncDisposable {
  /** Of the same database. */
  readonly url: string
  /** Like `kill -9`. */
  readonly kill: () => Promise<void>
  /** Settles when it listens again. */
  readonly start: () => Promise<void>
}

/** Three server connections for all clients, so that no client keeps its own. */
export async function startPgBouncer(postgres: string): Promise<PgBouncer> {
  const { hostname, port, username, password, pathname } = new URL(postgres)
  const folder = await mkdtemp(join(tmpdir(), 'lks-pgbouncer-'))
  const [listen = 0] = await freePorts(1)
  const target = [`host=${hostname}`, `port=${port}`, `user=${username}`, ...(password === '' ? [] : [`password=${password}`])].join(' ')
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = ${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_login_retry = 1
`,
  )
  // As root it runs as the user postgres, who must be able to read its configuration.
  await chmod(folder, 0o755)
  let program: Program | undefined
  const bouncer: PgBouncer = {
    url: `postgres://${username}@127.0.0.1:${listen}${pathname}`,
    async kill() {
      program?.signal('SIGKILL')
      await program?.ended
    },
    async start() {
      program = startProgram('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'postgres'] : []), join(folder, 'pgbouncer.ini')])
      const starting = program
      await starting.until(() => starting.stderr().includes('process up'))
    },
    async [Symbol.asyncDispose]() {
      await bouncer.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await bouncer.start()
  return bouncer
}
