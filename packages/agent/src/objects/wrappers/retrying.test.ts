// Attempts, pauses, time-outs and hedges, on a clock that stands still until the test moves it.
import { expect, test } from 'vitest'
import { ManualClock, steadyRandom } from '../../time/testing/manual-clock.ts'
import { bytes, failure, listed, text } from '../object-store.contract.ts'
import { abortedError, ObjectStoreError, type ObjectStoreErrorKind } from '../object-store.ts'
import { type Hook, HookedObjects, type HookedRequest, silence } from '../testing/hooked-objects.ts'
import { RetryingObjects, type RetryPolicy } from './retrying.ts'

const policy: RetryPolicy = { deadlineMs: 10_000, attemptMs: 1_000, firstPauseMs: 100, maxPauseMs: 400 }

function retrying(
  hooks: { readonly before?: Hook; readonly after?: Hook },
  { random = 1, ...changes }: Partial<RetryPolicy> & { readonly random?: number } = {},
): { readonly clock: ManualClock; readonly inner: HookedObjects; readonly store: RetryingObjects } {
  const clock = new ManualClock()
  const inner = new HookedObjects(hooks)
  return { clock, inner, store: new RetryingObjects(inner, { clock, random: steadyRandom(random) }, { ...policy, ...changes }) }
}

function failing(kind: ObjectStoreErrorKind, applied: 'no' | 'unknown' = 'no'): ObjectStoreError {
  return new ObjectStoreError(kind, applied, `it is ${kind}`)
}

/** The first `count` requests fail. */
function first(count: number, error: ObjectStoreError): Hook {
  return ({ number }) => {
    if (number <= count) throw error
  }
}

const noAnswer = (request: HookedRequest): Promise<never> =>
  silence(request, () => abortedError(request.operation === 'put' ? 'unknown' : 'no', 'it'))

test('transient failures are retried after pauses that double up to a bound', async () => {
  const at: number[] = []
  const { clock, store } = retrying({
    async before(request) {
      at.push(clock.monotonic())
      await first(5, failing('throttled'))(request)
    },
  })
  const put = store.put('k', [bytes('x')])
  await clock.advance(5_000)
  await put
  expect(at.map((time) => time - (at[0] ?? 0))).toEqual([0, 100, 300, 700, 1_100, 1_500])
})

test('a pause is drawn between half of its length and all of it', async () => {
  for (const [random, pauseMs] of [
    [0, 50],
    [0.5, 75],
  ] as const) {
    const { clock, inner, store } = retrying({ before: first(1, failing('unavailable')) }, { random })
    const put = store.put('k', [bytes('x')])
    await clock.advance(pauseMs - 1)
    expect(inner.requests).toHaveLength(1)
    await clock.advance(1)
    await put
    expect(inner.requests).toHaveLength(2)
  }
})

test.each(['missing', 'denied', 'full', 'corrupt', 'invalid'] as const)('%s is not retried', async (kind) => {
  const { inner, store } = retrying({ before: first(9, failing(kind)) })
  expect(await failure(store.read('k'))).toMatchObject({ kind, applied: 'no', message: `it is ${kind}` })
  expect(inner.requests).toHaveLength(1)
})

test('no attempt begins after the deadline; the last error is the answer, with the number of attempts', async () => {
  const { clock, inner, store } = retrying({ before: first(Infinity, failing('unavailable')) }, { deadlineMs: 1_000 })
  const put = failure(store.put('k', [bytes('x')]))
  await clock.advance(60_000)
  expect(await put).toMatchObject({ kind: 'unavailable', applied: 'no', message: 'it is unavailable (after 4 attempts)' })
  expect(inner.requests).toHaveLength(4)
  expect(clock.waiting).toBe(0)
})

test('after an attempt with an unknown outcome the put stays unknown, whatever later attempts report', async () => {
  const { clock, store } = retrying({
    before({ number }) {
      throw number === 1 ? failing('timeout', 'unknown') : failing('denied', 'no')
    },
  })
  const put = failure(store.put('k', [bytes('x')]))
  await clock.advance(1_000)
  expect(await put).toMatchObject({ kind: 'denied', applied: 'unknown' })
})

test('every attempt has a time-out of its own, and the next one is another request with the same bytes', async () => {
  const { clock, inner, store } = retrying({ before: (request) => (request.number <= 2 ? noAnswer(request) : undefined) })
  const put = store.put('k', [bytes('the '), bytes('same')])
  await clock.advance(1_000 + 100 + 999)
  expect(inner.requests).toHaveLength(2)
  await clock.advance(1 + 200)
  await put
  expect(inner.requests.map(({ keys }) => keys)).toEqual([['k'], ['k'], ['k']])
  expect(text(await inner.bucket.read('k'))).toBe('the same')
  expect(clock.waiting).toBe(0)
})

