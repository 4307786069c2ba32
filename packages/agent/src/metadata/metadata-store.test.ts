// Runs the contract on every database.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { metadataStoreContract } from './metadata-store.contract.ts'
import { openSqlite } from './sqlite.ts'
import { openSqliteWorker } from './sqlite-client.ts'

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
