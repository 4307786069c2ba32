// A directory of objects that reports the outcomes of its writes to a StoreWatch.
import type { StoreFailure, StoreWatch } from '../../observe/store-watch.ts'
import { hasCode } from '../adapters/file-errors.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store.ts'
import { storeAround } from './around.ts'

export function watchedObjects(store: ObjectStore, watch: StoreWatch, place: string): ObjectStore {
  return storeAround(store, async ({ operation }, run) => {
    if (operation !== 'put') return await run()
    try {
      const written = await run()
      watch.succeeded('objects')
      return written
    } catch (error) {
      const failure = failureOf(error)
      if (failure !== undefined) watch.failed('objects', { failure, place })
      throw error
    }
  })
}

function failureOf(error: unknown): StoreFailure | undefined {
  if (!(error instanceof ObjectStoreError)) return undefined
  if (hasCode(error.cause, 'EMFILE', 'ENFILE')) return 'too many open files'
  if (error.kind === 'full') return 'full'
  return error.kind === 'denied' ? 'not writable' : undefined
}
