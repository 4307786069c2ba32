// Long work yields after a number of units, and one slice runs in each turn.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { Turns, unitsOfName } from './turns.ts'

test('H10: work is split into slices by its units, and other work runs between two slices', async () => {
  const clock = new ManualClock()
  const slice = new Turns(clock).slice(3)
  const trace: string[] = []
  const work = async (): Promise<void> => {
    for (let unit = 1; unit <= 7; unit++) {
      trace.push(`unit ${unit}`)
      if (slice.spent(1)) await slice.next()
    }
  }
  const done = work()
  expect(trace).toEqual(['unit 1', 'unit 2', 'unit 3'])
  clock.soon(() => trace.push('another request'))
  await clock.advance(0)
  await done
  expect(trace).toEqual(['unit 1', 'unit 2', 'unit 3', 'unit 4', 'unit 5', 'unit 6', 'another request', 'unit 7'])
})

test('H10: one slice of all short work and one of all long work run in a turn, in the order of waiting', async () => {
  const loop = new EventLoop()
  const turns = new Turns(loop)
  const trace: string[] = []
  const work = async (name: string): Promise<void> => {
    const slice = turns.slice(1)
    for (let unit = 1; unit <= 3; unit++) {
      trace.push(`${name}${unit}`)
      if (slice.spent(1)) await slice.next()
    }
  }
  const done = Promise.all([work('a'), work('b')])
  expect(trace).toEqual(['a1', 'b1'])
  for (let turn = 0; turn < 6; turn++) {
    const before = trace.length
    await loop.turn()
    expect(trace.length - before).toBeLessThanOrEqual(2)
  }
  await done
  expect(trace).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  expect(loop.soonCount).toBe(0)
})

test('H12: short work does not wait for long work, and long work goes on beside it', async () => {
  const loop = new EventLoop()
  const turns = new Turns(loop)
  const trace: string[] = []
  const work = async (name: string, slices: number): Promise<void> => {
    const slice = turns.slice(1)
    for (let unit = 1; unit <= slices; unit++) if (slice.spent(1)) await slice.next()
    trace.push(name)
  }
  const long = Promise.all(Array.from({ length: 50 }, (_, at) => work(`long ${at}`, 10)))
  for (let turn = 0; turn < 50 * fixedLimits.turnsOfShortWork; turn++) await loop.turn()
  const short = work('short', fixedLimits.turnsOfShortWork)
  for (let turn = 0; turn < 2 * fixedLimits.turnsOfShortWork; turn++) await loop.turn()
  await short
  expect(trace[0]).toBe('short')
  while (loop.soonCount > 0) await loop.turn()
  await long
  expect(trace).toHaveLength(51)
})

test('names of thousands of characters are more than one unit of work', () => {
  expect(['', 'orders', 'x'.repeat(249)].map(unitsOfName)).toEqual([1, 1, 1])
  expect(unitsOfName('x'.repeat(30_000))).toBe(31)
})

/** Runs, in one turn, the callbacks that were scheduled before it. */
class EventLoop {
  #callbacks: (() => void)[] = []

  get soonCount(): number {
    return this.#callbacks.length
  }

  soon(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  async turn(): Promise<void> {
    for (const callback of this.#callbacks.splice(0)) callback()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
