// A delayed store's requests wait their latency before anything reaches the store.
import { expect, test } from 'vitest'
import { ManualClock } from '../../time/testing/manual-clock.ts'
import { bytes, failure, listed } from '../object-store.contract.ts'
import type { ObjectStore } from '../object-store.ts'
import { HookedObjects } from '../testing/hooked-objects.ts'
import { delayedObjects } from './delayed.ts'

function delayed(latencyMs: number): { readonly clock: ManualClock; readonly inner: HookedObjects; readonly store: ObjectStore } {
  const clock = new ManualClock()
  const inner = new HookedObjects({})
  return { clock, inner, store: delayedObjects(inner, clock, { latencyMs }) }
}

test('each request reaches the store after the latency, concurrent requests at the same time', async () => {
  const { clock, inner, store } = delayed(100)
  await inner.bucket.put('k', [bytes('x')])
  const requests = Promise.all([store.put('a', [bytes('x')]), store.read('k'), store.remove(['b']), listed(store, 'k')])
  await clock.advance(99)
  expect(inner.requests).toHaveLength(0)
  await clock.advance(1)
  await requests
  expect(inner.requests.map(({ operation }) => operation)).toEqual(['put', 'read', 'remove', 'list'])
})

test('a request that is aborted during its latency has no effect', async () => {
  const { clock, inner, store } = delayed(100)
  const give = new AbortController()
  const put = failure(store.put('a', [bytes('x')], give.signal))
  await clock.advance(50)
  give.abort()
  expect(await put).toMatchObject({ kind: 'aborted', applied: 'no' })
  await clock.advance(100)
  expect(inner.requests).toHaveLength(0)
})
