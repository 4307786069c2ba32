// The files of volumes: the few calls of a file system that a volume needs, so that a test can give it a disk that loses power.
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  read,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
  writev,
  writevSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { hasCode } from '../file-errors.ts'
import { makeFolder } from '../make-folder.ts'

/** Errors are those of `node:fs`, with their codes. */
export interface VolumeFiles {
  /** Sorted. */
  names(): readonly string[]
  /** Creates the file, and the folder if it has vanished. Throws EEXIST if the name is taken. */
  create(name: string): VolumeFile
  open(name: string): VolumeFile
  remove(name: string): void
  /** Afterwards the names of the folder are on the disk. Resolves with false on a platform that cannot do so. */
  syncFolder(): Promise<boolean>
}

export interface VolumeFile {
  /** The length at this moment. */
  sizeBytes(): number
  /** False when the name was removed from outside: what is written now is gone with the process. */
  isNamed(): boolean
  /** Writes within the turn. Throws if not all of it is written; then any part of it may be. */
  writeNow(chunks: readonly Uint8Array[], position: number): void
  /** Writes on another thread. Rejects like `writeNow`. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>
  /** Fills `into` as far as the file reaches, and returns the number of bytes. */
  readNow(into: Uint8Array, position: number): number
  read(into: Uint8Array, position: number): Promise<number>
  truncate(sizeBytes: number): void
  /** Afterwards all bytes that were written before the call are on the disk. A failure is final for these bytes. */
  sync(): Promise<void>
  close(): void
}

const syncData = promisify(fdatasync)
const syncAll = promisify(fsync)

/** Files in one folder of the operating system's file system. Creates the folder, and throws the error of that. */
export function volumeFilesIn(folder: string): VolumeFiles {
  const create = (): string | undefined => {
    const first = makeFolder(folder)
    return first === undefined ? undefined : dirname(first)
  }
  /** A folder that was there: the entries from it down to the volumes are not on the disk yet. */
  let unsyncedBelow = create()
  return {
    names: () => readdirSync(folder).toSorted(),
    create(name) {
      unsyncedBelow = create() ?? unsyncedBelow
      return new RealFile(openSync(join(folder, name), 'wx+', 0o666))
    },
    open: (name) => new RealFile(openSync(join(folder, name), 'r+')),
    remove: (name) => unlinkSync(join(folder, name)),
    async syncFolder() {
      const top = unsyncedBelow
      let synced = await syncFolder(folder)
      for (let made = folder; top !== undefined && made !== top; ) {
        made = dirname(made)
        synced = (await syncFolder(made)) && synced
      }
      if (unsyncedBelow === top) unsyncedBelow = undefined
      return synced
    },
  }
}

async function syncFolder(folder: string): Promise<boolean> {
  if (process.platform === 'win32') return false
  const file = openSync(folder, 'r')
  try {
    await syncAll(file)
    return true
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return false
    throw error
  } finally {
    closeSync(file)
  }
}

/** More chunks than this are not accepted by one call of the system (IOV_MAX). Node splits longer lists itself, but not the position. */
const chunksAtOnce = 1024

class RealFile implements VolumeFile {
  readonly #file: number

  constructor(file: number) {
    this.#file = file
  }

  sizeBytes(): number {
    return fstatSync(this.#file).size
  }

  isNamed(): boolean {
    return fstatSync(this.#file).nlink > 0
  }

  writeNow(chunks: readonly Uint8Array[], position: number): void {
    let at = position
    const [only] = chunks
    if (chunks.length === 1 && only !== undefined) {
      for (let done = 0; done < only.length; ) done += writeSync(this.#file, only, done, only.length - done, position + done)
      return
    }
    for (let rest = chunks; rest.length > 0; ) {
      const written = writevSync(this.#file, rest.slice(0, chunksAtOnce), at)
      at += written
      rest = unwritten(rest, written)
    }
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let at = position
    for (let rest = chunks; rest.length > 0; ) {
      const written = await this.#writeSome(rest.slice(0, chunksAtOnce), at)
      at += written
      rest = unwritten(rest, written)
    }
  }

  readNow(into: Uint8Array, position: number): number {
    let got = 0
    while (got < into.length) {
      const more = readSync(this.#file, into, got, into.length - got, position + got)
      if (more === 0) break
      got += more
    }
    return got
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let got = 0
    while (got < into.length) {
      const more = await this.#readSome(into, got, position + got)
      if (more === 0) break
      got += more
    }
    return got
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#file, sizeBytes)
  }

  /** `fdatasync` includes the length. On macOS libuv makes it an F_FULLFSYNC. */
  async sync(): Promise<void> {
    await syncData(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }

  #writeSome(chunks: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) =>
      writev(this.#file, chunks, position, (error, written) => (error === null ? resolve(written) : reject(error))),
    )
  }

  #readSome(into: Uint8Array, at: number, position: number): Promise<number> {
    return new Promise((resolve, reject) =>
      read(this.#file, into, at, into.length - at, position, (error, got) => (error === null ? resolve(got) : reject(error))),
    )
  }
}

/** The chunks, or parts of them, that are not written yet. */
function unwritten(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = 0
  for (const [index, chunk] of chunks.entries()) {
    if (skipped + chunk.length > written) return [chunk.subarray(written - skipped), ...chunks.slice(index + 1)]
    skipped += chunk.length
  }
  return []
}
