// Objects as files of their own, named by their keys: the layout of earlier versions, and of what is created only if absent. The product puts its objects into volumes/.
import { close, closeSync, constants, type Dirent, existsSync, fstatSync, fsync, open, openSync, read, writev, writevSync } from 'node:fs'
import { link, readdir, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { checkKey, checkPrefix, isKey } from '../keys.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectBody,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '../object-store.ts'
import { fileError, hasCode, readError } from './file-errors.ts'
import { makeFolder } from './make-folder.ts'
import { readAround } from './read-around.ts'

export interface DirectoryOptions {
  /** `strict`: a put that resolved survives power loss. `os`: it survives the end of the process, because the operating system has it. */
  readonly durability: 'strict' | 'os'
  /** Called once with the guarantee that this platform or file system cannot give. */
  readonly onNotice?: (message: string) => void
}

interface FileWrite {
  readonly flags: number
  /** For messages. */
  readonly what: string
  readonly signal: AbortSignal | undefined
  /** On the disk when it settles. Without it, the store's mode decides. */
  readonly durable?: boolean
}

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fsync)

/**
 * Up to this size a put opens, writes and closes within the turn: in the page cache that takes 50 to 100 µs, less than three trips through the thread
 * pool cost. Calls that may wait for a device (fsync) never run in the turn, nor do larger writes, which would stall the event loop.
 */
const inTurnBytes = 256 * 1024
const removalsAtOnce = 16
/** Each attempt is lost only to a removal that empties a folder at just that moment. */
const folderTries = 16
/** No part of a key has this character, so lists never show a file that is being created. */
const unfinished = '~'
// Never O_TRUNC: a late second put of the same bytes must not make the object shorter for one moment.
const writeFlags = constants.O_WRONLY | constants.O_CREAT

export class DirectoryObjects implements ObjectStore {
  readonly #root: string
  /** The root, or the deepest folder above it that existed before this store. */
  readonly #top: string
  readonly #strict: boolean
  readonly #onNotice: (message: string) => void
  /** Folders that exist, as far as this store knows; in strict mode also on the disk. ENOENT reveals a folder that has vanished. */
  readonly #folders = new Set<string>()
  #syncsFolders = process.platform !== 'win32'
  #noticed = false
  #unfinishedFiles = 0

  /** Creates the folder if it is missing. Throws an ObjectStoreError when that fails. */
  constructor(root: string, { durability, onNotice = () => {} }: DirectoryOptions) {
    this.#root = resolve(root)
    this.#strict = durability === 'strict'
    this.#onNotice = onNotice
    try {
      const first = makeFolder(this.#root)
      this.#top = first === undefined ? this.#root : dirname(first)
    } catch (error) {
      throw fileError(error, 'no', `create the folder ${this.#root}`)
    }
  }

  async put(key: string, body: ObjectBody, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `put ${key}`)
    const durable = this.#strict || body.mustBeDurable === true
    await this.#write(this.#path(key), body, { flags: writeFlags, what: `put ${key}`, signal, durable })
  }

