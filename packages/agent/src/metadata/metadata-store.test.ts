// Runs the contract on every database.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, test } from 'vitest'
import { systemClock } from '../time/system-clock.ts'
import { interceptedSql } from './intercepted.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import { openSqliteWorker } from './sqlite-client.ts'
import { openSqliteInTurn } from './sqlite-in-turn.ts'
import type { ContractDatabase } from './testing/a-cluster.ts'
import { contracts } from './testing/contracts.ts'
import { startPostgres, type TestPostgres } from './testing/postgres-server.ts'

contracts('in memory', async () => {
  const sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => Date.now() })
  return { sql, dispose: () => sql.close() }
})

contracts('in memory, intercepted', async () => {
  const sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => Date.now() })
  return { sql: interceptedSql(sql, systemClock, () => ({ act: { kind: 'pass' } })), dispose: () => sql.close() }
})

for (const durability of ['os', 'strict'] as const)
  contracts(`SQLite, ${durability}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lks-metadata-'))
    const path = join(directory, 'metadata.db')
    const sql = durability === 'os' ? await openSqliteInTurn({ path, onNotice: unexpected }) : await openSqliteWorker({ path, durability })
    const dispose = async (): Promise<void> => {
      await sql.close()
      await rm(directory, { recursive: true })
    }
    return { sql, dispose }
  })

function unexpected(message: string): void {
  throw new Error(message)
}

const started = await startPostgres()
if (started.kind === 'started') {
  contracts('PostgreSQL', () => onPostgres(started.postgres))
  afterAll(() => started.postgres.stop())
} else test.skip(`the contract of a Metadata Service: PostgreSQL (${started.why})`, () => {})

async function onPostgres(postgres: TestPostgres): Promise<ContractDatabase> {
  const sql = await openPostgres({ url: postgres.url })
  return { sql, dispose: () => sql.close() }
}
