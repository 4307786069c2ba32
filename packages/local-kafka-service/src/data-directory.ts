// The data directory of a server: `lock.db` (whose it is now), `metadata.db`, `objects/`.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UserError } from './user-error.ts'

/** Of the layout of the directory; metadata and objects have versions of their own. */
export const dataDirectoryVersion = 1

export interface DataDirectory {
  readonly path: string
  /** Somebody else may use it from here on. */
  release(): void
}

/** Where things are in a data directory, taken or not. */
export function placesIn(path: string): { readonly metadata: string; readonly objects: string } {
  return { metadata: join(resolve(path), 'metadata.db'), objects: join(resolve(path), 'objects') }
}

/**
 * Makes the directory where it is missing and takes it for this server. The lock is an exclusive transaction held open on `lock.db`: the
 * operating system ends it with the process, however that ends, so no stale lock is ever left. Throws a UserError.
 */
export function takeDataDirectory(path: string): DataDirectory {
  const directory = resolve(path)
  let database: DatabaseSync | undefined
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.R_OK | constants.W_OK)
    database = new DatabaseSync(join(directory, 'lock.db'))
    lock(database, directory)
  } catch (error) {
    database?.close()
    throw asUserError(error, directory)
  }
  const held = database
  return { path: directory, release: () => held.close() }
}

function lock(database: DatabaseSync, directory: string): void {
  database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  if (versionOf(database) === 0) {
    database.exec(`PRAGMA user_version = ${dataDirectoryVersion}; COMMIT; BEGIN EXCLUSIVE`)
  }
  const version = versionOf(database)
  if (version > dataDirectoryVersion) {
    throw new UserError('LKS-1102', {
      what: `the data directory ${directory} was made by a newer version of Local Kafka Service`,
      why: `its layout has version ${version}, this server knows version ${dataDirectoryVersion}`,
      fix: ['use the newer version', 'use another directory: --dir <path>'],
    })
  }
}

function versionOf(database: DatabaseSync): number {
  const version = database.prepare('PRAGMA user_version').get()?.user_version
  return typeof version === 'number' ? version : 0
}

const sqliteBusy = 5
const sqliteNotADatabase = 26

function asUserError(error: unknown, directory: string): UserError {
  if (error instanceof UserError) return error
  const { errcode, message } = error as { readonly errcode?: number; readonly message?: string }
  if (errcode === sqliteBusy) {
    return new UserError('LKS-1101', {
      what: `the data directory ${directory} is in use by another process`,
      why: 'two servers in one directory would each believe that it is theirs alone',
      fix: ['stop the other server, or use it', 'use another directory: --dir <path>', 'keep nothing: --memory'],
      cause: error,
    })
  }
  return new UserError('LKS-1103', {
    what: `the data directory ${directory} cannot be used`,
    why:
      errcode === sqliteNotADatabase ? `${join(directory, 'lock.db')} is not ours: it is no SQLite database` : (message ?? String(error)),
    fix: ['use another directory: --dir <path>', 'make it readable and writable for this user', 'keep nothing: --memory'],
    cause: error,
  })
}
