// A store whose interceptor sees every request and may fail it: the faults of a test, injected below the retries, so that the retries are real.
import type { Clock } from '../../time/clock.ts'
import { sleep } from '../../time/sleep.ts'
import { abortedError, type ObjectStore, ObjectStoreError, type ObjectStoreErrorKind } from '../object-store.ts'
import { type StoreOperation, storeAround } from './around.ts'

export interface InterceptedStoreRequest {
  readonly operation: StoreOperation
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

export function interceptedObjects(store: ObjectStore, clock: Clock, intercept: StoreInterceptor): ObjectStore {
  return storeAround(store, async ({ operation, key, signal }, run) => {
    const { act, waitMs = 0 } = intercept({ operation, key, atMs: clock.now() })
    const what = `${operation} ${key}`
    const changes = operation === 'put' || operation === 'remove'
    if (waitMs > 0) await sleep(clock, waitMs, signal).catch(() => Promise.reject(abortedError('no', what)))
    if (act.kind === 'fail') {
      const applied = changes && act.error === 'timeout' ? 'unknown' : 'no'
      throw new ObjectStoreError(act.error, applied, `${what}: a fault of the test (${act.error})`)
    }
    const answer = await run()
    if (act.kind === 'lose reply' && changes)
      throw new ObjectStoreError('timeout', 'unknown', `${what}: a fault of the test lost the reply`)
    return answer
  })
}
