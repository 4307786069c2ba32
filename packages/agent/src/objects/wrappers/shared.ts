// One store for its owner and for the forks that read through to it: objects that a fork may need outlast their removal by the owner, and the owner.

import { LayeredObjects } from '../adapters/layered.ts'
import { checkKey } from '../keys.ts'
import {
  abortedError,
  type ByteRange,
  type ForkableObjects,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type ObjectsLease,
  type RemoveResult,
} from '../object-store.ts'

/**
 * The owner's view. While there are leases, a removed object is absent for the owner only; the store removes it when the last lease that may need it has ended.
 * If the process ends before that, the object is an orphan, like those of a crash, and the sweep finds it.
 */
export class SharedObjects implements ForkableObjects {
  readonly #store: ObjectStore
  readonly #onFree: (() => void) | undefined
  readonly #leases = new Set<ObjectsLease>()
  /** Objects that the owner removed, each with the leases that still need it. */
  readonly #held = new Map<string, Set<ObjectsLease>>()
  #owned = true
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  /** `onFree` is called when the owner and all forks have closed and the store is closed. */
  constructor(store: ObjectStore, onFree?: () => void) {
    this.#store = store
    this.#onFree = onFree
    if (store.putIfAbsent !== undefined) this.putIfAbsent = store.putIfAbsent.bind(store)
  }

  fork(): LayeredObjects {
    return new LayeredObjects(this.lease())
  }

  lease(): ObjectsLease {
    return this.#lease(undefined)
  }

  async put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    await this.#store.put(key, body, signal)
    this.#held.delete(key)
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#held.has(key)) throw new ObjectStoreError('missing', 'no', `read ${key}: no such object`)
    return await this.#store.read(key, range, signal)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    if (this.#leases.size === 0) return await this.#store.remove(keys, signal)
    for (const key of keys) checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', 'remove')
    for (const key of keys) if (!this.#held.has(key)) this.#held.set(key, new Set(this.#leases))
    return keys.map((key) => ({ key }))
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    for await (const object of this.#store.list(prefix, options)) if (!this.#held.has(object.key)) yield object
  }

  async close(): Promise<void> {
    this.#owned = false
    await this.#closeIfFree()
  }

  #lease(of: ObjectsLease | undefined): ObjectsLease {
    const store = this.#store
    const lease: ObjectsLease = {
      read: (key, range, signal) => store.read(key, range, signal),
      list: (prefix, options) => store.list(prefix, options),
      lease: () => this.#lease(lease),
      close: () => this.#end(lease),
    }
    this.#leases.add(lease)
    if (of !== undefined) for (const needed of this.#held.values()) if (needed.has(of)) needed.add(lease)
    return lease
  }

  async #end(lease: ObjectsLease): Promise<void> {
    if (!this.#leases.delete(lease)) return
    const free: string[] = []
    for (const [key, needed] of this.#held) {
      needed.delete(lease)
      if (needed.size === 0) free.push(key)
    }
    for (const key of free) this.#held.delete(key)
    try {
      if (free.length > 0) await this.#store.remove(free)
    } catch (error) {
      // An object that cannot be removed now is an orphan, which the sweep removes: the fork must not fail at its end.
      if (!(error instanceof ObjectStoreError)) throw error
    } finally {
      await this.#closeIfFree()
    }
  }

  async #closeIfFree(): Promise<void> {
    if (this.#owned || this.#leases.size > 0) return
    try {
      await this.#store.close()
    } finally {
      this.#onFree?.()
    }
  }
}
