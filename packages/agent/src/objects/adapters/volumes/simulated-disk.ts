// A disk for tests and for the simulator: files in memory that a crash leaves as they are, and that a loss of power leaves with only some of the pages that were not synced.
import type { VolumeFile, VolumeFiles } from './volume-files.ts'

const pageBytes = 512
const sectorBytes = 4_096

interface StoredFile {
  bytes: Uint8Array
  /** The content that a loss of power cannot take. */
  durable: Uint8Array
  /** Whether the name survives a loss of power. */
  nameDurable: boolean
  linked: boolean
  /** Sectors that cannot be read until they are written, by number. */
  unreadable: Set<number>
}

export type DiskFault = 'full' | 'io'

export class SimulatedDisk {
  readonly #stored = new Map<string, StoredFile>()
  /** Returns a fault for the next write or sync, or undefined. A faulty write stops somewhere in the middle. */
  fault: (call: 'write' | 'sync') => DiskFault | undefined = () => undefined
  /** Settles asynchronous calls; a test that wants them late replaces it. */
  later: () => Promise<void> = async () => {}
  /** The disk has vanished: no file can be read, and the folder is not there. */
  isAway = false
  openFiles = 0
  syncs = 0
  /** Grows with each change of the files, and of what a loss of power would leave of them. */
  changes = 0
  /** The processes that ended: the calls of an earlier one fail. */
  #crashes = 0

  /** The folder, as the process that runs now sees it. */
  get files(): VolumeFiles {
    const alive = this.#process()
    return {
      names: () => {
        if (this.isAway) throw systemError('ENOENT')
        return [...this.#stored.keys()].toSorted()
      },
      create: (name) => {
        alive()
        if (this.#stored.has(name)) throw systemError('EEXIST')
        const stored: StoredFile = {
          bytes: new Uint8Array(),
          durable: new Uint8Array(),
          nameDurable: false,
          linked: true,
          unreadable: new Set(),
        }
        this.#stored.set(name, stored)
        this.changes += 1
        return this.#opened(stored, alive)
      },
      open: (name) => {
        alive()
        return this.#opened(this.#file(name), alive)
      },
      remove: (name) => {
        alive()
        this.remove(name)
      },
      syncFolder: async () => {
        const there = [...this.#stored.values()]
        await this.later()
        alive()
        for (const stored of there) stored.nameDurable = true
        this.changes += 1
        return true
      },
    }
  }

  /** The process ends. What it wrote stays; what it still does has no effect. */
  crash(): void {
    this.#crashes += 1
  }

  remove(name: string): void {
    this.#file(name).linked = false
    this.#stored.delete(name)
    this.changes += 1
  }

  content(name: string): Uint8Array {
    return this.#file(name).bytes
  }

  /** Changes a file from outside. */
  change(name: string, bytes: Uint8Array): void {
    this.#file(name).bytes = bytes
    this.changes += 1
  }

  /** From now on a read of the sector with this byte fails (EIO), until the sector is written or `heal` is called. */
  spoil(name: string, at: number): void {
    this.#file(name).unreadable.add(Math.floor(at / sectorBytes))
  }

  /** Every sector can be read again. */
  heal(): void {
    for (const stored of this.#stored.values()) stored.unreadable.clear()
  }

  /** What the operating system does by itself after some time: everything is on the disk. */
  writeBack(): void {
    this.changes += 1
    for (const stored of this.#stored.values()) {
      stored.durable = stored.bytes.slice()
      stored.nameDurable = true
    }
  }

  /** What a loss of power at this moment would leave, on a disk of its own. */
  afterPowerLoss(kept: () => boolean): SimulatedDisk {
    const copy = new SimulatedDisk()
    for (const [name, stored] of this.#stored) copy.#stored.set(name, { ...stored })
    copy.losePower(kept)
    return copy
  }

  /** The process ends. Of what was not synced, each page and each name is kept or lost as `kept` says. */
  losePower(kept: () => boolean): void {
    this.crash()
    this.changes += 1
    for (const [name, stored] of this.#stored) {
      if (!stored.nameDurable && !kept()) {
        this.#stored.delete(name)
        continue
      }
      stored.nameDurable = true
      const length = kept() ? stored.bytes.length : stored.durable.length
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at += pageBytes) {
        const source = kept() ? stored.bytes : stored.durable
        bytes.set(source.subarray(at, Math.min(at + pageBytes, length)), at)
      }
      stored.bytes = bytes
      stored.durable = bytes.slice()
    }
  }

  #file(name: string): StoredFile {
    const stored = this.#stored.get(name)
    if (stored === undefined) throw systemError('ENOENT')
    return stored
  }

  /** Throws if the process that runs at this moment has ended. */
  #process(): () => void {
    const began = this.#crashes
    return () => {
      if (began !== this.#crashes) throw systemError('ECANCELED')
    }
  }

  #opened(stored: StoredFile, alive: () => void): VolumeFile {
    let open = true
    this.openFiles += 1
    const check = (): void => {
      alive()
      if (!open) throw systemError('EBADF')
    }
    const write = (chunks: readonly Uint8Array[], position: number): void => {
      check()
      this.changes += 1
      const fault = this.fault('write')
      const bodyBytes = chunks.reduce((sum, { length }) => sum + length, 0)
      const writtenBytes = fault === undefined ? bodyBytes : bodyBytes >> 1
      for (let at = position; at < position + writtenBytes; at += sectorBytes - (at % sectorBytes))
        stored.unreadable.delete(Math.floor(at / sectorBytes))
      if (writtenBytes > 0) stored.bytes = withBytes(stored.bytes, chunks, { position, length: writtenBytes })
      if (fault !== undefined) throw systemError(fault === 'full' ? 'ENOSPC' : 'EIO')
    }
    const read = (into: Uint8Array, position: number): number => {
      check()
      if (this.isAway) throw systemError('EIO')
      const from = stored.bytes.subarray(position, position + into.length)
      for (const sector of stored.unreadable)
        if (sector * sectorBytes < position + from.length && (sector + 1) * sectorBytes > position) throw systemError('EIO')
      into.set(from)
      return from.length
    }
    return {
      sizeBytes: () => stored.bytes.length,
      isNamed: () => stored.linked,
      writeNow: write,
      write: async (chunks, position) => {
        await this.later()
        write(chunks, position)
      },
      readNow: read,
      read: async (into, position) => {
        await this.later()
        return read(into, position)
      },
      truncate: (sizeBytes) => {
        check()
        this.changes += 1
        const bytes = new Uint8Array(sizeBytes)
        bytes.set(stored.bytes.subarray(0, sizeBytes))
        stored.bytes = bytes
      },
      sync: async () => {
        const bytes = stored.bytes.slice()
        await this.later()
        check()
        this.syncs += 1
        this.changes += 1
        if (this.fault('sync') !== undefined) throw systemError('EIO')
        stored.durable = bytes
      },
      close: () => {
        if (!open) throw systemError('EBADF')
        open = false
        this.openFiles -= 1
      },
    }
  }
}

/** The bytes, with the first `length` bytes of the chunks at `position`. */
function withBytes(
  bytes: Uint8Array,
  chunks: readonly Uint8Array[],
  { position, length }: { readonly position: number; readonly length: number },
): Uint8Array {
  const changed = new Uint8Array(Math.max(bytes.length, position + length))
  changed.set(bytes)
  let at = position
  for (const chunk of chunks) {
    const part = chunk.subarray(0, position + length - at)
    changed.set(part, at)
    at += part.length
  }
  return changed
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}
