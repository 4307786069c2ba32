// A directory of objects that reports the outcomes of its writes to a StoreWatch.
import type { StoreTrouble, StoreWatch } from '../../observe/store-watch.ts'
import { hasCode } from '../adapters/file-errors.ts'
import {
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type PutIfAbsent,
  type RemoveResult,
} from '../object-store.ts'

export class WatchedObjects implements ObjectStore {
  readonly #store: ObjectStore
  readonly #watch: StoreWatch
  readonly #place: string
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  constructor(store: ObjectStore, watch: StoreWatch, place: string) {
    this.#store = store
    this.#watch = watch
    this.#place = place
    const { putIfAbsent } = store
    if (putIfAbsent !== undefined)
      this.putIfAbsent = (key, body, signal): Promise<PutIfAbsent> => this.#seen(putIfAbsent(key, body, signal))
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#seen(this.#store.put(key, body, signal))
  }

  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#store.read(key, range, signal)
  }

  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return this.#store.remove(keys, signal)
  }

  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject> {
    return this.#store.list(prefix, options)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #seen<T>(write: Promise<T>): Promise<T> {
    try {
      const written = await write
      this.#watch.succeeded('objects')
      return written
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble !== undefined) this.#watch.failed('objects', { trouble, place: this.#place })
      throw error
    }
  }
}

function troubleOf(error: unknown): StoreTrouble | undefined {
  if (!(error instanceof ObjectStoreError)) return undefined
  if (hasCode(error.cause, 'EMFILE', 'ENFILE')) return 'too many open files'
  if (error.kind === 'full') return 'full'
  return error.kind === 'denied' ? 'not writable' : undefined
}
