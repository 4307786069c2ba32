// A directory of objects that reports the outcomes of its writes to a StoreWatch.
import type { StoreTrouble, StoreWatch } from '../../observe/store-watch.ts'
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
      const trouble = troubleOf(error)
      if (trouble !== undefined) watch.failed('objects', { trouble, place })
      throw error
    }
  })
}

function troubleOf(error: unknown): StoreTrouble | undefined {
  if (!(error instanceof ObjectStoreError)) return undefined
  if (hasCode(error.cause, 'EMFILE', 'ENFILE')) return 'too many open files'
  if (error.kind === 'full') return 'full'
  return error.kind === 'denied' ? 'not writable' : undefined
}
