// A store in which one function runs around every request to another store: a wrapper says only what it adds.
import type { ListedObject, ObjectStore } from '../object-store.ts'

/** A create-only put is a put. */
export type StoreOperation = 'put' | 'read' | 'remove' | 'list'

export interface ObjectRequest {
  readonly operation: StoreOperation
  /** The object's key, the prefix of a list, or the first of the keys to remove. */
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/** Called for each request; `run` sends it to the store. A list counts as one request, however many pages it has, and `run` then only begins it. */
export type AroundRequest = <T>(request: ObjectRequest, run: () => Promise<T>) => Promise<T>

export function storeAround(store: ObjectStore, around: AroundRequest): ObjectStore {
  const create = store.putIfAbsent?.bind(store)
  return {
    put: (key, body, signal) => around({ operation: 'put', key, signal }, () => store.put(key, body, signal)),
    read: (key, range, signal) => around({ operation: 'read', key, signal }, () => store.read(key, range, signal)),
    remove: (keys, signal) => around({ operation: 'remove', key: keys[0] ?? '', signal }, () => store.remove(keys, signal)),
    async *list(prefix, options): AsyncIterable<ListedObject> {
      yield* await around({ operation: 'list', key: prefix, signal: options?.signal }, async () => store.list(prefix, options))
    },
    close: () => store.close(),
    ...(create && { putIfAbsent: (key, body, signal) => around({ operation: 'put', key, signal }, () => create(key, body, signal)) }),
  }
}
