// Slots are passed on in order, and calls that give up take none.
import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

const never = new AbortController().signal

/** Calls that end when the test says so. */
function calls(): {
  readonly started: string[]
  readonly call: (name: string) => () => Promise<string>
  readonly end: (name: string) => void
} {
  const started: string[] = []
  const ends = new Map<string, () => void>()
  return {
    started,
    call: (name) => () => {
      started.push(name)
      return new Promise((resolve) => ends.set(name, () => resolve(name)))
    },
    end: (name) => ends.get(name)?.(),
  }
}

test('the calls beyond the slots wait in order', async () => {
  const { started, call, end } = calls()
  const slots = new Slots(2)
  const answers = ['a', 'b', 'c', 'd'].map((name) => slots.run(call(name), never))
  expect(started).toEqual(['a', 'b'])
  end('b')
  expect(await answers[1]).toBe('b')
  await expect.poll(() => started).toEqual(['a', 'b', 'c'])
  end('a')
  end('c')
  await expect.poll(() => started).toEqual(['a', 'b', 'c', 'd'])
  end('d')
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd'])
})

test('a call that fails passes its slot on', async () => {
  const slots = new Slots(1)
  const failing = slots.run(() => Promise.reject(new Error('no')), never)
  const next = slots.run(async () => 'next', never)
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('next')
})

test('a call whose signal aborts while it waits is passed over', async () => {
  const { started, call, end } = calls()
  const slots = new Slots(1)
  const first = slots.run(call('first'), never)
  const abort = new AbortController()
  const givenUp = slots.run(call('given up'), abort.signal)
  const last = slots.run(call('last'), never)
  abort.abort(new Error('enough'))
  await expect(givenUp).rejects.toThrow('enough')
  await expect(slots.run(call('too late'), abort.signal)).rejects.toThrow('enough')
  end('first')
  await first
  await expect.poll(() => started).toEqual(['first', 'last'])
  end('last')
  expect(await last).toBe('last')
})
