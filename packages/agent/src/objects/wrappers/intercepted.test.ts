// An intercepted store does what the interceptor decides for each request, and reports only what a caller may know.
import { expect, test } from 'vitest'
import { ManualClock } from '../../time/testing/manual-clock.ts'
import { MemoryObjects } from '../adapters/memory.ts'
import { bytes, failure, listed } from '../object-store.contract.ts'
import { type InterceptedStoreRequest, interceptedObjects, type StoreFate } from './intercepted.ts'

function intercepted(fate: StoreFate) {
  const clock = new ManualClock()
  const inner = new MemoryObjects()
  const seen: InterceptedStoreRequest[] = []
  const store = interceptedObjects(inner, clock, (request) => {
    seen.push(request)
    return fate
  })
  return { clock, inner, seen, store }
}

test('every request is seen with its operation and its key', async () => {
  const { store, seen } = intercepted({ act: { kind: 'pass' } })
  await store.put('a', [bytes('x')])
  await store.putIfAbsent?.('b', [bytes('y')])
  await store.read('a')
  await listed(store, 'p')
  await store.remove(['a', 'b'])
  expect(seen.map(({ operation, key }) => `${operation} ${key}`)).toEqual(['put a', 'put b', 'read a', 'list p', 'remove a'])
})

test('a failed request has no effect; after a time-out of a change the caller cannot know that', async () => {
  for (const [error, applied] of [
    ['unavailable', 'no'],
    ['timeout', 'unknown'],
  ] as const) {
    const { store, inner } = intercepted({ act: { kind: 'fail', error } })
    await inner.put('k', [bytes('x')])
    expect(await failure(store.put('a', [bytes('x')]))).toMatchObject({ kind: error, applied })
    expect(await failure(store.remove(['k']))).toMatchObject({ kind: error, applied })
    expect(await failure(store.read('k'))).toMatchObject({ kind: error, applied: 'no' })
    expect(await failure(listed(store, ''))).toMatchObject({ kind: error, applied: 'no' })
    expect(await listed(inner, '')).toEqual([['k', 1]])
  }
})

test('a lost reply: the request took effect, and the caller gets a time-out', async () => {
  const { store, inner } = intercepted({ act: { kind: 'lose reply' } })
  expect(await failure(store.put('a', [bytes('x')]))).toMatchObject({ kind: 'timeout', applied: 'unknown' })
  expect(Buffer.from(await inner.read('a')).toString()).toBe('x')
})

test('a request that is aborted during its delay has no effect', async () => {
  const { clock, store, inner } = intercepted({ act: { kind: 'pass' }, waitMs: 100 })
  const give = new AbortController()
  const put = failure(store.put('a', [bytes('x')], give.signal))
  await clock.advance(50)
  give.abort()
  expect(await put).toMatchObject({ kind: 'aborted', applied: 'no' })
  expect(await listed(inner, '')).toEqual([])
})
