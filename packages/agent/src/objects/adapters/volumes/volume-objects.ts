// The FileStorage Service in a directory: objects are appended to volumes, a few large files, so that a put costs one write and, in strict mode, a shared sync.
import type { Checksum } from '../../../core/checksum.ts'
import { fixedLimits } from '../../../limits.ts'
import type { Clock } from '../../../time/clock.ts'
import { checkKey, checkPrefix } from '../../keys.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectBody,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '../../object-store.ts'
import type { DirectoryObjects } from '../directory.ts'
import { RewritePace } from './rewrite-pace.ts'
import type { Volume, VolumeObject } from './volume.ts'
import type { VolumeFiles } from './volume-files.ts'
import { asStoreError, VolumeFolder } from './volume-folder.ts'
import { volumeHeaderBytes } from './volume-format.ts'

export interface VolumeOptions {
  readonly files: VolumeFiles
  /** Objects that are files of their own: those of earlier versions, and those that are created only if absent. */
  readonly plain: Pick<DirectoryObjects, 'putIfAbsent' | 'read' | 'remove' | 'list' | 'close'>
  /** `strict`: a put that resolved survives power loss. `os`: it survives the end of the process, because the operating system has it. */
  readonly durability: 'strict' | 'os'
  readonly crc32c: Checksum
  /** Eight bytes that cannot be guessed, new for each volume. */
  readonly nonce: () => Uint8Array
  /** For the pace of the rewriting. */
  readonly clock: Pick<Clock, 'after'>
  /** Called with what a person should know: damage that was found, or a guarantee that this platform cannot give. */
  readonly onNotice?: (message: string) => void
  /** A volume is sealed when it reaches this size. */
  readonly volumeBytes?: number
  /** So many small volumes are rewritten into one. */
  readonly smallVolumes?: number
}

/**
 * One process writes to a directory at a time (its data directory is locked). Each store makes volumes of its own and never appends to one that was there,
 * so a put of a store that was killed within this process, and lands late, overwrites nothing.
 */
export class VolumeObjects implements ObjectStore {
  readonly #folder: VolumeFolder
  readonly #plain: VolumeOptions['plain']
  readonly #strict: boolean
  readonly #crc32c: Checksum
  readonly #onNotice: (message: string) => void
  readonly #objects = new Map<string, VolumeObject>()
  /** Objects that must be on the disk before their puts resolve, and are not yet. */
  readonly #unsynced = new Set<VolumeObject>()
  readonly #putting = new Map<string, Promise<void>>()
  /** Volumes that cannot be rewritten now. The next start tries again. */
  readonly #left = new WeakSet<Volume>()
  /** Of objects that a start found twice: the one that counts, and the one to remove. */
  readonly #doubles: { readonly kept: VolumeObject; readonly other: VolumeObject }[] = []
  readonly #pace: RewritePace
  readonly #closing = new AbortController()
  #rewriting: Promise<void> = Promise.resolve()
  #isRewriting = false
  #closed = false

