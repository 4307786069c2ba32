// The data directory of a server: `lock.db` (whose it is now), `boot` (what the machine was started as when it was last used), `metadata.db`, `objects/`.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { uptime } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isError, makeFolder } from '@local-kafka-service/agent'
import { UserError } from '../user-error.ts'

/** Of the layout of the directory; metadata and objects have versions of their own. */
export const dataDirectoryVersion = 1

export interface DataDirectory {
  readonly path: string
  /** For all that is known the machine was started again since the directory was last used: what was not on the disk then is gone. */
  readonly rebooted: boolean
  /** What a restart of the machine may have torn was found and put right: until the next one nobody has to look again. */
  recovered(): void
  /** Something is stored in it from here on. */
  used(): void
  /** Another server may use it from here on. A folder that was made for this server and never used is removed. */
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
  let first: string | undefined
  try {
    first = makeFolder(directory)
    accessSync(directory, constants.R_OK | constants.W_OK)
    const file = join(directory, 'lock.db')
    const made = fileNumber(file)
    database = new DatabaseSync(file)
    lock(database, directory)
    if (statSync(file, { throwIfNoEntry: false })?.ino !== made)
      throw inUse(directory, 'a start that failed removed its lock at this moment')
  } catch (error) {
    database?.close()
    throw asUserError(error, directory)
  }
  const held = database
  let unused = first
  return {
    path: directory,
    rebooted: !isThisBoot(readBoot(directory)),
    recovered() {
      try {
        writeFileSync(join(directory, 'boot'), thisBoot())
      } catch (error) {
        throw asUserError(error, directory)
      }
    },
    used() {
      unused = undefined
      try {
        ignoreInGit(directory)
      } catch (error) {
        throw asUserError(error, directory)
      }
    },
    release() {
      // While the lock is held: another server must never lock a file that is gone from the folder.
      if (unused !== undefined) removeUnused(directory, unused)
      held.close()
    },
  }
}

/** The number of the file, which is made where it is missing. */
function fileNumber(path: string): number {
  const file = openSync(path, 'a')
  try {
    return fstatSync(file).ino
  } finally {
    closeSync(file)
  }
}

/** Keeps messages out of the Git repository of a project. Not in a folder that also holds something else, and never over a file that is there. */
function ignoreInGit(directory: string): void {
  if (readdirSync(directory).some((name) => !/^(boot|lock\.db|metadata\.db|objects)/.test(name))) return
  try {
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if (!(isError(error) && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** Removes the lock and the folders down from `first` that were made for it, as far as they are empty. What cannot be removed harms nobody. */
function removeUnused(directory: string, first: string): void {
  try {
    if (readdirSync(directory).some((name) => name !== 'lock.db')) return
    rmSync(join(directory, 'lock.db'), { force: true })
    for (let folder = directory; folder.length >= first.length; folder = dirname(folder)) rmdirSync(folder)
  } catch (error) {
    if (!(isError(error) && 'code' in error)) throw error
  }
}

/**
 * The mark of a boot needs no fsync, and none that says how the last run ended: it is written when its boot has been recovered from, so if the power goes
 * before it is on the disk, what is there is older, torn or absent, and none of these is the next boot.
 */
function readBoot(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'boot'), 'latin1')
  } catch (error) {
    // Unreadable for whatever reason is unknown, which only costs a look at the newest objects.
    if (isError(error) && 'code' in error) return undefined
    throw error
  }
}

/** Linux has a name for each boot; elsewhere it is the time of it, as well as the clock knows that. */
function thisBoot(): string {
  const id = linuxBootId()
  return id === undefined ? `at ${bootedAtMs()}` : `id ${id}`
}

function isThisBoot(mark: string | undefined): boolean {
  if (mark === undefined) return false
  const [, at] = /^at (\d{1,15})$/.exec(mark) ?? []
  return at === undefined ? mark === thisBoot() : Math.abs(Number(at) - bootedAtMs()) <= clockSlackMs
}

/** Taken as the module loads: a test's faked Date is no time of the machine. */
const wallNow = Date.now

const clockSlackMs = 10_000

function bootedAtMs(): number {
  return Math.round(wallNow() - uptime() * 1000)
}

function linuxBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch (error) {
    if (isError(error) && 'code' in error) return undefined
    throw error
  }
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
const sqliteFull = 13
const sqliteNotADatabase = 26

function inUse(directory: string, why: string, cause?: unknown): UserError {
  return new UserError('LKS-1101', {
    what: `the data directory ${directory} is in use by another server`,
    why,
    fix: ['stop the other server and its forks, or use it', 'use another directory: --dir <path>', 'keep nothing: --memory'],
    cause,
  })
}

/** Also by a quota. */
function isDiskFull(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number }
  return code === 'ENOSPC' || code === 'EDQUOT' || ((errcode ?? 0) & 0xff) === sqliteFull
}

function asUserError(error: unknown, directory: string): UserError {
  if (error instanceof UserError) return error
  const { errcode, message } = error as { readonly errcode?: number; readonly message?: string }
  if (errcode === sqliteBusy) return inUse(directory, 'two servers in one directory would each believe that it is theirs alone', error)
  if (isDiskFull(error))
    return new UserError('LKS-1104', {
      what: `the disk of ${directory} is full`,
      why: message,
      fix: ['free some space on that disk', 'use a directory on another disk: --dir <path>', 'keep nothing: --memory'],
      cause: error,
    })
  return new UserError('LKS-1103', {
    what: `the data directory ${directory} cannot be used`,
    why:
      errcode === sqliteNotADatabase ? `${join(directory, 'lock.db')} is not ours: it is no SQLite database` : (message ?? String(error)),
    fix: ['use another directory: --dir <path>', 'make it readable and writable for this user', 'keep nothing: --memory'],
    cause: error,
  })
}
