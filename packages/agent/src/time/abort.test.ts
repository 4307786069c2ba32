// Waits that end with a signal settle in time and leave no listener on it.
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { onAbort, orAborted } from './abort.ts'

const never = (): Promise<never> => new Promise(() => {})
const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

test('a wait settles as its promise does, and leaves no listener', async () => {
  const { signal } = new AbortController()
  const error = new Error('it failed')
  await expect(orAborted(Promise.resolve(7), signal)).resolves.toBe(7)
  await expect(orAborted(Promise.reject(error), signal)).rejects.toBe(error)
  await Promise.resolve()
  expect(listenersOf(signal)).toBe(0)
})

test('a wait rejects with the reason of its signal, and leaves no listener', async () => {
  const end = new AbortController()
  const waiting = orAborted(never(), end.signal)
  expect(listenersOf(end.signal)).toBe(1)
  end.abort('enough')
  await expect(waiting).rejects.toBe('enough')
  expect(listenersOf(end.signal)).toBe(0)
})

test('a signal that has aborted ends the wait, also if the promise has settled', async () => {
  const signal = AbortSignal.abort('before')
  await expect(orAborted(Promise.resolve(7), signal)).rejects.toBe('before')
  expect(listenersOf(signal)).toBe(0)
})

test('the caller may choose a value or an error for the end of its signal', async () => {
  const signal = AbortSignal.abort('before')
  await expect(orAborted(never(), signal, () => 'aborted')).resolves.toBe('aborted')
  const fail = (): never => {
    throw new Error('the read was aborted')
  }
  await expect(orAborted(never(), signal, fail)).rejects.toThrow('the read was aborted')
})

test('a rejection after the end of the wait is handled', async () => {
  const work = Promise.withResolvers<void>()
  await expect(orAborted(work.promise, AbortSignal.abort('before'))).rejects.toBe('before')
  // An unhandled rejection would fail this file.
  work.reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
})

test('without a signal, the promise is the wait', async () => {
  const promise = Promise.resolve(7)
  expect(orAborted(promise, undefined)).toBe(promise)
  onAbort(undefined, () => expect.unreachable())()
})

test('a callback runs once: at the abort, at once after it, and never after its release', () => {
  const end = new AbortController()
  const called: string[] = []
  onAbort(end.signal, () => called.push('waiting'))
  const release = onAbort(end.signal, () => called.push('released'))
  release()
  end.abort()
  end.abort()
  onAbort(end.signal, () => called.push('late'))
  expect(called).toEqual(['waiting', 'late'])
  expect(listenersOf(end.signal)).toBe(0)
})
