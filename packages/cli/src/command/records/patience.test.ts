// Which errors are retried, which lines are printed meanwhile, and which errors are thrown at once.
import { expect, test } from 'vitest'
import { Patience } from './patience.ts'

class Passing extends Error {}
class Unreached extends Passing {}

function aPatience({
  waitMs = Number.POSITIVE_INFINITY,
  signal = new AbortController().signal,
}: {
  readonly waitMs?: number
  readonly signal?: AbortSignal
} = {}) {
  const told: string[] = []
  return {
    told,
    patience: new Patience({
      waitMs,
      unreachedMs: 0,
      pauseMs: 1,
      signal,
      tell: (line) => told.push(line),
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
  const { told, patience } = aPatience()
  expect(await patience.through(failing(3))).toBe('done')
  expect(told).toEqual(['no server answers; trying again', 'connected again'])
})

test('an error that the first retry resolves is not reported', async () => {
  const { told, patience } = aPatience()
  await patience.through(failing(1))
  expect(told).toEqual([])
})

test('a permanent error is thrown at once, and so is any error after the time limit', async () => {
  const wrong = new Error('no permission')
  await expect(aPatience().patience.through(() => Promise.reject(wrong))).rejects.toBe(wrong)
  const away = new Passing('away')
  await expect(aPatience({ waitMs: 0 }).patience.through(() => Promise.reject(away))).rejects.toBe(away)
})

test('the signal ends the retries', async () => {
  const stop = new AbortController()
  const { patience } = aPatience({ signal: stop.signal })
  const waiting = patience.through(() => Promise.reject(new Passing('away')))
  stop.abort(new Error('Ctrl-C'))
  await expect(waiting).rejects.toThrow()
})

test('N3: without any connection the shorter limit applies; after one success, and for other errors, the longer one', async () => {
  const unreached = new Unreached('Connection to localhost:1 failed.')
  await expect(aPatience().patience.through(() => Promise.reject(unreached))).rejects.toBe(unreached)
  const { patience } = aPatience()
  await patience.attempts(async () => 'metadata')
  await expect(patience.failed(unreached)).rejects.toBe(unreached)
  await patience.through(failing(2))
  await expect(patience.failed(unreached)).resolves.toBeUndefined()
})