  /** Reads what is there. Throws an ObjectStoreError. */
  constructor(options: VolumeOptions) {
    const { files, plain, durability, crc32c, nonce, clock, onNotice = () => {} } = options
    const { volumeBytes = fixedLimits.volumeBytes, smallVolumes = fixedLimits.smallVolumes } = options
    this.#plain = plain
    this.#strict = durability === 'strict'
    this.#crc32c = crc32c
    this.#onNotice = onNotice
    this.#pace = new RewritePace(clock, this.#closing.signal)
    this.#folder = new VolumeFolder({ files, crc32c, nonce, onNotice, volumeBytes, smallVolumes })
    try {
      for (const volume of this.#folder.find()) for (const object of volume.live()) this.#find(object)
    } catch (error) {
      throw asStoreError(error, 'no', 'read the volumes')
    }
    this.#tidy()
  }

  async put(key: string, body: ObjectBody, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    this.#checkBefore(`put ${key}`, signal)
    // Another put of the same bytes that fails does not make this one fail.
    for (let other = this.#putting.get(key); other !== undefined; other = this.#putting.get(key)) await other.catch(() => {})
    const put = this.#put(key, body)
    this.#putting.set(key, put)
    try {
      await put
    } finally {
      this.#putting.delete(key)
    }
  }

  readonly putIfAbsent = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> => {
    checkKey(key)
    if (this.#objects.has(key)) return 'exists'
    return await this.#plain.putIfAbsent(key, body, signal)
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    const object = this.#objects.get(key)
    if (object === undefined) return await this.#plain.read(key, range, signal)
    const what = `read ${key}`
    this.#checkBefore(what, signal)
    const { start, length } = range ?? { start: 0, length: object.bodyBytes }
    const end = range?.untilEnd === true ? Math.min(start + length, object.bodyBytes) : start + length
    if (end > object.bodyBytes || (range !== undefined && start >= end))
      throw corrupt(`${what}: the object has ${object.bodyBytes} bytes, requested were ${start} to ${start + length}`)
    const bytes = await this.#folder.read(object, { start, length: end - start, ...(range?.into && { into: range.into }) }, what)
    // A volume may be cut off: `untilEnd` then reads up to that end.
    if (bytes.length < end - start && (range?.untilEnd !== true || bytes.length === 0))
      throw corrupt(`${what}: the volume ${object.volume.name} ends after ${bytes.length} of ${end - start} bytes`)
    if (bytes.length === object.bodyBytes) {
      if (this.#crc32c(bytes) !== object.checksum) throw corrupt(`${what}: the checksum in the volume ${object.volume.name} does not match`)
      range?.onVerified?.()
    }
    return bytes
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    for (const key of keys) checkKey(key)
    this.#checkBefore('remove', signal)
    const errors = new Map<string, ObjectStoreError>()
    for (const key of keys) {
      const object = this.#objects.get(key)
      const error = object === undefined ? undefined : this.#remove(object)
      if (error !== undefined) errors.set(key, error)
    }
    this.#tidy()
    // A key may also have a file of its own, which an earlier version did not write to its end before a crash.
    const plain = keys.filter((key) => !errors.has(key))
    for (const { key, error } of await this.#plain.remove(plain, signal)) if (error !== undefined) errors.set(key, error)
    return keys.map((key) => {
      const error = errors.get(key)
      return error === undefined ? { key } : { key, error }
    })
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    checkPrefix(prefix)
    const { after = '', signal } = options
    for (const key of this.#objects.keys()) {
      if (signal?.aborted === true) throw abortedError('no', `list ${prefix}`)
      const object = this.#objects.get(key)
      if (object !== undefined && key.startsWith(prefix) && key > after) yield { key, sizeBytes: object.bodyBytes }
    }
    for await (const listed of this.#plain.list(prefix, options)) if (!this.#objects.has(listed.key)) yield listed
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#closing.abort()
    await this.#rewriting
    await Promise.allSettled(this.#putting.values())
    this.#folder.close()
    await this.#plain.close()
  }

  /**
   * An object in two volumes was being moved to the newer one when the process ended, or was put again. The older one counts if it is whole, because nothing
   * says that the newer one is on the disk.
   */
  #find(object: VolumeObject): void {
    const older = this.#objects.get(object.key)
    const what = `read ${object.key}`
    switch (older === undefined ? undefined : this.#folder.examine(older, what)) {
      case 'whole':
        if (older !== undefined) this.#doubles.push({ kept: older, other: object })
        return
      case 'unreadable':
        // The disk may read it another time, so its volume stays until a start can decide.
        if (this.#folder.examine(object, what) !== 'whole') return this.#setAside(object)
        if (older !== undefined) this.#setAside(older)
        break
      case 'damaged':
      case undefined:
        older?.volume.forget(older)
    }
    this.#objects.set(object.key, object)
  }

  /** The object does not count in this process, but its bytes stay: they are neither marked as removed nor unlinked with their volume. */
  #setAside(object: VolumeObject): void {
    object.volume.forget(object)
    this.#left.add(object.volume)
  }

  #checkBefore(what: string, signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) throw abortedError('no', what)
    if (this.#closed) throw new ObjectStoreError('unavailable', 'no', `${what}: the store is closed`)
  }

  async #put(key: string, body: ObjectBody): Promise<void> {
    const what = `put ${key}`
    const there = this.#objects.get(key)
    const strict = this.#strict || body.mustBeDurable === true
    if (there !== undefined && this.#folder.made(there)) {
      if (this.#unsynced.has(there)) await this.#sync(there, what)
      return
    }
    // An object that was there when the store was opened is kept if it is whole. Another copy would be less durable: it is not on the disk yet.
    const state = there === undefined ? undefined : this.#folder.examine(there, what)
    if (there !== undefined && state === 'whole') {
      if (strict) await this.#syncVolume(there.volume, what)
      return
    }
    const object = await this.#append(key, body, { what, strict })
    // After the append: meanwhile the older one may have been moved.
    const older = this.#objects.get(key)
    this.#objects.set(key, object)
    // The volume before it is sealed now.
    if (isFirstInVolume(object)) this.#tidy()
    try {
      if (strict) await this.#sync(object, what)
    } catch (error) {
      if (older !== undefined && !this.#objects.has(key)) this.#objects.set(key, older)
      throw error
    }
    if (older === undefined) return
    if (older === there && state === 'unreadable') this.#setAside(older)
    else this.#remove(older)
  }

  async #append(
    key: string,
    body: ObjectBody,
    { what, strict }: { readonly what: string; readonly strict: boolean },
  ): Promise<VolumeObject> {
    const object = await this.#folder.append(key, body, what)
    if (strict) this.#unsynced.add(object)
    return object
  }

  async #sync(object: VolumeObject, what: string): Promise<void> {
    await this.#syncVolume(object.volume, what)
    this.#unsynced.delete(object)
  }

  async #syncVolume(volume: Volume, what: string): Promise<void> {
    try {
      await this.#folder.sync(volume, what)
    } catch (error) {
      // Nothing knows which bytes of the objects that wait for the sync have arrived.
      for (const object of this.#unsynced) {
        if (object.volume !== volume) continue
        volume.forget(object)
        this.#drop(object)
      }
      throw error
    }
  }

  #remove(object: VolumeObject): ObjectStoreError | undefined {
    const error = this.#folder.remove(object)
    if (error === undefined) this.#drop(object)
    return error
  }

  #drop(object: VolumeObject): void {
    this.#unsynced.delete(object)
    if (this.#objects.get(object.key) === object) this.#objects.delete(object.key)
  }

  /** Frees the space of removed objects, one volume after another, in the background. */
  #tidy(): void {
    if (this.#isRewriting || this.#closed) return
    if (this.#doubles.length === 0 && this.#folder.worthRewriting(this.#left) === undefined) return
    this.#isRewriting = true
    this.#rewriting = this.#rewriteAll()
  }

  async #rewriteAll(): Promise<void> {
    try {
      await this.#removeDoubles()
      for (;;) {
        const next = this.#closed ? undefined : this.#folder.worthRewriting(this.#left)
        if (next === undefined) return
        await this.#rewrite(next)
      }
    } catch (error) {
      this.#onNotice(`the space of removed objects cannot be freed now: ${asStoreError(error, 'no', 'rewrite a volume').message}`)
    } finally {
      // In the same turn as the last look, so that no removal is missed.
      this.#isRewriting = false
    }
  }

  /** The kept one may be the copy of a move that failed, which no sync has reached, and the other one may be on the disk. */
  async #removeDoubles(): Promise<void> {
    for (let double = this.#doubles.at(-1); double !== undefined && !this.#closed; double = this.#doubles.at(-1)) {
      await this.#syncVolume(double.kept.volume, `remove the second copy of ${double.other.key}`)
      this.#doubles.pop()
      this.#remove(double.other)
    }
  }

  /** Nothing is marked or removed before the copies are on the disk, also in mode `os`: these objects may have been there for a long time. */
  async #rewrite(volume: Volume): Promise<void> {
    const what = `rewrite the volume ${volume.name}`
    const moves: ObjectMove[] = []
    try {
      for (const from of volume.live()) {
        if (this.#closed) return
        const counts = this.#objects.get(from.key)
        if (counts !== from) {
          // It was put again. While the new one is not on the disk, its put may still fail and need this one; otherwise only the mark here is missing.
          if (counts === undefined || !this.#unsynced.has(counts)) this.#remove(from)
          continue
        }
        const bytes = await this.#folder.read(from, { start: 0, length: from.bodyBytes }, what)
        if (bytes.length !== from.bodyBytes || this.#crc32c(bytes) !== from.checksum) {
          this.#left.add(volume)
          this.#onNotice(`the object ${from.key} in the volume ${volume.name} is damaged: the volume is kept as it is`)
          return
        }
        moves.push({ from, to: await this.#append(from.key, [bytes], { what, strict: this.#strict }) })
        await this.#pace.moved(from.bodyBytes)
      }
      for (const target of new Set(moves.map(({ to }) => to.volume))) {
        await this.#syncVolume(target, what)
        // A later sync that fails is not about them.
        for (const { to } of moves) if (to.volume === target) this.#unsynced.delete(to)
      }
      // A store that is closed must change nothing: its successor may read these volumes.
      for (let move: ObjectMove | undefined; !this.#closed && (move = moves.pop()) !== undefined; ) {
        this.#swap(move.from, move.to)
        await this.#pace.marked()
      }
      if (this.#closed) return
    } finally {
      for (const { to } of moves) this.#remove(to)
    }
    if (volume.live().length === 0) this.#folder.unlink(volume)
    else this.#left.add(volume)
  }

  #swap(from: VolumeObject, to: VolumeObject): void {
    if (this.#objects.get(from.key) !== from) {
      // It was removed in the meantime, or put again: then that put removes it, when it has succeeded.
      this.#remove(to)
      return
    }
    this.#objects.set(from.key, to)
    this.#remove(from)
  }
}

/** An object and its copy in another volume. */
interface ObjectMove {
  readonly from: VolumeObject
  readonly to: VolumeObject
}

function isFirstInVolume({ frameStart }: VolumeObject): boolean {
  return frameStart === volumeHeaderBytes
}

function corrupt(message: string): ObjectStoreError {
  return new ObjectStoreError('corrupt', 'no', message)
}
