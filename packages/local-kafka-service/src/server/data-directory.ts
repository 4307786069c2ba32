// The data directory of a server: `lock.db` (held by the running server), `boot` (the machine's boot when it was last used), `metadata.db`, `objects/`.
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

/** The version of the directory's layout; metadata and objects have their own versions. */
export const dataDirectoryVersion = 2

export interface DataDirectory {
  readonly path: string
  /** True if the machine may have rebooted since the directory was last used: data that was not on the disk by then is lost. */
  readonly rebooted: boolean
  /** The damage that a reboot may have caused was found and repaired: no check is needed until the next reboot. */
  recovered(): void
  /** From here on the directory holds data. */
  used(): void
  /** From here on no server uses the directory: its data is elsewhere, or on the way. */
  promotes(): void
  /** From here on another server may use it. Removes a folder that was created for this server and never used. */
  release(): void
}

/** The paths in a data directory, locked or not. */
export function placesIn(path: string): { readonly metadata: string; readonly objects: string } {
  return { metadata: join(resolve(path), 'metadata.db'), objects: join(resolve(path), 'objects') }
}

/**
 * Creates the directory if it is missing and locks it for this server. The lock is an exclusive transaction held open on `lock.db`: the
 * operating system ends it with the process, however the process ends, so no stale lock remains. Throws a UserError.
 */
export function takeDataDirectory(path: string, options: { readonly promotedTo?: PromotedTo } = {}): DataDirectory {
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
      throw inUse(directory, 'a failed start removed its lock file at the same moment')
    checkPromotion(directory, options.promotedTo)
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
    promotes() {
      try {
        writeFileSync(join(directory, promotionFile), `${JSON.stringify(options.promotedTo)}\n`, { flush: true })
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
      // Done while the lock is held: another server must never lock a file that is no longer in the folder.
      if (unused !== undefined) removeUnused(directory, unused)
      held.close()
    },
  }
}

/** Where the data of a promoted directory is. */
export interface PromotedTo {
  readonly storage: string
  /** Without a password. */
  readonly metadata: string
}

const promotionFile = 'promoted.json'

/** Two clusters that both continue the same logs would give one offset to different messages. `to`: this is a promotion, which can be repeated to the same target. */
function checkPromotion(directory: string, to: PromotedTo | undefined): void {
  const file = join(directory, promotionFile)
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return
  const there = promotedTo(readFileSync(file, 'utf8'))
  if (to !== undefined && there?.storage === to.storage && there.metadata === to.metadata) return
  throw new UserError('LKS-1105', {
    what: `the data directory ${directory} was promoted, or its promotion was interrupted`,
    why:
      there === undefined
        ? `${file} cannot be read`
        : `its data belongs to ${there.storage} and ${there.metadata}; it cannot come back from there`,
    fix: [
      there === undefined
        ? 'restore the file from a copy'
        : `use the agents there, or complete the promotion: lks promote --dir ${directory} --storage ${there.storage} --metadata <the same database>`,
      `only if no agent was ever started there: remove ${file}, the prefix and the cluster's rows, and go on with this directory`,
    ],
  })
}

/** Undefined: it is not what `promotes` writes. */
function promotedTo(text: string): PromotedTo | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const { storage, metadata } = (json ?? {}) as Partial<Record<keyof PromotedTo, unknown>>
  return typeof storage === 'string' && typeof metadata === 'string' ? { storage, metadata } : undefined
}

/** The inode number of the file, which is created if it is missing. */
function fileNumber(path: string): number {
  const file = openSync(path, 'a')
  try {
    return fstatSync(file).ino
  } finally {
    closeSync(file)
  }
}

/** Keeps messages out of a project's Git repository. Skips a folder with other content, and never overwrites an existing file. */
function ignoreInGit(directory: string): void {
  if (readdirSync(directory).some((name) => !/^(boot|lock\.db|metadata\.db|objects|promoted\.json)/.test(name))) return
  try {
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if (!(isError(error) && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** Removes the lock file, and the folders from `first` down that were created for it, as far as they are empty. A leftover does no harm. */
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
 * The mark of a boot needs no fsync, nor does the state of the last run need a mark: it is written after recovery in that boot. If the power fails
 * before it is on the disk, the file is older, torn or absent, and so never matches the next boot.
 */
function readBoot(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'boot'), 'latin1')
  } catch (error) {
    // A mark that cannot be read counts as unknown, which only costs a check of the newest objects.
    if (isError(error) && 'code' in error) return undefined
    throw error
  }
}

/** Linux has an id for each boot; elsewhere the time of the boot is used, as exactly as the clock allows. */
function thisBoot(): string {
  const id = linuxBootId()
  return id === undefined ? `at ${bootedAtMs()}` : `id ${id}`
}

function isThisBoot(mark: string | undefined): boolean {
  if (mark === undefined) return false
  const [, at] = /^at (\d{1,15})$/.exec(mark) ?? []
  return at === undefined ? mark === thisBoot() : Math.abs(Number(at) - bootedAtMs()) <= clockSlackMs
}

/** Captured when the module loads: a test's faked Date is not the machine's time. */
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
  // Each version reads the directories of all earlier ones.
  if (versionOf(database) < dataDirectoryVersion) {
    database.exec(`PRAGMA user_version = ${dataDirectoryVersion}; COMMIT; BEGIN EXCLUSIVE`)
  }
  const version = versionOf(database)
  if (version > dataDirectoryVersion) {
    throw new UserError('LKS-1102', {
      what: `the data directory ${directory} was created by a newer version of Local Kafka Service`,
      why: `its layout has version ${version}; this server supports version ${dataDirectoryVersion}`,
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
    fix: ['stop the other server and its forks, or use that server', 'use another directory: --dir <path>', 'keep nothing: --memory'],
    cause,
  })
}

/** Also when a quota is exceeded. */
function isDiskFull(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number }
  return code === 'ENOSPC' || code === 'EDQUOT' || ((errcode ?? 0) & 0xff) === sqliteFull
}

function asUserError(error: unknown, directory: string): UserError {
  if (error instanceof UserError) return error
  const { errcode, message } = error as { readonly errcode?: number; readonly message?: string }
  if (errcode === sqliteBusy) return inUse(directory, 'only one server can use a data directory', error)
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
      errcode === sqliteNotADatabase
        ? `${join(directory, 'lock.db')} is not a lock file: it is not an SQLite database`
        : (message ?? String(error)),
    fix: ['use another directory: --dir <path>', 'make it readable and writable for this user', 'keep nothing: --memory'],
    cause: error,
  })
}
