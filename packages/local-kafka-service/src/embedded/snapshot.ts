// Takes a snapshot of a server, and says what a person can do where the file cannot be written.
import { resolve } from 'node:path'
import { MetadataError, ObjectStoreError } from '@local-kafka-service/agent'
import type { Server } from '../server/server.ts'
import { UserError } from '../user-error.ts'
import { ofPostgres } from './of-postgres.ts'

/** Rejects with a UserError; what was at the path then still is. */
export async function takeSnapshot(server: Pick<Server, 'copies' | 'snapshot'>, path: string): Promise<void> {
  if (server.copies === undefined) throw ofPostgres('no snapshot can be taken of it')
  const file = resolve(path)
  try {
    await server.snapshot(file)
  } catch (error) {
    throw explainSnapshot(error, file)
  }
}

/** Errors of the file, and of the stores that are copied into it. Others are defects. */
function explainSnapshot(error: unknown, path: string): unknown {
  const known = error instanceof MetadataError || error instanceof ObjectStoreError || (error instanceof Error && 'code' in error)
  if (!known) return error
  return new UserError('LKS-1402', {
    what: `the snapshot ${path} cannot be written`,
    why: error.message,
    fix: ['use a folder that is there and may be written to', 'make room on its disk'],
    cause: error,
  })
}
