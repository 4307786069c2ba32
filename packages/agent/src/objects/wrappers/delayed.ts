// A store with latency: every request first waits a fixed time, like the S3 of the specification (100 ms).
import type { Clock } from '../../time/clock.ts'
import { sleep } from '../../time/sleep.ts'
import { abortedError, type ByteRange, type ListedObject, type ObjectStore, type RemoveResult } from '../object-store.ts'

export class DelayedObjects implements ObjectStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  constructor(store: ObjectStore, clock: Clock, { latencyMs }: { readonly latencyMs: number }) {
    this.#store = store
    this.#clock = clock
    this.#latencyMs = latencyMs
    const create = store.putIfAbsent?.bind(store)
    if (create !== undefined)
      this.putIfAbsent = async (key, body, signal) => {
        await this.#wait(`put ${key}`, signal)
        return await create(key, body, signal)
      }
  }

  async put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    await this.#wait(`put ${key}`, signal)
    await this.#store.put(key, body, signal)
  }

  async read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    await this.#wait(`read ${key}`, signal)
    return await this.#store.read(key, range, signal)
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    await this.#wait('remove', signal)
    return await this.#store.remove(keys, signal)
  }

  /** One latency for the whole list. */
  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    await this.#wait(`list ${prefix}`, options.signal)
    yield* this.#store.list(prefix, options)
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  /** A request that is aborted here has not reached the store. */
  async #wait(what: string, signal: AbortSignal | undefined): Promise<void> {
    await sleep(this.#clock, this.#latencyMs, signal).catch(() => Promise.reject(abortedError('no', what)))
  }
}
