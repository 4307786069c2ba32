// A store that retries: the same bytes under the same key, with growing pauses, until the request succeeds, cannot succeed, or is out of time.
import { onAbort } from '../../time/abort.ts'
import { backOffMs } from '../../time/back-off.ts'
import type { Clock, Random } from '../../time/clock.ts'
import { sleep } from '../../time/sleep.ts'
import {
  abortedError,
  type ByteRange,
  isTransient,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
  type RemoveResult,
} from '../object-store.ts'

export interface RetryPolicy {
  /** No attempt begins later than this after the first; the last error is then the answer. */
  readonly deadlineMs: number
  /** An attempt that takes longer is aborted and counts as 'timeout'. */
  readonly attemptMs: number
  /** The pause before the second attempt; it doubles up to `maxPauseMs`. Each is drawn between half of it and all of it, so that agents do not retry in step. */
  readonly firstPauseMs: number
  readonly maxPauseMs: number
  /** A put that takes longer is sent a second time, and the first to land counts. Absent: never. Safe because a key never gets a second content. */
  readonly hedgeAfterMs?: number
}

/**
 * AWS advises repeating slow requests early, on another connection. 3 s is far above its slow requests at 8 MiB, so a line that is merely slow does not
 * get twice the work before that. The chain gives up a put after 20 s.
 */
export const defaultRetryPolicy: RetryPolicy = {
  deadlineMs: 15_000,
  attemptMs: 10_000,
  firstPauseMs: 50,
  maxPauseMs: 2_000,
  hedgeAfterMs: 3_000,
}

type Try<T> = (signal: AbortSignal) => Promise<T>

export class RetryingObjects implements ObjectStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #random: Random
  readonly #policy: RetryPolicy
  readonly putIfAbsent?: NonNullable<ObjectStore['putIfAbsent']>

  constructor(
    store: ObjectStore,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    policy: RetryPolicy = defaultRetryPolicy,
  ) {
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#policy = policy
    const create = store.putIfAbsent?.bind(store)
    if (create !== undefined)
      this.putIfAbsent = (key, body, signal) => this.#repeat(`put ${key}`, (trySignal) => create(key, body, trySignal), signal)
  }

  put(key: string, body: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const send: Try<void> = (trySignal) => this.#store.put(key, body, trySignal)
    const { hedgeAfterMs } = this.#policy
    return this.#repeat(
      `put ${key}`,
      hedgeAfterMs === undefined ? send : (trySignal) => this.#hedged(send, hedgeAfterMs, trySignal),
      signal,
    )
  }

  read(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#repeat(`read ${key}`, (trySignal) => this.#store.read(key, range, trySignal), signal)
  }

  /** Retries only the keys that are left. */
  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly RemoveResult[]> {
    const results = new Map<string, RemoveResult>()
    const attempt: Try<void> = async (trySignal) => {
      const open = keys.filter((key) => results.get(key)?.error !== undefined || !results.has(key))
      for (const result of await this.#store.remove(open, trySignal)) results.set(result.key, result)
      for (const { error } of results.values()) if (error !== undefined && isTransient(error)) throw error
    }
    try {
      await this.#repeat('remove', attempt, signal)
    } catch (error) {
      // Some keys have their answer; the others get the last error.
      if (!(error instanceof ObjectStoreError) || results.size === 0 || error.kind === 'aborted') throw error
    }
    return keys.map((key) => results.get(key) ?? { key })
  }

  /** Retries only until the first object came: lists have no promised order, so there is no position to continue from. */
  async *list(prefix: string, options: { readonly after?: string; readonly signal?: AbortSignal } = {}): AsyncIterable<ListedObject> {
    const open: Try<{ rest: AsyncIterator<ListedObject>; first: IteratorResult<ListedObject> }> = async (trySignal) => {
      const signal = options.signal === undefined ? trySignal : AbortSignal.any([trySignal, options.signal])
      const rest = this.#store.list(prefix, { ...options, signal })[Symbol.asyncIterator]()
      return { rest, first: await rest.next() }
    }
    const { rest, first } = await this.#repeat(`list ${prefix}`, open, options.signal)
    try {
      for (let next = first; next.done !== true; next = await rest.next()) yield next.value
    } finally {
      await rest.return?.()
    }
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #repeat<T>(what: string, attempt: Try<T>, signal: AbortSignal | undefined): Promise<T> {
    const { deadlineMs, firstPauseMs, maxPauseMs } = this.#policy
    const deadline = this.#clock.monotonic() + deadlineMs
    let applied: 'no' | 'unknown' = 'no'
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#attempt(what, attempt, signal)
      } catch (error) {
        if (!(error instanceof ObjectStoreError)) throw error
        // A later attempt does not undo the possible effect of an earlier one.
        if (error.applied === 'unknown') applied = 'unknown'
        const pauseMs = backOffMs(tries, { firstMs: firstPauseMs, maxMs: maxPauseMs }, this.#random)
        const last = !isTransient(error) || this.#clock.monotonic() + pauseMs >= deadline
        if (last) throw tries === 1 && error.applied === applied ? error : restated(error, applied, tries)
        await sleep(this.#clock, pauseMs, signal).catch(() => Promise.reject(abortedError(applied, what)))
      }
    }
  }

  /** One attempt under its own signal, which aborts with the caller's signal or at the time-out of an attempt. */
  async #attempt<T>(what: string, attempt: Try<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted === true) throw abortedError('no', what)
    const { attemptMs } = this.#policy
    const own = new AbortController()
    let late = false
    const timer = this.#clock.after(attemptMs, () => {
      late = true
      own.abort()
    })
    const release = onAbort(signal, () => own.abort())
    try {
      return await attempt(own.signal)
    } catch (error) {
      if (!late || !(error instanceof ObjectStoreError) || error.kind !== 'aborted') throw error
      throw new ObjectStoreError('timeout', error.applied, `${what}: no answer in ${attemptMs} ms`, { cause: error })
    } finally {
      timer.cancel()
      release()
    }
  }

  /**
   * The attempt, and a second one when it is slow. The first success counts. When both fail, the second error does, with the effect that either may have had.
   * It settles when both have, because the caller may then use the memory of the body again; the one that has lost is aborted.
   */
  #hedged(send: Try<void>, hedgeAfterMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const own = new AbortController()
      let running = 0
      let succeeded = false
      let applied: 'no' | 'unknown' = 'no'
      const ended = (settle: () => void): void => {
        running -= 1
        if (running > 0 && !succeeded) return
        timer.cancel()
        release()
        own.abort()
        if (running === 0) settle()
      }
      const start = (): void => {
        running += 1
        send(own.signal).then(
          () => {
            succeeded = true
            ended(resolve)
          },
          (error: unknown) => {
            if (error instanceof ObjectStoreError && error.applied === 'unknown') applied = 'unknown'
            ended(() => (succeeded ? resolve() : reject(error instanceof ObjectStoreError ? restated(error, applied, 1) : error)))
          },
        )
      }
      const release = onAbort(signal, () => own.abort())
      const timer = this.#clock.after(hedgeAfterMs, start)
      start()
    })
  }
}

function restated(error: ObjectStoreError, applied: 'no' | 'unknown', tries: number): ObjectStoreError {
  if (tries === 1 && error.applied === applied) return error
  const message = tries === 1 ? error.message : `${error.message} (after ${tries} attempts)`
  return new ObjectStoreError(error.kind, applied, message, { cause: error })
}
