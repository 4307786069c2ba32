// Cases in which a start takes over from the registered agent or leaves it alone, in manual time, on a database in memory.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from './limits.ts'
import { LeaseHeldError, Membership, type TakeOver } from './membership.ts'
import { MetadataError, type MetadataStore } from './metadata/metadata-store.ts'
import { openMetadata } from './metadata/open.ts'
import { openSqlite } from './metadata/sqlite.ts'
import type { AgentEvent } from './observe/events.ts'
import { sleep } from './time/sleep.ts'
import { systemRandom } from './time/system-clock.ts'
import { ManualClock } from './time/testing/manual-clock.ts'

let clock: ManualClock
let store: MetadataStore
let events: AgentEvent[]

beforeEach(async () => {
  clock = new ManualClock()
  events = []
  store = await openMetadata(openSqlite({ path: ':memory:', durability: 'memory', now: () => 1_700_000_000_000 }), {
    newClusterId: randomUUID(),
    clock,
    random: systemRandom,
  })
})
afterEach(() => store.close())

interface Start {
  readonly agent?: string
  readonly takeOver?: TakeOver
  readonly members?: MetadataStore['members']
}

function start({ agent = 'me', takeOver = 'once silent', members = store.members }: Start = {}): Promise<Membership> {
  return Membership.join(
    { members, slots: store.slots, clock, random: systemRandom, emit: (event) => void events.push(event), limits: defaultLimits },
    { agent, advertised: { host: 'localhost', port: 9092 }, machine: 'laptop' },
    takeOver,
  )
}

/** The outcome, and the time from the call to it by the clock. */
async function outcomeOf(
  joining: Promise<Membership>,
): Promise<{ readonly kind: 'joined' | 'held' | 'failed'; readonly afterMs: number; readonly error?: unknown }> {
  const since = clock.monotonic()
  let outcome: Awaited<ReturnType<typeof outcomeOf>> | undefined
  const settled = joining.then(
    () => (outcome = { kind: 'joined', afterMs: clock.monotonic() - since }),
    (error: unknown) =>
      (outcome = { kind: error instanceof LeaseHeldError ? 'held' : 'failed', afterMs: clock.monotonic() - since, error }),
  )
  while (outcome === undefined) await clock.advance(100)
  return await settled
}

async function stateOf(membership: Membership): Promise<'active' | 'fenced'> {
  return (await store.members.beat(membership.registration.incarnation)).kind
}

test('H11: without a registered agent, a start does not wait', async () => {
  expect(await outcomeOf(start())).toMatchObject({ kind: 'joined', afterMs: 0 })
})

test('H11: after a graceful stop the next start does not wait', async () => {
  const first = await start()
  await first.leave()
  expect(await outcomeOf(start())).toMatchObject({ kind: 'joined', afterMs: 0 })
})

test('H11: a lease that does not beat for a whole time-out is over; the start reports whose lease it watches', async () => {
  const first = await start()
  const second = start()
  const { kind, afterMs } = await outcomeOf(second)
  expect(kind).toBe('joined')
  expect(afterMs).toBeGreaterThanOrEqual(fixedLimits.leaseMs)
  expect(afterMs).toBeLessThanOrEqual(fixedLimits.leaseMs + defaultLimits.heartbeatMs)
  expect(await stateOf(first)).toBe('fenced')
  expect(await stateOf(await second)).toBe('active')
  expect(events.filter(({ kind: event }) => event === 'lease watched')).toMatchObject([
    { lease: { agent: 'me', machine: 'laptop', host: 'localhost', port: 9092, sinceMs: 1_700_000_000_000 }, forMs: fixedLimits.leaseMs },
  ])
})

test.each(['me', 'another'])('H11: a living lease is not taken, and the start named %s reports its holder', async (agent) => {
  const first = await start()
  const over = new AbortController()
  const beating = first.run(over.signal)
  const { kind, afterMs, error } = await outcomeOf(start({ agent }))
  expect(kind).toBe('held')
  expect(afterMs).toBeLessThanOrEqual(2 * defaultLimits.heartbeatMs)
  expect(error).toMatchObject({ holder: { agent: 'me', machine: 'laptop' } })
  expect(await stateOf(first)).toBe('active')
  expect((await store.members.leases()).map((lease) => lease.agent)).toEqual(['me'])
  over.abort()
  await clock.advance(defaultLimits.heartbeatMs)
  expect(await beating).toBe('stopped')
})

test('H11: a takeover at once ends the living agent at its next beat', async () => {
  const first = await start()
  const beating = first.run(new AbortController().signal)
  expect(await outcomeOf(start({ agent: 'another', takeOver: 'at once' }))).toMatchObject({ kind: 'joined', afterMs: 0 })
  await clock.advance(defaultLimits.heartbeatMs)
  expect(await beating).toBe('fenced')
})

test('H11: a database that is away fences no agent: the time-out begins again when it is back', async () => {
  await start()
  let reads = 0
  const slow: MetadataStore['members'] = {
    ...store.members,
    leases: async () => {
      // The fourth read is answered only when the database is back.
      if (++reads === 4) await sleep(clock, 20_000)
      return await store.members.leases()
    },
  }
  const { kind, afterMs } = await outcomeOf(start({ members: slow }))
  expect(kind).toBe('joined')
  expect(afterMs).toBeGreaterThanOrEqual(20_000 + fixedLimits.leaseMs)
})

test('H11: a database that stays away makes the start fail, and fences no agent', async () => {
  const first = await start()
  let reads = 0
  const away: MetadataStore['members'] = {
    ...store.members,
    leases: async () => {
      if (++reads === 3) throw new MetadataError('unavailable', 'away')
      return await store.members.leases()
    },
  }
  expect(await outcomeOf(start({ members: away }))).toMatchObject({ kind: 'failed', error: { message: 'away' } })
  expect(await stateOf(first)).toBe('active')
})

test('H11: a lease that beats again after the last read is not taken', async () => {
  const first = await start()
  const late: MetadataStore['members'] = {
    ...store.members,
    register: async (input) => {
      await store.members.beat(first.registration.incarnation)
      return await store.members.register(input)
    },
  }
  expect(await outcomeOf(start({ members: late }))).toMatchObject({ kind: 'held', error: { holder: { agent: 'me' } } })
  expect(await stateOf(first)).toBe('active')
})

test.each(['me', 'another'])('H11: when two starts find an empty cluster at once, one serves it (the other is named %s)', async (agent) => {
  const quicker: MetadataStore['members'] = {
    ...store.members,
    register: async (input) => {
      await start()
      return await store.members.register(input)
    },
  }
  expect(await outcomeOf(start({ agent, members: quicker }))).toMatchObject({ kind: 'held', error: { holder: { agent: 'me' } } })
  expect((await store.members.leases()).map((lease) => lease.agent)).toEqual(['me'])
  expect((await store.members.slots()).every(({ owner }) => owner !== null)).toBe(true)
})
