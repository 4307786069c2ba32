// The schedule of a run of chaos is determined by its seed, heals in time, and over many seeds has every kind of disturbance.
import { expect, test } from 'vitest'
import { type HostsOfRun, scheduleOf } from './schedule.ts'

const seeds = Array.from({ length: 50 }, (_, seed) => seed)

test('the same seed has the same disturbances, another one has others', () => {
  expect(scheduleOf(7, 60)).toEqual(scheduleOf(7, 60))
  expect(scheduleOf(8, 60)).not.toEqual(scheduleOf(7, 60))
})

test('everything is healed before the end, in the order of the schedule', () => {
  for (const seed of seeds) {
    const schedule = scheduleOf(seed, 60)
    expect(schedule.length).toBeGreaterThan(3)
    for (const { atMs, untilMs } of schedule) {
      expect(untilMs).toBeGreaterThanOrEqual(atMs)
      expect(untilMs).toBeLessThanOrEqual(58_000)
    }
    expect(schedule.map(({ atMs }) => atMs)).toEqual(schedule.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
  }
})

test('fifty seeds have every kind, and cables only where there are some', () => {
  const kinds = (hosts: HostsOfRun) => new Set(seeds.flatMap((seed) => scheduleOf(seed, 60, hosts).map(({ what }) => what.kind)))
  expect(kinds('one').size).toBe(12)
  expect(kinds('several')).toEqual(new Set([...kinds('one'), 'pull a cable']))
})
