// The counts of a measured store: requests, failures by kind, bytes and time.
import { expect, test } from 'vitest'
import { sleep } from '../../time/sleep.ts'
import { ManualClock } from '../../time/testing/manual-clock.ts'
import { bytes, failure, listed } from '../object-store.contract.ts'
import { ObjectStoreError } from '../object-store.ts'
import { HookedObjects } from '../testing/hooked-objects.ts'
import { MeasuredObjects, type StoreMeter } from './measured.ts'

function meterOf(store: MeasuredObjects, operation: StoreMeter['operation']): StoreMeter {
  const meter = store.meters().find((one) => one.operation === operation)
  if (meter === undefined) throw new Error(`no meter of ${operation}`)
  return meter
}

test('bytes and time of requests are summed', async () => {
  const clock = new ManualClock()
  const inner = new HookedObjects({ before: () => sleep(clock, 250) })
  const store = new MeasuredObjects(inner, clock)
  const put = store.put('k', [bytes('01234'), bytes('56789')])
  await clock.advance(250)
  await put
  const read = store.read('k', { start: 2, length: 3 })
  await clock.advance(250)
  await read
  const removed = store.remove(['k'])
  await clock.advance(250)
  await removed
  expect(meterOf(store, 'put')).toEqual({ operation: 'put', count: 1, perHour: 60, failed: 0, failedBy: {}, seconds: 0.25, bytes: 10 })
  expect(meterOf(store, 'read')).toEqual({ operation: 'read', count: 1, perHour: 60, failed: 0, failedBy: {}, seconds: 0.25, bytes: 3 })
  expect(meterOf(store, 'remove')).toEqual({ operation: 'remove', count: 1, perHour: 60, failed: 0, failedBy: {}, seconds: 0.25, bytes: 0 })
})

test('failures count by kind, their bytes do not count', async () => {
  const kinds = ['throttled', 'throttled', 'denied'] as const
  const inner = new HookedObjects({
    before({ number }) {
      throw new ObjectStoreError(kinds[number - 1] ?? 'full', 'no', 'refused')
    },
  })
  const store = new MeasuredObjects(inner, new ManualClock())
  for (const kind of kinds) expect(await failure(store.put('k', [bytes('x')]))).toMatchObject({ kind })
  expect(meterOf(store, 'put')).toMatchObject({ count: 3, failed: 3, failedBy: { throttled: 2, denied: 1 }, bytes: 0 })
  expect(meterOf(store, 'read')).toMatchObject({ count: 0, failed: 0 })
})

test('a list is one request, and the time between its pages does not count', async () => {
  const clock = new ManualClock()
  const inner = new HookedObjects({})
  for (const key of ['a', 'b']) await inner.bucket.put(key, [bytes('x')])
  const store = new MeasuredObjects(inner, clock)
  for await (const { key } of store.list('')) {
    await clock.advance(1_000)
    if (key === 'b') break
  }
  expect(meterOf(store, 'list')).toMatchObject({ count: 1, failed: 0, seconds: 0 })
  await listed(store, '')
  expect(meterOf(store, 'list')).toMatchObject({ count: 2 })
})

test('meters are copies', async () => {
  const store = new MeasuredObjects(new HookedObjects({}), new ManualClock())
  const before = meterOf(store, 'put')
  await store.put('k', [bytes('x')])
  expect(before.count).toBe(0)
})
