// The trimmer calls the pool again and again until its signal aborts.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { SlabTrimmer } from './slab-trimmer.ts'

test('the pool is trimmed once in each period, until the agent ends', async () => {
  const clock = new ManualClock()
  const controller = new AbortController()
  let trims = 0
  const running = new SlabTrimmer({ memory: { trim: () => void (trims += 1) }, clock }).run(controller.signal)
  await clock.advance(3 * fixedLimits.slabTrimMs + 1)
  expect(trims).toBe(3)
  controller.abort()
  await running
  await clock.advance(3 * fixedLimits.slabTrimMs)
  expect(trims).toBe(3)
})
