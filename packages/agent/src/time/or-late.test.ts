// A wait for a promise ends with the promise or with its time, and leaves no timer.
import { expect, test } from 'vitest'
import { orLate } from './or-late.ts'
import { ManualClock } from './testing/manual-clock.ts'

test('a wait settles as its promise does, and leaves no timer', async () => {
  const clock = new ManualClock()
  await expect(orLate(Promise.resolve(7), { clock, afterMs: 10 }, 'late')).resolves.toBe(7)
  await expect(orLate(Promise.reject(new Error('it failed')), { clock, afterMs: 10 }, 'late')).rejects.toThrow('it failed')
  expect(clock.waiting).toBe(0)
})

test('a wait ends after its time, and a later rejection is ignored', async () => {
  const clock = new ManualClock()
  const work = Promise.withResolvers<never>()
  const waiting = orLate(work.promise, { clock, afterMs: 10 }, 'late')
  await clock.advance(10)
  await expect(waiting).resolves.toBe('late')
  work.reject(new Error('too late'))
  await clock.advance(1)
})
