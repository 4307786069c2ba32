// A store that counts requests, failures by kind, bytes and time, as plain numbers that get their names at the scrape.
import { HourlyRate } from '../../observe/hourly-rate.ts'
import type { Clock } from '../../time/clock.ts'
import type { InFlight } from '../../time/in-flight.ts'
import {
  type ByteRange,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreErrorKind,
  type RemoveResult,
} from '../object-store.ts'
import type { StoreOperation } from './around.ts'

export interface StoreMeter {
  readonly operation: StoreOperation
  /** Requests that ended. */
  readonly count: number
  readonly failed: number
  readonly failedBy: Readonly<Partial<Record<ObjectStoreErrorKind, number>>>
  /** The sum of the times from request to end. */
  readonly seconds: number
  /** Bytes sent by successful puts, received by reads. */
  readonly bytes: number
  /** Requests of the last hour (see HourlyRate). */
  readonly perHour: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Counting = Mutable<Omit<StoreMeter, 'failedBy' | 'perHour'>> & { readonly failedBy: Mutable<StoreMeter['failedBy']> }

export class MeasuredObjects implements ObjectStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #meters: Readonly<Record<StoreOperation, Counting>> = {
    put: zero('put'),
    read: zero('read'),
    remove: zero('remove'),
    list: zero('list'),
  }
  readonly #rates: Readonly<Record<StoreOperation, HourlyRate>>
  readonly #inFlight: InFlight | undefined
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  /** `inFlight` is called for every request except lists, which take as long as their reader does. */
  constructor(store: ObjectStore, clock: Clock, inFlight?: InFlight) {
    this.#store = store
    this.#clock = clock
    this.#inFlight = inFlight
    const rate = (): HourlyRate => new HourlyRate(clock.monotonic())
    this.#rates = { put: rate(), read: rate(), remove: rate(), list: rate() }
    const create = store.putIfAbsent?.bind(store)
    if (create !== undefined)
      this.putIfAbsent = (key, body, signal) =>
        this.#measure(
          'put',
          () => create(key, body, signal),
          (created) => (created === 'created' ? sizeOf(body) : 0),
        )
  }

  /** A copy of the current numbers. */
  meters(): readonly StoreMeter[] {
    const nowMs = this.#clock.monotonic()
    return Object.values(this.#meters).map((meter) => ({
      ...meter,
      failedBy: { ...meter.failedBy },
      perHour: this.#rates[meter.operation].perHour(nowMs),
    }))
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    return this.#measure(
      'put',
      () => this.#store.put(key, body, signal),
      () => sizeOf(body),
    )
  }

  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#measure(
      'read',
      () => this.#store.read(key, range, signal),
      ({ length }) => length,
    )
  }

  /** A request counts as failed if it failed as a whole. Keys that could not be removed count as failures of their kind. */
  remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    return this.#measure(
      'remove',
      () => this.#store.remove(keys, signal),
      (results) => {
        for (const { error } of results) if (error !== undefined) this.#failed('remove', error)
        return 0
      },
    )
  }

  /** Counts as one request, however many pages it has. The time is the store's, without the time that the caller spends on the objects. */
  async *list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<ListedObject> {
    const meter = this.#meters.list
    const objects = this.#store.list(prefix, options)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const begun = this.#clock.monotonic()
        const next = await objects.next().finally(() => {
          meter.seconds += (this.#clock.monotonic() - begun) / 1000
        })
        if (next.done === true) return
        yield next.value
      }
    } catch (error) {
      this.#failed('list', error)
      throw error
    } finally {
      meter.count += 1
      this.#rates.list.count(this.#clock.monotonic())
      await objects.return?.()
    }
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #measure<T>(operation: StoreOperation, request: () => Promise<T>, bytesOf: (answer: T) => number): Promise<T> {
    const meter = this.#meters[operation]
    const begun = this.#clock.monotonic()
    try {
      const answer = await (this.#inFlight === undefined ? request() : this.#inFlight.during(request()))
      meter.bytes += bytesOf(answer)
      return answer
    } catch (error) {
      this.#failed(operation, error)
      throw error
    } finally {
      const endedMs = this.#clock.monotonic()
      meter.count += 1
      meter.seconds += (endedMs - begun) / 1000
      this.#rates[operation].count(endedMs)
    }
  }

  #failed(operation: StoreOperation, error: unknown): void {
    const meter = this.#meters[operation]
    meter.failed += 1
    if (error instanceof ObjectStoreError) meter.failedBy[error.kind] = (meter.failedBy[error.kind] ?? 0) + 1
  }
}

function zero(operation: StoreOperation): Counting {
  return { operation, count: 0, failed: 0, failedBy: {}, seconds: 0, bytes: 0 }
}

function sizeOf(body: readonly Uint8Array[]): number {
  return body.reduce((sum, { length }) => sum + length, 0)
}
