// Jobs on a clock that a test moves, with stores that are away, and with a database whose answer is not allowed.
import { expect, test } from 'vitest'
import { MetadataError } from '../metadata/metadata-store.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { AgentEvent } from '../observe/events.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { makePasses } from './passes.ts'

test('a pass that a store interrupts is tried again, a defect is reported, and any other error ends the job', async () => {
  const clock = new ManualClock()
  const events: AgentEvent[] = []
  const invalid = new MetadataError('invalid', 'no such column')
  const other = new Error('a bug')
  const errors: (Error | undefined)[] = [
    new MetadataError('unavailable', 'away'),
    new ObjectStoreError('unavailable', 'no', 'away'),
    invalid,
    undefined,
    other,
  ]
  let count = 0
  const passes = { clock, firstMs: 10, everyMs: 100, where: 'a job', emit: (event: AgentEvent) => void events.push(event) }
  const running = makePasses(
    passes,
    async () => {
      count += 1
      const error = errors[count - 1]
      if (error !== undefined) throw error
    },
    new AbortController().signal,
  )
  const ended = expect(running).rejects.toBe(other)
  const counts: number[] = []
  for (const ms of [9, 1, 100, 100, 100]) {
    await clock.advance(ms)
    counts.push(count)
  }
  expect(counts).toEqual([0, 1, 2, 3, 4])
  expect(events).toEqual([{ kind: 'defect', where: 'a job', error: invalid }])
  await clock.advance(100)
  await ended
})

test('a job ends with its signal, before its first pass and in a pass', async () => {
  for (const firstMs of [10, 0]) {
    const clock = new ManualClock()
    const stopped = new AbortController()
    const passes = { clock, firstMs, everyMs: 100, where: 'a job', emit: () => expect.unreachable() }
    const running = makePasses(
      passes,
      async () => {
        stopped.abort()
        throw new Error('aborted')
      },
      stopped.signal,
    )
    if (firstMs > 0) stopped.abort()
    else await clock.advance(1)
    await running
  }
})
