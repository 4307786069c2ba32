// An object store whose puts wait until a test lets each of them land, or fail.
import { onAbort } from '../../time/abort.ts'
import { MemoryObjects } from '../adapters/memory.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectBody,
  type ObjectStore,
  ObjectStoreError,
  type RemoveResult,
} from '../object-store.ts'

interface GatedRequest {
  readonly key: string
  readonly body: readonly Uint8Array[]
  readonly resolve: () => void
  readonly reject: (error: ObjectStoreError) => void
}

export class GatedObjects implements ObjectStore {
  readonly bucket = new MemoryObjects()
  /** What the putters knew. */
  readonly bodyChecksums: (number | undefined)[] = []
  readonly #waiting: GatedRequest[] = []
  readonly #arrivals: (() => void)[] = []

  /** The keys of the waiting puts, oldest first. */
  get waiting(): readonly string[] {
    return this.#waiting.map(({ key }) => key)
  }

  put(key: string, body: ObjectBody, signal?: AbortSignal): Promise<void> {
    this.bodyChecksums.push(body.checksum)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, body, resolve, reject })
      for (const arrive of this.#arrivals.splice(0)) arrive()
      onAbort(signal, () => reject(abortedError('unknown', `put ${key}`)))
    })
  }

  /** Lets the n-th waiting put (0 is the oldest) land, as soon as there is one; a put whose caller gave up lands all the same. */
  async land(index = 0): Promise<void> {
    const { key, body, resolve } = await this.#take(index)
    await this.bucket.put(key, body)
    resolve()
  }

  async fail(index = 0): Promise<void> {
    const { reject } = await this.#take(index)
    reject(new ObjectStoreError('unavailable', 'no', 'the store is away'))
  }

  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.bucket.read(key, range, signal)
  }

  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return this.bucket.remove(keys, signal)
  }

  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject> {
    return this.bucket.list(prefix, options)
  }

  close(): Promise<void> {
    return this.bucket.close()
  }

  async #take(index: number): Promise<GatedRequest> {
    for (;;) {
      const [waiting] = this.#waiting.splice(index, 1)
      if (waiting !== undefined) return waiting
      await new Promise<void>((resolve) => this.#arrivals.push(resolve))
    }
  }
}
