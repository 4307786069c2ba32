// The reports of jobs: what they say before, in and after a pass, and after one that a store has interrupted.
import { expect, test } from 'vitest'
import { MetadataError } from '../metadata/metadata-store.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { JobReports } from './job-report.ts'
import { makePasses } from './passes.ts'

test('a job says when its passes were and will be, and why one did not do its work', async () => {
  const clock = new ManualClock()
  const beganMs = clock.now()
  const reports = new JobReports(clock)
  let mine = false
  const report = reports.register({ job: 'tidy', about: 'tidies', isMine: () => mine, backlog: () => ({ rooms: 3 }) })
  const status = () => reports.list()[0]
  expect(status()).toEqual({
    job: 'tidy',
    about: 'tidies',
    elsewhere: true,
    running: false,
    lastPass: undefined,
    nextPassAtMs: undefined,
    progress: undefined,
    backlog: { rooms: 3 },
    problem: undefined,
  })
  mine = true
  const stopped = new AbortController()
  let done = Promise.withResolvers<void>()
  const pass = async (): Promise<void> => {
    report.progress('one room of four')
    await done.promise
  }
  const running = makePasses({ clock, firstMs: 10, everyMs: 100, where: 'tidy', emit: () => {}, report }, pass, stopped.signal)
  expect(status()).toMatchObject({ elsewhere: false, running: false, nextPassAtMs: beganMs + 10 })
  await clock.advance(10)
  expect(status()).toMatchObject({ running: true, progress: 'one room of four', lastPass: undefined })
  await clock.advance(5)
  done.resolve()
  await expect.poll(() => status()?.running).toBe(false)
  const lastPass = { beganAtMs: beganMs + 10, endedAtMs: beganMs + 15 }
  expect(status()).toMatchObject({ lastPass, nextPassAtMs: beganMs + 115, progress: undefined, problem: undefined })
  done = Promise.withResolvers<void>()
  done.promise.catch(() => {})
  done.reject(new MetadataError('unavailable', 'the database is away'))
  await clock.advance(110)
  expect(status()).toMatchObject({ running: false, problem: 'the database is away' })
  stopped.abort()
  await running
})

test('a lasting problem is shown before that of the last pass', () => {
  const reports = new JobReports(new ManualClock())
  let halted: string | undefined = 'halted'
  const report = reports.register({ job: 'sweep', about: 'sweeps', problem: () => halted })
  report.ended('away')
  expect(reports.list()[0]?.problem).toBe('halted')
  halted = undefined
  expect(reports.list()[0]?.problem).toBe('away')
  report.ended()
  expect(reports.list()[0]?.problem).toBeUndefined()
})
