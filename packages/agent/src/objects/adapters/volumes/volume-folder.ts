// The volumes of one directory: it makes them, appends to the newest, seals the others, and keeps few files open. It knows no keys.
import { must } from '../../../core/assert.ts'
import type { Checksum } from '../../../core/checksum.ts'
import { fixedLimits } from '../../../limits.ts'
import { type ByteRange, type ObjectBody, ObjectStoreError } from '../../object-store.ts'
import { fileError, hasCode, readError } from '../file-errors.ts'
import { findVolume } from './find-volume.ts'
import { type ObjectState, Volume, type VolumeObject } from './volume.ts'
import type { VolumeFiles } from './volume-files.ts'

export interface VolumeFolderOptions {
  readonly files: VolumeFiles
  readonly crc32c: Checksum
  /** Eight bytes that cannot be guessed, new for each volume. */
  readonly nonce: () => Uint8Array
  /** Called with what a person should know: damage that was found, or a guarantee that this platform cannot give. */
  readonly onNotice: (message: string) => void
  /** A volume is sealed when it reaches this size. */
  readonly volumeBytes: number
  /** So many small volumes are worth rewriting. */
  readonly smallVolumes: number
}

const nameForm = /^(\d{8})\.volume$/

/** Its calls reject with an ObjectStoreError. `what` names the call of the store, for the message. */
export class VolumeFolder {
  readonly #options: VolumeFolderOptions
  readonly #volumes = new Set<Volume>()
  /** Those whose files may be open, in the order of their last use. */
  readonly #recent = new Set<Volume>()
  /** Those that this process made: their objects are known to be whole. */
  readonly #made = new WeakSet<Volume>()
  /** Objects with bytes that the disk cannot read. */
  readonly #unreadable = new WeakSet<VolumeObject>()
  /** The volume that takes the next object. */
  #active: Volume | undefined
  #lastNumber = 0
  #namesSynced = true

  constructor(options: VolumeFolderOptions) {
    this.#options = options
  }

