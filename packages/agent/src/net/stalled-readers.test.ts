// The reader that gives way when answers find no memory, and the time when it does.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { StalledReaders } from './stalled-readers.ts'

function readers() {
  const clock = new ManualClock()
  const holders = new Set<{ readonly name: string; readonly stalledSinceMs: number | undefined }>()
  const gone: string[] = []
  const stalled = new StalledReaders({
    clock,
    holders,
    giveWay: (holder, message) => {
      holders.delete(holder)
      gone.push(`${holder.name}: ${message}`)
    },
  })
  const hold = (name: string, stalledSinceMs: number | undefined): void => void holders.add({ name, stalledSinceMs })
  return { clock, stalled, gone, hold }
}

test('H5: no reader gives way while every answer finds memory, however long it stalls', async () => {
  const { clock, gone, hold } = readers()
  hold('stalled', clock.monotonic())
  await clock.advance(10 * fixedLimits.answerStallMs)
  expect(gone).toEqual([])
})

test('H5: while others are starved, the reader that has stalled for the longest time gives way, one at a time', async () => {
  const { clock, stalled, gone, hold } = readers()
  hold('later', clock.monotonic())
  hold('first', clock.monotonic() - 1_000)
  hold('moving', undefined)
  stalled.starved()
  expect(gone).toEqual([])
  // Clients retry continuously.
  for (let ms = 0; ms < fixedLimits.answerStallMs + 10_000; ms += 500) {
    await clock.advance(500)
    stalled.starved()
  }
  expect(gone).toEqual([
    'first: its client had read nothing of its answers for 30 s, and the answers of other clients found no memory',
    'later: its client had read nothing of its answers for 30 s, and the answers of other clients found no memory',
  ])
})

test('H5: readers are checked only while an answer finds no memory', async () => {
  const { clock, stalled, gone, hold } = readers()
  hold('stalled', clock.monotonic())
  stalled.starved()
  await clock.advance(10 * fixedLimits.answerStallMs)
  expect(gone).toEqual([])
  expect(clock.waiting).toBe(0)
  stalled.starved()
  expect(gone).toHaveLength(1)
})
