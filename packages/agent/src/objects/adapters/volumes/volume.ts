// One volume: a file that objects are appended to until it is sealed with an index. Which object of a key counts is known to the store, not here.
import { assert } from '../../../core/assert.ts'
import type { Checksum } from '../../../core/checksum.ts'
import type { ByteRange, ObjectBody } from '../../object-store.ts'
import { hasCode } from '../file-errors.ts'
import { readAround, readNowAround } from '../read-around.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'
import {
  bodyStart,
  type DecodedFrame,
  encodeFrameHeader,
  encodeIndex,
  encodeVolumeHeader,
  type FramePlace,
  frameEnd,
  frameState,
  frameStateAt,
  volumeHeaderBytes,
} from './volume-format.ts'

/** One object in one volume. */
export interface VolumeObject extends FramePlace {
  readonly volume: Volume
}

/** `whole`: the file has the bytes that were put; `unreadable`: it may have them, but the disk cannot read some of them now; `damaged`: it has others. */
export type ObjectState = 'whole' | 'unreadable' | 'damaged'

export interface VolumeParts {
  readonly files: VolumeFiles
  readonly name: string
  readonly nonce: Uint8Array
  readonly crc32c: Checksum
}

/**
 * Up to this size a write happens within the turn: into the page cache it takes less time than a trip through the thread pool. Calls that may wait for a
 * device (sync) never run within the turn, nor do larger writes, which would stall the event loop.
 */
const inTurnBytes = 256 * 1024
const removedByte = Uint8Array.of(frameState.removed)

