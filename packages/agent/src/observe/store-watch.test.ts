// The events of a store that cannot be written: one when the failure begins, one when it ends.
import { expect, test } from 'vitest'
import { MetadataError } from '../metadata/metadata-store.ts'
import type { Sql, TransactionTable } from '../metadata/sql.ts'
import { watchedSql } from '../metadata/watched.ts'
import { fileError } from '../objects/adapters/file-errors.ts'
import { MemoryObjects } from '../objects/adapters/memory.ts'
import { watchedObjects } from '../objects/wrappers/watched.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import type { AgentEvent } from './events.ts'
import { StoreWatch } from './store-watch.ts'

function aWatch(): { readonly watch: StoreWatch; readonly clock: ManualClock; readonly events: AgentEvent[] } {
  const clock = new ManualClock()
  const events: AgentEvent[] = []
  return { watch: new StoreWatch({ emit: (event) => void events.push(event), clock }), clock, events }
}

const full = { failure: 'full', place: '/d' } as const
const words = 'the disk of /d is full: free some space; nothing that was acknowledged is lost'

test('N4: one event when a failure begins, however many writes fail, and one when the last failure ends', async () => {
  const { watch, clock, events } = aWatch()
  watch.succeeded('objects')
  for (let times = 0; times < 10; times += 1) watch.failed('objects', full)
  watch.failed('metadata', full)
  expect(events).toEqual([{ kind: 'store failed', message: words }])
  expect(watch.failure).toBe(words)
  watch.succeeded('objects')
  expect(watch.failure).toBe(words)
  await clock.advance(5_000)
  watch.succeeded('metadata')
  watch.succeeded('metadata')
  expect(watch.failure).toBeUndefined()
  expect(events.slice(1)).toEqual([{ kind: 'store recovered', durationMs: 5_000 }])
})

test('N4: a listener receives each failed write until it unsubscribes', () => {
  const { watch } = aWatch()
  let failureCount = 0
  const quiet = watch.onFailure(() => (failureCount += 1))
  watch.failed('metadata', full)
  watch.failed('metadata', full)
  quiet()
  watch.failed('metadata', full)
  expect(failureCount).toBe(2)
})

test.each([
  ['ENOSPC', 'the disk of /d is full'],
  ['EDQUOT', 'the disk of /d is full'],
  ['EROFS', '/d cannot be written: make it writable'],
  ['EACCES', '/d cannot be written: make it writable'],
  ['EMFILE', 'too many open files'],
  ['ENFILE', 'too many open files'],
  ['EIO', undefined],
])('N4: %s of the object store is reported as %s', async (code, said) => {
  const { watch } = aWatch()
  let failing = true
  const memory = new MemoryObjects()
  const store = watchedObjects(
    {
      put: async (...put) => {
        if (failing) throw fileError(Object.assign(new Error(code), { code }), 'unknown', 'put a')
        await memory.put(...put)
      },
      read: (...read) => memory.read(...read),
      remove: (...remove) => memory.remove(...remove),
      list: (...list) => memory.list(...list),
      close: () => memory.close(),
    },
    watch,
    '/d',
  )
  await expect(store.put('a', [new Uint8Array(1)])).rejects.toThrow(code)
  if (said === undefined) expect(watch.failure).toBeUndefined()
  else expect(watch.failure).toContain(said)
  failing = false
  await store.put('a', [new Uint8Array(1)])
  expect(watch.failure).toBeUndefined()
})

test('N4: only a transaction that writes ends the failure of the metadata', async () => {
  const { watch } = aWatch()
  let failing = true
  const sql: Sql<TransactionTable> = {
    run: async () =>
      failing
        ? { kind: 'unknown', error: new MetadataError('unavailable', 'full', { reason: 'disk full' }) }
        : { kind: 'committed', value: undefined as never },
    close: async () => {},
  }
  const watched = watchedSql(sql, watch, '/d')
  await watched.run('commit', {} as never, 1)
  expect(watch.failure).toBe(words)
  failing = false
  await watched.run('listTopics', {} as never, 1)
  expect(watch.failure).toBe(words)
  await watched.run('beat', {} as never, 1)
  expect(watch.failure).toBeUndefined()
})
