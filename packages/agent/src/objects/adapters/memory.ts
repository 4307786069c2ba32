// The FileStorage Service in memory: for tests, for `:memory:`, and as the simulator's bucket. It ends with the process.
import { joinChunks } from '../join-chunks.ts'
import { checkKey, checkPrefix } from '../keys.ts'
import {
  abortedError,
  type ByteRange,
  type ForkableObjects,
  type ListedObject,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '../object-store.ts'

export class MemoryObjects implements ForkableObjects {
  readonly #objects: Map<string, Uint8Array>

  constructor(objects: Iterable<readonly [string, Uint8Array]> = []) {
    this.#objects = new Map(objects)
  }

  /** The bytes of all objects together. */
  get sizeBytes(): number {
    let sum = 0
    for (const { length } of this.#objects.values()) sum += length
    return sum
  }

  has(key: string): boolean {
    return this.#objects.has(key)
  }

  /** Shares the bytes, because no object ever changes; copies only the table of keys. */
  fork(): MemoryObjects {
    return new MemoryObjects(this.#objects)
  }

  /** Copies once, so that the object does not pin the writer's larger slabs. Rejects a second content for a key, which would be a defect of the caller. */
  async put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `put ${key}`)
    const known = this.#objects.get(key)
    const bytes = joinChunks(body)
    if (known === undefined) this.#objects.set(key, bytes)
    else if (!bytes.equals(known)) throw new ObjectStoreError('invalid', 'no', `put ${key}: the key already has another content`)
  }

  readonly putIfAbsent = async (key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<PutIfAbsent> => {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `put ${key}`)
    if (this.#objects.has(key)) return 'exists'
    this.#objects.set(key, joinChunks(body))
    return 'created'
  }

  /** A view of the stored bytes, which must not be written to. */
  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', `read ${key}`)
    const object = this.#objects.get(key)
    if (object === undefined) throw new ObjectStoreError('missing', 'no', `read ${key}: no such object`)
    if (range === undefined) return object
    const end = range.start + range.length
    if (range.untilEnd === true ? range.start >= object.length : end > object.length)
      throw new ObjectStoreError(
        'corrupt',
        'no',
        `read ${key}: the object has ${object.length} bytes, requested were ${range.start} to ${end}`,
      )
    return object.subarray(range.start, end)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    for (const key of keys) checkKey(key)
    if (signal?.aborted === true) throw abortedError('no', 'remove')
    return keys.map((key) => {
      this.#objects.delete(key)
      return { key }
    })
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    checkPrefix(prefix)
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > (options.after ?? ''))
    for (const key of keys.toSorted()) {
      if (options.signal?.aborted === true) throw abortedError('no', `list ${prefix}`)
      const object = this.#objects.get(key)
      if (object !== undefined) yield { key, sizeBytes: object.length }
    }
  }

  async close(): Promise<void> {}
}