export class Volume {
  readonly name: string
  readonly #files: VolumeFiles
  readonly #nonce: Uint8Array
  readonly #crc32c: Checksum
  /** The objects that were not removed, each with the position of its state in the index (0: it is in no index). */
  readonly #live = new Map<VolumeObject, number>()
  /** Undefined while the file is closed. It is opened again when it is used. */
  #file: VolumeFile | undefined
  #sealed: boolean
  /** Where the next frame begins. */
  #end: number
  #liveBytes = 0
  /** Calls that use the file now. It is not closed under them: the system may give its number to another file. */
  #inFlight = 0
  #appending = 0
  #closesWhenIdle = false
  /** The error of the first failed sync. The system may have dropped what it could not write, and a later sync would report success for it. */
  #syncFailure: { readonly error: unknown } | undefined
  #syncing: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  private constructor(
    { files, name, nonce, crc32c }: VolumeParts,
    state: { readonly file?: VolumeFile; readonly end: number; readonly sealed: boolean },
  ) {
    this.name = name
    this.#files = files
    this.#nonce = nonce
    this.#crc32c = crc32c
    this.#file = state.file
    this.#end = state.end
    this.#sealed = state.sealed
  }

  /** Throws the file system's error, and leaves no file: on a full disk each put would leave one. */
  static create(parts: VolumeParts): Volume {
    const file = parts.files.create(parts.name)
    try {
      file.writeNow([encodeVolumeHeader(parts.nonce)], 0)
    } catch (error) {
      file.close()
      parts.files.remove(parts.name)
      throw error
    }
    return new Volume(parts, { file, end: volumeHeaderBytes, sealed: false })
  }

  /** A volume that was there. `end` is the end of its last whole frame. */
  static found(
    parts: VolumeParts,
    frames: readonly DecodedFrame[],
    { end, sealed }: { readonly end: number; readonly sealed: boolean },
  ): Volume {
    const volume = new Volume(parts, { end, sealed })
    for (const { removed, indexStateAt = 0, key, frameStart, bodyBytes, checksum } of frames)
      if (!removed) volume.#add({ volume, key, frameStart, bodyBytes, checksum }, indexStateAt)
    return volume
  }

  get isSealed(): boolean {
    return this.#sealed
  }

  /** Without the index. */
  get sizeBytes(): number {
    return this.#end
  }

  get liveBytes(): number {
    return this.#liveBytes
  }

  /** The objects that were not removed. */
  live(): readonly VolumeObject[] {
    return [...this.#live.keys()]
  }

  /** False when the file was removed by another program: what is appended would be gone with the process. */
  isNamed(): boolean {
    try {
      return this.#opened().isNamed()
    } catch (error) {
      // It was closed when the file was removed.
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }

  /** Appends one object. When it resolves, the operating system has the bytes. Rejects with the file system's error. */
  async append(key: string, body: ObjectBody): Promise<VolumeObject> {
    assert(!this.#sealed, 'nothing is appended to a sealed volume')
    const bodyBytes = body.reduce((sum, { length }) => sum + length, 0)
    const checksum = body.checksum ?? body.reduce((sum, chunk) => this.#crc32c(chunk, sum), 0)
    const object: VolumeObject = { volume: this, key, frameStart: this.#end, bodyBytes, checksum }
    const chunks = [encodeFrameHeader(object, this.#nonce, this.#crc32c), ...body.filter(({ length }) => length > 0)]
    const end = frameEnd(object)
    const file = this.#opened()
    this.#end = end
    this.#appending += 1
    try {
      if (end - object.frameStart <= inTurnBytes) file.writeNow(chunks, object.frameStart)
      else await this.#using(file.write(chunks, object.frameStart))
      this.#add(object, 0)
      return object
    } catch (error) {
      // The place is used again, unless another object was appended after it. Then a torn frame remains, which is in no index.
      if (this.#end === end) this.#end = object.frameStart
      throw error
    } finally {
      this.#appending -= 1
    }
  }

  /** Resolves when all that was appended before the call is on the disk. Callers that wait share one sync. A failure is final: of later calls, too. */
  sync(): Promise<void> {
    this.#nextSync ??= this.#syncAfter(this.#syncing)
    return this.#nextSync
  }

  /**
   * The bytes of the body from `start` on, as far as the file has them: at most `length`, in `into` if it is given. `unreadable` of them are zeros, because
   * the disk cannot read them.
   */
  async read(
    object: VolumeObject,
    { start, length, into }: ByteRange,
  ): Promise<{ readonly bytes: Uint8Array; readonly unreadable: number }> {
    const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
    const file = this.#opened()
    const { got, unreadable } = await this.#using(readAround((part, at) => file.read(part, at), bytes, bodyStart(object) + start))
    return { bytes: bytes.subarray(0, got), unreadable }
  }

  /** Reads all of the object within the turn. */
  examine(object: VolumeObject): ObjectState {
    const bytes = Buffer.allocUnsafeSlow(object.bodyBytes)
    const file = this.#opened()
    const { got, unreadable } = readNowAround((into, at) => file.readNow(into, at), bytes, bodyStart(object))
    if (unreadable > 0) return 'unreadable'
    return got === bytes.length && this.#crc32c(bytes) === object.checksum ? 'whole' : 'damaged'
  }

  /** Marks the object as removed. Throws the file system's error; a start may then find the object again. */
  remove(object: VolumeObject): void {
    const indexStateAt = this.#live.get(object)
    if (indexStateAt === undefined) return
    const file = this.#opened()
    if (indexStateAt > 0) file.writeNow([removedByte], indexStateAt)
    file.writeNow([removedByte], frameStateAt(object.frameStart))
    this.forget(object)
  }

  /** Like `remove`, but without a mark: for an object whose bytes did not reach the disk. */
  forget(object: VolumeObject): void {
    if (this.#live.delete(object)) this.#liveBytes -= frameEnd(object) - object.frameStart
  }

  /**
   * Ends the volume with its index, so that a start reads that instead of every frame. Does nothing while an append is in progress. Throws the file
   * system's error; the volume is then not sealed, and a start reads its frames.
   */
  seal(): void {
    if (this.#sealed || this.#appending > 0) return
    const objects = [...this.#live.keys()].toSorted((a, b) => a.frameStart - b.frameStart)
    const { bytes, statesStart } = encodeIndex(objects, { indexStart: this.#end, nonce: this.#nonce, crc32c: this.#crc32c })
    const file = this.#opened()
    file.writeNow([bytes], this.#end)
    // A torn frame may reach further than the index.
    file.truncate(this.#end + bytes.length)
    this.#sealed = true
    for (const [index, object] of objects.entries()) this.#live.set(object, statesStart + index)
  }

  /** Removes the file. Throws the file system's error. */
  unlink(): void {
    assert(this.#live.size === 0, 'a volume that is unlinked has no objects')
    this.close()
    this.#files.remove(this.name)
  }

  /** Closes the file, after the calls that use it, until it is used again. */
  close(): void {
    this.#closesWhenIdle = true
    this.#closeIfIdle()
  }

  #opened(): VolumeFile {
    this.#closesWhenIdle = false
    this.#file ??= this.#files.open(this.name)
    return this.#file
  }

  async #using<T>(call: Promise<T>): Promise<T> {
    this.#inFlight += 1
    try {
      return await call
    } finally {
      this.#inFlight -= 1
      this.#closeIfIdle()
    }
  }

  #closeIfIdle(): void {
    if (!this.#closesWhenIdle || this.#inFlight > 0) return
    this.#file?.close()
    this.#file = undefined
  }

  async #syncAfter(current: Promise<void> | undefined): Promise<void> {
    await current?.catch(() => {})
    this.#syncing = this.#nextSync
    this.#nextSync = undefined
    try {
      if (this.#syncFailure !== undefined) throw this.#syncFailure.error
      await this.#using(this.#opened().sync())
    } catch (error) {
      this.#syncFailure ??= { error }
      throw error
    } finally {
      this.#syncing = undefined
    }
  }

  #add(object: VolumeObject, indexStateAt: number): void {
    this.#live.set(object, indexStateAt)
    this.#liveBytes += frameEnd(object) - object.frameStart
  }
}
