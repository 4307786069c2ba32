// The watch beside transactions on PostgreSQL: which timelines are accepted, and when it looks again.
import { expect, test } from 'vitest'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { type DatabaseAges, PostgresWatch } from './postgres-watch.ts'

/** The object store of a cluster, which other agents write to. */
function aStore(highest: number) {
  const recorded: number[] = []
  let looks = 0
  return {
    recorded,
    get looks() {
      return looks
    },
    away: false,
    seenByOthers: highest,
    async highest() {
      looks += 1
      if (this.away) throw new Error('away')
      return this.seenByOthers
    },
    async record(_system: string, timeline: number) {
      if (this.away) throw new Error('away')
      recorded.push(timeline)
      this.seenByOthers = Math.max(this.seenByOthers, timeline)
    },
  }
}

function aWatch(
  store: ReturnType<typeof aStore>,
  readAges: () => Promise<DatabaseAges> = async () => ({ oldestXminAge: 1, longestTransactionMs: 2 }),
) {
  const clock = new ManualClock()
  return { clock, watch: new PostgresWatch({ clock, system: '71', timelines: store, readAges }) }
}

test('the first timeline is recorded before the start succeeds; the same one is not recorded again', async () => {
  const store = aStore(0)
  const { watch } = aWatch(store)
  await watch.start(1)
  await Promise.all([watch.check(1), watch.check(1)])
  expect(store.recorded).toEqual([1])
})

test('a start on an old primary is rejected for good, also when another agent has seen the promotion', async () => {
  const { watch } = aWatch(aStore(2))
  await expect(watch.start(1)).rejects.toMatchObject({ kind: 'invalid', reason: 'old primary' })
})

test('a promotion is recorded once before the first transaction after it; from then on the old primary is rejected', async () => {
  const store = aStore(1)
  const { watch } = aWatch(store)
  await watch.start(1)
  await Promise.all([watch.check(2), watch.check(2)])
  expect(store.recorded).toEqual([2])
  await expect(watch.check(1)).rejects.toMatchObject({ kind: 'unavailable', reason: 'old primary' })
  await watch.check(2)
})

test('while a new timeline cannot be recorded, no transaction on it goes on; later it does', async () => {
  const store = aStore(1)
  const { watch } = aWatch(store)
  await watch.start(1)
  store.away = true
  await expect(watch.check(2)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('recorded') })
  store.away = false
  await watch.check(2)
  expect(store.recorded).toEqual([2])
})

test('an agent that was left on the old primary notices within 30 s what another agent has seen, or at the next look if the store is away', async () => {
  const store = aStore(1)
  const { watch, clock } = aWatch(store)
  await watch.start(1)
  store.seenByOthers = 2
  await clock.advance(29_000)
  watch.look()
  await clock.advance(0)
  await watch.check(1)
  expect(store.looks).toBe(1)
  store.away = true
  await clock.advance(1_000)
  watch.look()
  await clock.advance(0)
  await watch.check(1)
  store.away = false
  await clock.advance(30_000)
  watch.look()
  await clock.advance(0)
  await expect(watch.check(1)).rejects.toMatchObject({ reason: 'old primary' })
})

test('ages are read every 15 s, and are unknown after a failure', async () => {
  let fails = false
  let reads = 0
  const { watch, clock } = aWatch(aStore(1), async () => {
    reads += 1
    if (fails) throw new Error('away')
    return { oldestXminAge: reads, longestTransactionMs: 0 }
  })
  expect(watch.ages).toBeUndefined()
  for (let second = 0; second < 30; second += 1) {
    watch.look()
    await clock.advance(1_000)
  }
  expect(watch.ages).toEqual({ oldestXminAge: 2, longestTransactionMs: 0 })
  fails = true
  watch.look()
  await clock.advance(0)
  expect(watch.ages).toBeUndefined()
})
