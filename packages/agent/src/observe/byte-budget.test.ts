// The budget of bytes: its limit holds except for a request that is alone, waiters are served in their order, and none is forgotten.
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AssertionError } from '../core/assert.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { ByteBudget } from './byte-budget.ts'

const timeoutMs = 1_000

test('bytes are taken up to the limit, and released bytes can be taken again', () => {
  const budget = new ByteBudget(100)
  expect([budget.tryTake(60), budget.tryTake(41), budget.tryTake(40)]).toEqual([true, false, true])
  expect([budget.gauge, budget.freeBytes]).toEqual([{ usedBytes: 100, limitBytes: 100 }, 0])
  budget.release(60)
  expect([budget.tryTake(61), budget.tryTake(60)]).toEqual([false, true])
})

test('a request that is alone always fits, and then nothing else does', async () => {
  const budget = new ByteBudget(100)
  const { clock, wait } = waits()
  expect(await budget.takeWhenFits(500, wait)).toBe(true)
  expect([budget.tryTake(1), budget.freeBytes]).toEqual([false, -400])
  const next = budget.takeWhenFits(300, wait)
  budget.release(500)
  expect([await next, budget.usedBytes]).toEqual([true, 300])
  await clock.advance(timeoutMs)
  expect(clock.waiting).toBe(0)
})

test('a caller with a rule of its own may exceed the budget', () => {
  const budget = new ByteBudget(100)
  budget.take(80)
  budget.take(80)
  expect([budget.usedBytes, budget.tryTake(0)]).toEqual([160, false])
})

test('a release lets the waiters go in the order in which they came, and a newcomer does not overtake them', async () => {
  const budget = new ByteBudget(100)
  const { clock, wait } = waits()
  budget.take(100)
  const order: string[] = []
  for (const [name, bytes] of [['first', 60] as const, ['second', 60] as const, ['third', 10] as const])
    void budget.takeWhenFits(bytes, wait).then((taken) => order.push(`${name} ${taken}`))
  budget.release(50)
  expect(budget.tryTake(1)).toBe(false)
  await clock.advance(0)
  expect(order).toEqual([])
  budget.release(50)
  await clock.advance(0)
  expect(order).toEqual(['first true'])
  budget.release(60)
  await clock.advance(0)
  expect(order).toEqual(['first true', 'second true', 'third true'])
  expect([budget.usedBytes, clock.waiting]).toEqual([70, 0])
})

test('callers that ask in one turn do not see the same room', async () => {
  const budget = new ByteBudget(100)
  const { wait } = waits()
  const settled: string[] = []
  for (const name of ['first', 'second', 'third']) void budget.takeWhenFits(60, wait).then(() => settled.push(name))
  expect(budget.usedBytes).toBe(60)
  budget.release(60)
  // It is not in the caller's hands yet, and no other caller can take it.
  expect([budget.usedBytes, budget.tryTake(50)]).toEqual([60, false])
  await Promise.resolve()
  expect(settled).toEqual(['first', 'second'])
})

test('a waiter whose signal aborts, or whose time is over, is passed over and leaves no listener and no timer', async () => {
  const budget = new ByteBudget(100)
  const { clock, wait } = waits()
  const aborting = new AbortController()
  const { signal } = wait
  budget.take(90)
  const aborted = budget.takeWhenFits(50, { ...wait, signal: aborting.signal })
  const late = budget.takeWhenFits(50, wait)
  const small = budget.takeWhenFits(10, { ...wait, timeoutMs: 10 * timeoutMs })
  aborting.abort()
  expect(await aborted).toBe(false)
  expect([getEventListeners(aborting.signal, 'abort').length, getEventListeners(signal, 'abort').length, clock.waiting]).toEqual([0, 2, 2])
  await clock.advance(timeoutMs)
  expect([await late, await small, budget.usedBytes]).toEqual([false, true, 100])
  expect([getEventListeners(signal, 'abort').length, clock.waiting]).toEqual([0, 0])
  expect(await budget.takeWhenFits(50, { ...wait, signal: aborting.signal })).toBe(false)
  expect(clock.waiting).toBe(0)
})

test('a watch is called after each release, until it ends', () => {
  const budget = new ByteBudget(100)
  const freed: number[] = []
  const unwatch = budget.watch(() => freed.push(budget.freeBytes))
  budget.take(50)
  budget.release(20)
  budget.release(20)
  unwatch()
  budget.release(10)
  expect(freed).toEqual([70, 90])
})

test('a release of more than was taken, and a negative number of bytes, are assertions', () => {
  const budget = new ByteBudget(100)
  budget.take(10)
  for (const wrong of [() => budget.release(11), () => budget.release(-1), () => budget.take(-1), () => budget.tryTake(-1)])
    expect(wrong).toThrow(AssertionError)
  expect(budget.usedBytes).toBe(10)
})

test('whatever is taken, released and aborted, only a lone request exceeds the limit, and no request waits indefinitely', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('take' as const), bytes: fc.integer({ min: 1, max: 150 }) }),
    fc.record({ kind: fc.constant('try' as const), bytes: fc.integer({ min: 1, max: 150 }) }),
    fc.record({ kind: fc.constantFrom('release' as const, 'abort' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: timeoutMs / 2 }) }),
    fc.record({ kind: fc.constant('microtasks' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const budget = new ByteBudget(100)
      const clock = new ManualClock()
      const held: number[] = []
      const exceeded: (readonly number[])[] = []
      const waiting = new Set<AbortController>()
      const hold = (bytes: number): void => {
        held.push(bytes)
        if (held.length > 1 && budget.usedBytes > 100) exceeded.push([...held])
      }
      const release = (at: number): void => {
        const [bytes] = held.splice(at, 1)
        if (bytes !== undefined) budget.release(bytes)
      }
      for (const one of steps)
        switch (one.kind) {
          case 'take': {
            const controller = new AbortController()
            waiting.add(controller)
            void budget.takeWhenFits(one.bytes, { signal: controller.signal, timeoutMs, clock }).then((taken) => {
              waiting.delete(controller)
              if (taken) hold(one.bytes)
            })
            break
          }
          case 'try':
            if (budget.tryTake(one.bytes)) hold(one.bytes)
            break
          case 'release':
            if (held.length > 0) release(one.at % held.length)
            break
          case 'abort':
            ;[...waiting][one.at % Math.max(1, waiting.size)]?.abort()
            break
          case 'advance':
            await clock.advance(one.ms)
            break
          case 'microtasks':
            await Promise.resolve()
        }
      await clock.advance(0)
      expect(exceeded).toEqual([])
      // Once the holders release their bytes, all waiters go long before their time-out.
      for (let round = 0; round < steps.length; round += 1) {
        release(0)
        await clock.advance(0)
      }
      expect([waiting.size, held.length, budget.usedBytes, clock.waiting]).toEqual([0, 0, 0, 0])
      expect(budget.tryTake(500)).toBe(true)
    }),
  )
})

function waits(): { readonly clock: ManualClock; readonly wait: { signal: AbortSignal; timeoutMs: number; clock: ManualClock } } {
  const clock = new ManualClock()
  return { clock, wait: { signal: new AbortController().signal, timeoutMs, clock } }
}
