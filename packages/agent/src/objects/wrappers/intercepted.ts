// A store whose interceptor sees every request and may fail it: the faults of a test, injected below the retries, so that the retries are real.
import type { Clock } from '../../time/clock.ts'
import { sleep } from '../../time/sleep.ts'
import {
  abortedError,
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreErrorKind,
  type RemoveResult,
} from '../object-store.ts'

export interface InterceptedStoreRequest {
  /** A create-only put is a put. */
  readonly operation: 'put' | 'read' | 'list' | 'remove'
  /** The object's key, the prefix of a list, or the first of the keys to remove. */
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

export interface StoreFate {
  readonly act:
    | { readonly kind: 'pass' }
    /** The request has no effect. After a time-out of a change the caller does not know that. */
    | { readonly kind: 'fail'; readonly error: Exclude<ObjectStoreErrorKind, 'aborted'> }
    /** The request takes effect, and the caller gets a time-out. Only for changes. */
    | { readonly kind: 'lose reply' }
  readonly waitMs?: number
}

/** Called once for each request, and again for each retry. Must not throw. */
export type StoreInterceptor = (request: InterceptedStoreRequest) => StoreFate

export class InterceptedObjects implements ObjectStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #intercept: StoreInterceptor
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  constructor(store: ObjectStore, clock: Clock, intercept: StoreInterceptor) {
    this.#store = store
    this.#clock = clock
    this.#intercept = intercept
    const create = store.putIfAbsent?.bind(store)
    if (create !== undefined) this.putIfAbsent = (key, body, signal) => this.#changed('put', key, () => create(key, body, signal), signal)
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#changed('put', key, () => this.#store.put(key, body, signal), signal)
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    await this.#before('read', key, signal)
    return await this.#store.read(key, range, signal)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return await this.#changed('remove', keys[0] ?? '', () => this.#store.remove(keys, signal), signal)
  }

  /** Counts as one request, however many pages it has. */
  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    await this.#before('list', prefix, options.signal)
    yield* this.#store.list(prefix, options)
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #changed<T>(operation: 'put' | 'remove', key: string, request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { kind } = await this.#before(operation, key, signal)
    const answer = await request()
    if (kind === 'lose reply') throw new ObjectStoreError('timeout', 'unknown', `${operation} ${key}: a fault of the test lost the reply`)
    return answer
  }

  async #before(operation: InterceptedStoreRequest['operation'], key: string, signal: AbortSignal | undefined): Promise<StoreFate['act']> {
    const { act, waitMs = 0 } = this.#intercept({ operation, key, atMs: this.#clock.now() })
    const what = `${operation} ${key}`
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal).catch(() => Promise.reject(abortedError('no', what)))
    if (act.kind !== 'fail') return act
    const changes = operation === 'put' || operation === 'remove'
    const applied = changes && act.error === 'timeout' ? 'unknown' : 'no'
    throw new ObjectStoreError(act.error, applied, `${what}: a fault of the test (${act.error})`)
  }
}
