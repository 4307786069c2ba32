// Runs the contract on every database.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { type ContractDatabase, metadataStoreContract } from './metadata-store.contract.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import { openSqliteWorker } from './sqlite-client.ts'
import { startPostgres, type TestPostgres } from './testing/postgres-server.ts'

metadataStoreContract('in memory', async () => {
  const sql = openSqlite({ path: ':memory:', durability: 'memory', now: () => Date.now() })
  return { sql, dispose: () => sql.close() }
})

for (const durability of ['os', 'strict'] as const)
  metadataStoreContract(`SQLite, ${durability}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lks-metadata-'))
    const sql = await openSqliteWorker({ path: join(directory, 'metadata.db'), durability })
    const dispose = async (): Promise<void> => {
      await sql.close()
      await rm(directory, { recursive: true })
    }
    return { sql, dispose }
  })

const started = await startPostgres()
if (started.kind === 'started') metadataStoreContract('PostgreSQL', () => onPostgres(started.postgres))
else test.skip(`the contract of a Metadata Service: PostgreSQL (${started.why})`, () => {})

async function onPostgres(postgres: TestPostgres): Promise<ContractDatabase> {
  const sql = await openPostgres({ url: postgres.url })
  const dispose = async (): Promise<void> => {
    await sql.close()
    await postgres.stop()
  }
  return { sql, dispose }
}