  /** Reads the volumes that are there, the oldest first. */
  find(): readonly Volume[] {
    for (const name of this.#options.files.names()) this.#find(name)
    return [...this.#volumes]
  }

  /** Whether the object was appended by this process. */
  made(object: VolumeObject): boolean {
    return this.#made.has(object.volume)
  }

  /** When it resolves, the operating system has the bytes. */
  async append(key: string, body: ObjectBody, what: string): Promise<VolumeObject> {
    const volume = this.#appendable(what)
    this.#use(volume)
    try {
      return await volume.append(key, body)
    } catch (error) {
      throw asStoreError(error, 'unknown', what)
    } finally {
      if (volume !== this.#active) this.#seal(volume)
    }
  }

  /** When it resolves, all that was appended to the volume before the call is on the disk. After a failure nothing more is appended to it. */
  async sync(volume: Volume, what: string): Promise<void> {
    try {
      if (!this.#namesSynced) await this.#syncNames()
      await volume.sync()
    } catch (error) {
      // The next sync may report success for pages that the kernel has dropped.
      if (this.#active === volume) this.#active = undefined
      const known = fileError(error, 'unknown', what)
      if (known.kind === 'full') throw known
      throw new ObjectStoreError('corrupt', 'unknown', `${what}: the disk did not accept the write (${known.message})`, { cause: error })
    }
  }

  /** As many of the bytes as the volume has. Those that the disk cannot read are zeros: they are damaged, as if the disk had changed them. */
  async read(object: VolumeObject, range: ByteRange, what: string): Promise<Uint8Array> {
    this.#use(object.volume)
    try {
      const { bytes, unreadable } = await object.volume.read(object, range)
      if (unreadable > 0) this.#noteUnreadable(object, unreadable, what)
      return bytes
    } catch (error) {
      throw readError(error, what, () => this.#isThere())
    }
  }

  /** Reads all of the object within the turn. */
  examine(object: VolumeObject, what: string): ObjectState {
    this.#use(object.volume)
    try {
      return object.volume.examine(object)
    } catch (error) {
      throw readError(error, what, () => this.#isThere())
    }
  }

  /** Marks the object as removed. Returns the error if that fails; the object then exists. */
  remove(object: VolumeObject): ObjectStoreError | undefined {
    this.#use(object.volume)
    try {
      object.volume.remove(object)
      return undefined
    } catch (error) {
      return asStoreError(error, 'unknown', `remove ${object.key}`)
    }
  }

  /** A sealed volume, `except` some, that is mostly removed objects, or one of many small ones. */
  worthRewriting(except: WeakSet<Volume>): Volume | undefined {
    const { volumeBytes, smallVolumes } = this.#options
    const sealed = [...this.#volumes].filter((volume) => volume !== this.#active && volume.isSealed && !except.has(volume))
    const sparse = sealed.find(({ liveBytes, sizeBytes }) => liveBytes * 2 < sizeBytes)
    if (sparse !== undefined) return sparse
    const small = sealed.filter(({ sizeBytes }) => sizeBytes * 4 < volumeBytes)
    return small.length >= smallVolumes ? small[0] : undefined
  }

  /** Removes a volume without objects. */
  unlink(volume: Volume): void {
    this.#recent.delete(volume)
    volume.unlink()
    this.#volumes.delete(volume)
  }

  /** Seals the newest volume, so that the next start reads its index and not every frame. On a full disk it reads the frames. */
  close(): void {
    if (this.#active !== undefined) this.#seal(this.#active)
    this.#active = undefined
    for (const volume of this.#volumes) volume.close()
  }

  /** Throws if all of the disk is away. A person gets one notice for each object. */
  #noteUnreadable(object: VolumeObject, unreadable: number, what: string): void {
    if (!this.#isThere()) throw new ObjectStoreError('unavailable', 'no', `${what}: the disk cannot be read`)
    if (this.#unreadable.has(object)) return
    this.#unreadable.add(object)
    const { key, volume } = object
    this.#options.onNotice(
      `the disk cannot read ${unreadable} bytes of the object ${key} in the volume ${volume.name}: they count as damaged. The disk may be failing`,
    )
  }

  /** A vanished mount takes the folder with it. */
  #isThere(): boolean {
    try {
      this.#options.files.names()
      return true
    } catch {
      return false
    }
  }

  #find(name: string): void {
    const { files, crc32c, onNotice } = this.#options
    const number = nameForm.exec(name)?.[1]
    if (number === undefined) return
    this.#lastNumber = Math.max(this.#lastNumber, Number(number))
    const found = findVolume(files, name, crc32c)
    if (found.kind === 'damaged') {
      // A crash right after the file was created leaves it empty.
      if (found.sizeBytes === 0) files.remove(name)
      else onNotice(`the volume ${name} has no header: none of its ${found.sizeBytes} bytes can be read. It is left as it is`)
      return
    }
    const { volume, torn } = found
    if (torn.objects > 0)
      onNotice(
        `in the volume ${name}, ${torn.objects} of the objects are not whole: a crash interrupted the write, or the disk changed bytes`,
      )
    if (torn.lostBytes > 0) onNotice(`the volume ${name} has ${torn.lostBytes} bytes that belong to no object: they are ignored`)
    this.#volumes.add(volume)
    // Otherwise the index might be written over objects that the disk can read another time.
    if (!torn.isUnreadable) this.#seal(volume)
    else onNotice(`the disk cannot read parts of the volume ${name}: it is left as it is. The disk may be failing`)
    volume.close()
  }

  #appendable(what: string): Volume {
    try {
      const active = this.#active
      if (active !== undefined && active.sizeBytes < this.#options.volumeBytes && active.isNamed()) return active
      this.#active = this.#create()
      if (active !== undefined) this.#seal(active)
      return this.#active
    } catch (error) {
      const known = asStoreError(error, 'no', what)
      throw known.kind === 'missing' ? new ObjectStoreError('invalid', 'no', known.message, { cause: error }) : known
    }
  }

  #create(): Volume {
    const { files, crc32c, nonce } = this.#options
    for (;;) {
      this.#lastNumber += 1
      const name = `${String(this.#lastNumber).padStart(8, '0')}.volume`
      try {
        const volume = Volume.create({ files, name, nonce: nonce(), crc32c })
        this.#namesSynced = false
        this.#made.add(volume)
        this.#volumes.add(volume)
        return volume
      } catch (error) {
        // A store that was killed within this process made it in the meantime.
        if (!hasCode(error, 'EEXIST')) throw error
      }
    }
  }

  #seal(volume: Volume): void {
    try {
      volume.seal()
    } catch (error) {
      const { message } = asStoreError(error, 'unknown', `write the index of the volume ${volume.name}`)
      this.#options.onNotice(`${message}. The next start reads the whole volume instead`)
    }
  }

  async #syncNames(): Promise<void> {
    const synced = await this.#options.files.syncFolder()
    this.#namesSynced = true
    if (!synced) this.#options.onNotice('this platform cannot sync a folder: after a power loss the newest volumes may be missing')
  }

  /** Notes the use of a volume, and closes the one whose last use is longest ago. */
  #use(volume: Volume): void {
    this.#recent.delete(volume)
    this.#recent.add(volume)
    if (this.#recent.size <= fixedLimits.openVolumes) return
    const [oldest] = this.#recent
    const idle = must(oldest, 'the volume whose last use is longest ago')
    this.#recent.delete(idle)
    idle.close()
  }
}

export function asStoreError(error: unknown, applied: 'no' | 'unknown', what: string): ObjectStoreError {
  return error instanceof ObjectStoreError ? error : fileError(error, applied, what)
}
