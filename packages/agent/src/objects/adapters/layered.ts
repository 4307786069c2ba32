// The object store of a fork: its own objects in memory, over those of a store that it reads and never changes.
import { checkKey } from '../keys.ts'
import {
  type ByteRange,
  type ForkableObjects,
  type ListedObject,
  ObjectStoreError,
  type ObjectsLease,
  type PutIfAbsent,
  type RemoveResult,
} from '../object-store.ts'
import { MemoryObjects } from './memory.ts'

export class LayeredObjects implements ForkableObjects {
  readonly #own: MemoryObjects
  /** Keys in the layer below that this store has removed. */
  readonly #removed: Set<string>
  readonly #below: ObjectsLease

  /** Takes the lease over, and releases it at its end. */
  constructor(below: ObjectsLease, own: MemoryObjects = new MemoryObjects(), removed: Iterable<string> = []) {
    this.#below = below
    this.#own = own
    this.#removed = new Set(removed)
  }

  /** Never adds a layer: a fork of a fork, however deep, still reads from two places. */
  fork(): LayeredObjects {
    return new LayeredObjects(this.#below.lease(), this.#own.fork(), this.#removed)
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#own.put(key, body, signal)
  }

  readonly putIfAbsent = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> => {
    checkKey(key)
    if (await this.#isBelow(key, signal)) return 'exists'
    return await this.#own.putIfAbsent(key, body, signal)
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#own.has(key) || this.#removed.has(key)) return await this.#own.read(key, range, signal)
    return await this.#below.read(key, range, signal)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    const removed = await this.#own.remove(keys, signal)
    for (const { key } of removed) this.#removed.add(key)
    return removed
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    yield* this.#own.list(prefix, options)
    for await (const object of this.#below.list(prefix, options))
      if (!this.#own.has(object.key) && !this.#removed.has(object.key)) yield object
  }

  async close(): Promise<void> {
    await this.#own.close()
    await this.#below.close()
  }

  /** Reads the whole object, which is cheap: objects that are created only if absent are small. */
  async #isBelow(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#removed.has(key)) return false
    try {
      await this.#below.read(key, undefined, signal)
      return true
    } catch (error) {
      if (error instanceof ObjectStoreError && error.kind === 'missing') return false
      throw error
    }
  }
}