  /** The object is complete under its key or absent: it is written to another name and then linked, which fails if the key is taken. */
  readonly putIfAbsent = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> => {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `put ${key}`)
    const path = this.#path(key)
    const what = `put ${key}`
    // Always durable: this file is written once in a prefix's life, and without it the prefix cannot be used.
    const exclusive = { flags: writeFlags | constants.O_EXCL, what, signal, durable: true }
    let temporary: string | undefined
    try {
      temporary = await this.#writeTemporary(path, body, exclusive)
      await link(temporary, path)
      await this.#syncFolder(dirname(path), what)
      return 'created'
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return 'exists'
      // File systems without links (FAT, some network shares) still have the exclusive open; there a crash can leave a torn file.
      if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw asStoreError(error, 'unknown', what)
      return (await this.#writeUnlessThere(path, body, exclusive)) ? 'created' : 'exists'
    } finally {
      // A leftover is invisible to lists, and its name is never used again.
      if (temporary !== undefined) await unlink(temporary).catch(() => {})
    }
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `read ${key}`)
    try {
      const file = await openFile(this.#path(key), 'r')
      try {
        return await readFile(file, key, range, signal)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      throw readError(error, `read ${key}`, () => existsSync(this.#root))
    }
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    for (const key of keys) checkKey(key)
    const results: RemoveResult[] = []
    for (let at = 0; at < keys.length; at += removalsAtOnce) {
      if (signal?.aborted === true) throw abortedError(at === 0 ? 'no' : 'unknown', 'remove')
      results.push(...(await Promise.all(keys.slice(at, at + removalsAtOnce).map((key) => this.#remove(key)))))
    }
    return results
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    checkPrefix(prefix)
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    for await (const listed of this.#walk(folder, options.signal))
      if (listed.key.startsWith(prefix) && listed.key > (options.after ?? '')) yield listed
  }

  async close(): Promise<void> {}

  #path(key: string): string {
    return join(this.#root, ...key.split('/'))
  }

  /** Opens a file under an unused name in the same folder. */
  async #writeTemporary(path: string, body: readonly Uint8Array[], write: FileWrite): Promise<string> {
    for (;;) {
      this.#unfinishedFiles += 1
      const temporary = `${path}${unfinished}${process.pid}${unfinished}${this.#unfinishedFiles}`
      // The name is taken: a crash has left the file, or a process in another container has our process id.
      if (await this.#writeUnlessThere(temporary, body, write)) return temporary
    }
  }

  async #writeUnlessThere(path: string, body: readonly Uint8Array[], write: FileWrite): Promise<boolean> {
    try {
      await this.#write(path, body, write)
      return true
    } catch (error) {
      if (error instanceof ObjectStoreError && hasCode(error.cause, 'EEXIST')) return false
      throw error
    }
  }

  async #write(path: string, body: readonly Uint8Array[], { flags, what, signal, durable = this.#strict }: FileWrite): Promise<void> {
    const sizeBytes = body.reduce((sum, { length }) => sum + length, 0)
    const inTurn = sizeBytes <= inTurnBytes
    const folder = dirname(path)
    const file = await this.#open(path, flags, inTurn, what)
    let failed = true
    try {
      if (signal?.aborted === true) throw abortedError('unknown', what)
      if (inTurn) writeInTurn(file, body)
      else await writeAll(file, body)
      if (durable) await this.#sync(file, what)
      failed = false
    } catch (error) {
      throw asStoreError(error, 'unknown', what)
    } finally {
      // A network file system may report a lost write only at the close. After another error, that error is reported.
      if (inTurn || failed) closeQuietly(file, failed, what)
      else await closeFile(file).catch((error: unknown) => Promise.reject(fileError(error, 'unknown', what)))
    }
    if (durable) await this.#syncFolder(folder, what)
  }

  async #open(path: string, flags: number, inTurn: boolean, what: string): Promise<number> {
    const folder = dirname(path)
    for (let tries = 1; ; tries += 1) {
      try {
        if (!this.#folders.has(folder)) await this.#makeFolder(folder, what)
        return inTurn ? openSync(path, flags, 0o666) : await openFile(path, flags, 0o666)
      } catch (error) {
        // A removal of the folder's last object has removed the folder, too.
        this.#folders.delete(folder)
        if (hasCode(error instanceof ObjectStoreError ? error.cause : error, 'ENOENT') && tries < folderTries) continue
        const known = asStoreError(error, 'no', what)
        throw known.kind === 'missing' ? new ObjectStoreError('invalid', 'no', known.message, { cause: error }) : known
      }
    }
  }

  /** A new folder is an entry in its parent, which must be on the disk, too, before anything in the folder is. */
  async #makeFolder(folder: string, what: string): Promise<void> {
    let first: string | undefined
    try {
      first = makeFolder(folder)
    } catch (error) {
      const known = fileError(error, 'no', what)
      if (!hasCode(error, 'EEXIST', 'ENOTDIR')) throw known
      throw new ObjectStoreError('invalid', 'no', `${known.message}: a file is where a folder must be`, { cause: known })
    }
    if (this.#strict) {
      const unsafe: string[] = []
      // This includes folders that another put has just created: its sync may still be in progress.
      for (let made = folder; made !== this.#top; made = dirname(made))
        if (!this.#folders.has(made) || (first !== undefined && made.length >= first.length)) unsafe.push(made)
      await Promise.all(unsafe.map((made) => this.#syncFolder(dirname(made), what)))
      for (const made of unsafe) this.#folders.add(made)
    }
    this.#folders.add(folder)
  }

  /** A failed fsync is final: the next one may report success for pages that the kernel has dropped. On macOS this is F_FULLFSYNC (libuv). */
  async #sync(file: number, what: string): Promise<void> {
    try {
      await syncFile(file)
    } catch (error) {
      throw unsynced(error, what)
    }
  }

  async #syncFolder(folder: string, what: string): Promise<void> {
    if (!this.#syncsFolders) return this.#cannotSyncFolders()
    const file = await openFile(folder, 'r').catch((error: unknown) => Promise.reject(fileError(error, 'unknown', what)))
    try {
      await syncFile(file)
    } catch (error) {
      if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw unsynced(error, what)
      this.#syncsFolders = false
      this.#cannotSyncFolders()
    } finally {
      closeSync(file)
    }
  }

  #cannotSyncFolders(): void {
    if (this.#noticed) return
    this.#noticed = true
    this.#onNotice(`this platform cannot sync the folder ${this.#root}: after a power loss the names of the newest objects may be missing`)
  }

  async #remove(key: string): Promise<RemoveResult> {
    try {
      await unlink(this.#path(key))
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) return { key, error: fileError(error, 'no', `remove ${key}`) }
    }
    await this.#removeEmptyFolders(dirname(this.#path(key)))
    return { key }
  }

  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let empty = folder; empty.startsWith(this.#root + sep); empty = dirname(empty)) {
      // The folder is not empty, does not exist, or is in use. In each case it is left alone; an empty folder does no harm.
      const removed = await rmdir(empty).then(
        () => true,
        () => false,
      )
      if (!removed) return
      this.#folders.delete(empty)
    }
  }

  async *#walk(folder: string, signal: AbortSignal | undefined): AsyncIterable<ListedObject> {
    for (const entry of await this.#entries(folder)) {
      if (signal?.aborted === true) throw abortedError('no', `list ${folder}`)
      const key = folder + entry.name
      if (!isKey(key)) continue
      if (entry.isDirectory()) yield* this.#walk(`${key}/`, signal)
      else if (entry.isFile()) {
        const sizeBytes = await sizeOf(this.#path(key), key)
        if (sizeBytes !== undefined) yield { key, sizeBytes }
      }
    }
  }

  async #entries(folder: string): Promise<readonly Dirent[]> {
    try {
      const entries = await readdir(join(this.#root, folder), { withFileTypes: true })
      return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
      throw fileError(error, 'no', `list ${folder}`)
    }
  }
}

async function sizeOf(path: string, key: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw fileError(error, 'no', `list ${key}`)
  }
}

/** Reads the size first, so that no memory is allocated for missing bytes. */
async function readFile(file: number, key: string, range: ByteRange | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const stats = fstatSync(file)
  if (!stats.isFile()) throw new ObjectStoreError('missing', 'no', `read ${key}: no such object`)
  const start = range?.start ?? 0
  const there = stats.size - start
  const length = range === undefined || range.untilEnd === true ? Math.min(range?.length ?? there, there) : range.length
  if (length > there || (range !== undefined && length <= 0))
    throw new ObjectStoreError(
      'corrupt',
      'no',
      `read ${key}: the object has ${stats.size} bytes, requested were ${start} to ${start + (range?.length ?? 0)}`,
    )
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length; ) {
    if (signal?.aborted === true) throw abortedError('no', `read ${key}`)
    const { got } = await readAround((into, position) => readSome(file, into, position), bytes.subarray(at), start + at)
    if (got === 0) throw new ObjectStoreError('corrupt', 'no', `read ${key}: the file ended at byte ${start + at} during the read`)
    at += got
  }
  return bytes
}

function readSome(file: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    read(file, into, 0, into.length, position, (error, got) => (error === null ? resolve(got) : reject(error))),
  )
}

function writeInTurn(file: number, body: readonly Uint8Array[]): void {
  for (let rest = body; rest.length > 0; ) rest = after(rest, writevSync(file, rest))
}

async function writeAll(file: number, body: readonly Uint8Array[]): Promise<void> {
  for (let rest = body; rest.length > 0; ) rest = after(rest, await writeSome(file, rest))
}

function writeSome(file: number, body: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => writev(file, body, (error, written) => (error === null ? resolve(written) : reject(error))))
}

/** The chunks, or parts of them, that are not written yet. */
function after(body: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = 0
  for (const [index, chunk] of body.entries()) {
    if (skipped + chunk.length > written) return [chunk.subarray(written - skipped), ...body.slice(index + 1)]
    skipped += chunk.length
  }
  return []
}

function closeQuietly(file: number, failed: boolean, what: string): void {
  try {
    closeSync(file)
  } catch (error) {
    if (!failed) throw fileError(error, 'unknown', what)
  }
}

function unsynced(error: unknown, what: string): ObjectStoreError {
  const known = fileError(error, 'unknown', what)
  if (known.kind === 'full') return known
  return new ObjectStoreError('corrupt', 'unknown', `${what}: the disk did not accept the write (${known.message})`, { cause: error })
}

function asStoreError(error: unknown, applied: 'no' | 'unknown', what: string): ObjectStoreError {
  return error instanceof ObjectStoreError ? error : fileError(error, applied, what)
}
