// An object store in memory that counts its requests and calls a test's hooks before and after it serves each one.
import { onAbort } from '../../time/abort.ts'
import { MemoryObjects } from '../adapters/memory.ts'
import type { ByteRange, ListedObject, ObjectStore, RemoveResult } from '../object-store.ts'

export interface HookedRequest {
  readonly operation: 'put' | 'read' | 'remove' | 'list'
  readonly keys: readonly string[]
  readonly range?: ByteRange | undefined
  readonly signal?: AbortSignal | undefined
  /** The number of this request among all, from 1. */
  readonly number: number
}

/** Awaited, so it can hold the request. An error that it throws is the request's answer. */
export type Hook = (request: HookedRequest) => void | Promise<void>

export class HookedObjects implements ObjectStore {
  readonly bucket = new MemoryObjects()
  readonly requests: HookedRequest[] = []
  readonly #before: Hook
  readonly #after: Hook

  constructor({ before = () => {}, after = () => {} }: { readonly before?: Hook; readonly after?: Hook }) {
    this.#before = before
    this.#after = after
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#serve({ operation: 'put', keys: [key], signal }, () => this.bucket.put(key, body))
  }

  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#serve({ operation: 'read', keys: [key], range, signal }, () => this.bucket.read(key, range))
  }

  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return this.#serve({ operation: 'remove', keys, signal }, () => this.bucket.remove(keys))
  }

  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    await this.#serve({ operation: 'list', keys: [prefix], signal: options.signal }, async () => {})
    yield* this.bucket.list(prefix, options)
  }

  close(): Promise<void> {
    return this.bucket.close()
  }

  async #serve<T>(request: Omit<HookedRequest, 'number'>, serve: () => Promise<T>): Promise<T> {
    const numbered = { ...request, number: this.requests.length + 1 }
    this.requests.push(numbered)
    await this.#before(numbered)
    const answer = await serve()
    await this.#after(numbered)
    return answer
  }
}

/** Never resolves, but rejects as soon as the request is aborted: a server that does not answer. */
export function silence({ signal }: HookedRequest, error: () => Error): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(error())
    onAbort(signal, () => reject(error()))
  })
}
