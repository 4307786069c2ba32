// Takes a snapshot of a server, with a UserError if the file cannot be written.
import { resolve } from 'node:path'
import { MetadataError, ObjectStoreError } from '@local-kafka-service/agent'
import type { Server } from '../server/server.ts'
import { UserError } from '../user-error.ts'
import { ofPostgres } from './of-postgres.ts'

/** Rejects with a UserError; an existing file at the path is then unchanged. */
export async function takeSnapshot(server: Pick<Server, 'copies' | 'snapshot'>, path: string): Promise<void> {
  if (server.copies === undefined) throw ofPostgres('no snapshot can be taken of it')
  const file = resolve(path)
  try {
    await server.snapshot(file)
  } catch (error) {
    throw explainSnapshot(error, file)
  }
}

/** Errors of the file, and of the stores that are copied into it. All others are defects. */
function explainSnapshot(error: unknown, path: string): unknown {
  const known = error instanceof MetadataError || error instanceof ObjectStoreError || (error instanceof Error && 'code' in error)
  if (!known) return error
  return new UserError('LKS-1402', {
    what: `the snapshot ${path} cannot be written`,
    why: error.message,
    fix: ['use a folder that exists and is writable', 'free some space on its disk'],
    cause: error,
  })
}