test('a store that never answers is a timeout in the end, and the put may still land', async () => {
  const { clock, store } = retrying({ before: noAnswer }, { deadlineMs: 1_500 })
  const put = failure(store.put('k', [bytes('x')]))
  await clock.advance(10_000)
  expect(await put).toMatchObject({ kind: 'timeout', applied: 'unknown' })
})

test('a caller that aborts gets its answer at once, during an attempt and during a pause', async () => {
  const inTry = retrying({ before: noAnswer })
  const giveTry = new AbortController()
  const put = failure(inTry.store.put('k', [bytes('x')], giveTry.signal))
  giveTry.abort()
  expect(await put).toMatchObject({ kind: 'aborted', applied: 'unknown' })
  expect(inTry.clock.waiting).toBe(0)

  const inPause = retrying({ before: first(9, failing('unavailable', 'unknown')) })
  const givePause = new AbortController()
  const other = failure(inPause.store.put('k', [bytes('x')], givePause.signal))
  await inPause.clock.advance(50)
  givePause.abort()
  expect(await other).toMatchObject({ kind: 'aborted', applied: 'unknown' })
  expect(inPause.inner.requests).toHaveLength(1)
  expect(inPause.clock.waiting).toBe(0)
})

test('a slow put is sent a second time; the one that lands first is the answer, and the other is aborted', async () => {
  const { clock, inner, store } = retrying(
    { before: (request) => (request.number === 1 ? noAnswer(request) : undefined) },
    { hedgeAfterMs: 200 },
  )
  const put = store.put('k', [bytes('x')])
  await clock.advance(199)
  expect(inner.requests).toHaveLength(1)
  await clock.advance(1)
  await put
  expect(inner.requests).toHaveLength(2)
  expect(inner.requests[0]?.signal?.aborted).toBe(true)
  expect(clock.waiting).toBe(0)
})

test('a put that is answered in time is not sent twice', async () => {
  const { clock, inner, store } = retrying({}, { hedgeAfterMs: 200 })
  await store.put('k', [bytes('x')])
  await clock.advance(1_000)
  expect(inner.requests).toHaveLength(1)
})

test('if the first of two fails, the second still counts; if both fail, the attempt failed, with the effect that either may have had', async () => {
  const second = Promise.withResolvers<void>()
  const { clock, inner, store } = retrying(
    {
      async before(request) {
        if (request.number === 1) return await silenceUntil(clock, 300, failing('timeout', 'unknown'))
        if (request.number === 2) await second.promise
      },
    },
    { hedgeAfterMs: 200, deadlineMs: 1 },
  )
  const put = failure(store.put('k', [bytes('x')]))
  await clock.advance(400)
  second.reject(failing('denied', 'no'))
  expect(await put).toMatchObject({ kind: 'denied', applied: 'unknown' })
  expect(inner.requests).toHaveLength(2)
})

test('a hedged put settles when both of its attempts have, because then the memory of the body may be used again', async () => {
  const loser = Promise.withResolvers<void>()
  const { clock, store } = retrying(
    {
      async before({ number }) {
        if (number === 1) await loser.promise
      },
    },
    { hedgeAfterMs: 200 },
  )
  let settled = false
  const put = store.put('k', [bytes('x')]).then(() => (settled = true))
  await clock.advance(300)
  expect(settled).toBe(false)
  loser.reject(failing('aborted', 'unknown'))
  expect(await put).toBe(true)
})

test('reads are never hedged', async () => {
  const { clock, inner, store } = retrying({ before: noAnswer }, { hedgeAfterMs: 200, deadlineMs: 500 })
  const read = failure(store.read('k'))
  await clock.advance(900)
  expect(inner.requests).toHaveLength(1)
  await clock.advance(5_000)
  expect(await read).toMatchObject({ kind: 'timeout', applied: 'no' })
})

test('a bulk removal retries only the keys that are left', async () => {
  const { clock, inner, store } = retrying({ before: first(1, failing('unavailable', 'unknown')) })
  const removed = store.remove(['a', 'b'])
  await clock.advance(1_000)
  expect(await removed).toEqual([{ key: 'a' }, { key: 'b' }])
  expect(inner.requests.map(({ keys }) => keys)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})

test('a list is retried until it begins', async () => {
  const { clock, inner, store } = retrying({ before: first(2, failing('throttled')) })
  await inner.bucket.put('a', [bytes('x')])
  const list = listed(store, '')
  await clock.advance(1_000)
  expect(await list).toEqual([['a', 1]])
  expect(inner.requests).toHaveLength(3)
})

function silenceUntil(clock: ManualClock, delayMs: number, error: ObjectStoreError): Promise<never> {
  return new Promise((_, reject) => clock.after(delayMs, () => reject(error)))
}
