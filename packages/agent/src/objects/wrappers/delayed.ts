// A store with latency: every request first waits a fixed time, like the S3 of the specification (100 ms).
import type { Clock } from '../../time/clock.ts'
import { sleep } from '../../time/sleep.ts'
import { abortedError, type ObjectStore } from '../object-store.ts'
import { storeAround } from './around.ts'

export function delayedObjects(store: ObjectStore, clock: Clock, { latencyMs }: { readonly latencyMs: number }): ObjectStore {
  return storeAround(store, async ({ operation, key, signal }, run) => {
    // A request that is aborted here has not reached the store.
    await sleep(clock, latencyMs, signal).catch(() => Promise.reject(abortedError('no', `${operation} ${key}`)))
    return await run()
  })
}
