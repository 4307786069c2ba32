// Which errors are retried, which lines are printed meanwhile, and which errors are thrown at once.
import { expect, test } from 'vitest'
import { Retries } from './retries.ts'

class Passing extends Error {}
class Unreached extends Passing {}

function someRetries({
  waitMs = Number.POSITIVE_INFINITY,
  signal = new AbortController().signal,
}: {
  readonly waitMs?: number
  readonly signal?: AbortSignal
} = {}) {
  const reported: string[] = []
  return {
    reported,
    retries: new Retries({
      waitMs,
      unreachedMs: 0,
      pauseMs: 1,
      signal,
      report: (line) => reported.push(line),
      passes: (error) => error instanceof Passing,
      isUnreached: (error) => error instanceof Unreached,
    }),
  }
}

/** Fails a given number of times, then succeeds. */
function failing(times: number): () => Promise<string> {
  let left = times
  return async () => {
    left -= 1
    if (left >= 0) throw new Passing('no server answers.')
    return 'done'
  }
}

test('a transient error is retried, and reported once when it lasts and once when it ends', async () => {
  const { reported, retries } = someRetries()
  expect(await retries.run(failing(3))).toBe('done')
  expect(reported).toEqual(['no server answers; trying again', 'connected again'])
})

test('an error that the first retry resolves is not reported', async () => {
  const { reported, retries } = someRetries()
  await retries.run(failing(1))
  expect(reported).toEqual([])
})

test('a permanent error is thrown at once, and so is any error after the time limit', async () => {
  const wrong = new Error('no permission')
  await expect(someRetries().retries.run(() => Promise.reject(wrong))).rejects.toBe(wrong)
  const away = new Passing('away')
  await expect(someRetries({ waitMs: 0 }).retries.run(() => Promise.reject(away))).rejects.toBe(away)
})

test('the signal ends the retries', async () => {
  const stop = new AbortController()
  const { retries } = someRetries({ signal: stop.signal })
  const waiting = retries.run(() => Promise.reject(new Passing('away')))
  stop.abort(new Error('Ctrl-C'))
  await expect(waiting).rejects.toThrow()
})

test('N3: without any connection the shorter limit applies; after one success, and for other errors, the longer one', async () => {
  const unreached = new Unreached('Connection to localhost:1 failed.')
  await expect(someRetries().retries.run(() => Promise.reject(unreached))).rejects.toBe(unreached)
  const { retries } = someRetries()
  await retries.attempts(async () => 'metadata')
  await expect(retries.failed(unreached)).rejects.toBe(unreached)
  await retries.run(failing(2))
  await expect(retries.failed(unreached)).resolves.toBeUndefined()
})
