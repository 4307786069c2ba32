// Cases in which a start takes over from the registered agent or leaves it alone, in manual time, on a database in memory.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from './limits.ts'
import { LeaseHeldError, Membership, type MembershipListener, type TakeOver } from './membership.ts'
import { MetadataError, type MetadataStore } from './metadata/metadata-store.ts'
import { openMetadata } from './metadata/open.ts'
import { openSqlite } from './metadata/sqlite.ts'
import type { AgentEvent } from './observe/events.ts'
import type { Clock } from './time/clock.ts'
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
  readonly clock?: Clock
}

function start({ agent = 'me', takeOver = 'once silent', members = store.members, clock: own = clock }: Start = {}): Promise<Membership> {
  return Membership.join(
    { members, slots: store.slots, clock: own, random: systemRandom, emit: (event) => void events.push(event), limits: defaultLimits },
    { agent, advertised: { host: 'localhost', port: 9092 }, machine: 'laptop', rack: null },
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

/** Nothing but the lease and the slots counts. */
const deaf: MembershipListener = { onSlotsMoved: () => {}, onViewChanged: async () => {} }

/** Without a beat. */
async function stateOfLease(agent: string): Promise<'active' | 'fenced'> {
  return (await store.members.leases()).some((lease) => lease.agent === agent) ? 'active' : 'fenced'
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

test('H11: a living lease of the same name is not taken, and the start reports its holder', async () => {
  const first = await start()
  const over = new AbortController()
  const beating = first.run(over.signal, deaf)
  const { kind, afterMs, error } = await outcomeOf(start())
  expect(kind).toBe('held')
  expect(afterMs).toBeLessThanOrEqual(2 * defaultLimits.heartbeatMs)
  expect(error).toMatchObject({ holder: { agent: 'me', machine: 'laptop' } })
  expect(await stateOf(first)).toBe('active')
  expect((await store.members.leases()).map((lease) => lease.agent)).toEqual(['me'])
  over.abort()
  await clock.advance(defaultLimits.heartbeatMs)
  expect(await beating).toBe('stopped')
})

test.each([
  ['me', 'own name at once'],
  ['another', 'all at once'],
] as const)('H11: a takeover at once by %s, of %s, ends the living agent at its next beat', async (agent, takeOver) => {
  const first = await start()
  const beating = first.run(new AbortController().signal, deaf)
  expect(await outcomeOf(start({ agent, takeOver }))).toMatchObject({ kind: 'joined', afterMs: 0 })
  await clock.advance(defaultLimits.heartbeatMs)
  expect(await beating).toBe('fenced')
})

test('a takeover of a name leaves the agents of other names alone', async () => {
  const first = await start()
  const second = await start({ agent: 'another', takeOver: 'own name at once' })
  expect([await stateOf(first), await stateOf(second)]).toEqual(['active', 'active'])
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

test('H11: when two starts under one name find an empty cluster at once, one serves it', async () => {
  const quicker: MetadataStore['members'] = {
    ...store.members,
    register: async (input) => {
      await start()
      return await store.members.register(input)
    },
  }
  expect(await outcomeOf(start({ members: quicker }))).toMatchObject({ kind: 'held', error: { holder: { agent: 'me' } } })
  expect((await store.members.leases()).map((lease) => lease.agent)).toEqual(['me'])
  expect((await store.members.slots()).every(({ owner }) => owner !== null)).toBe(true)
})

test('an agent of another name joins at once, owns no slot, and both list the same agents', async () => {
  const first = await start()
  const { kind, afterMs } = await outcomeOf(start({ agent: 'another' }))
  expect([kind, afterMs]).toEqual(['joined', 0])
  const second = await start({ agent: 'a third' })
  const over = new AbortController()
  const beating = [first.run(over.signal, deaf), second.run(over.signal, deaf)]
  await clock.advance(defaultLimits.heartbeatMs)
  const agentsOf = ({ owners }: Membership): readonly string[] => [...owners.members].map(({ agent, brokerId }) => `${agent} ${brokerId}`)
  expect(agentsOf(first)).toEqual(['me 1', 'another 2', 'a third 3'])
  expect(agentsOf(second)).toEqual(agentsOf(first))
  expect([first.owners.controllerId, second.owners.controllerId]).toEqual([1, 1])
  expect(second.owners.ownedSlots()).toEqual([{ first: 0, last: store.slots - 1, epoch: 1, leader: 1 }])
  over.abort()
  await Promise.all(beating)
})

test('H11: an agent whose lease is silent for a whole time-out is fenced by another one, which takes its slots under new epochs', async () => {
  const first = await start()
  const second = await start({ agent: 'another' })
  const moved: number[] = []
  const over = new AbortController()
  const beating = second.run(over.signal, { ...deaf, onSlotsMoved: (slots) => void moved.push(slots.size) })
  await clock.advance(fixedLimits.leaseMs - 1)
  expect(await stateOfLease('me')).toBe('active')
  await clock.advance(2 * defaultLimits.heartbeatMs)
  expect(await stateOf(first)).toBe('fenced')
  expect(second.owners.ownedSlots()).toEqual([{ first: 0, last: store.slots - 1, epoch: 2, leader: 2 }])
  expect(moved).toEqual([store.slots])
  expect(events.filter(({ kind }) => kind === 'agent fenced')).toMatchObject([{ lease: { agent: 'me' }, slots: store.slots }])
  over.abort()
  await beating
})

test('H11: a wall clock that jumps fences no agent', async () => {
  let skewMs = 0
  const jumping: Clock = {
    now: () => clock.now() + skewMs,
    monotonic: () => clock.monotonic(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
    soon: (callback) => clock.soon(callback),
  }
  const first = await start()
  const second = await start({ agent: 'another', clock: jumping })
  const over = new AbortController()
  const beating = [first.run(over.signal, deaf), second.run(over.signal, deaf)]
  for (skewMs = 0; skewMs < 20 * fixedLimits.leaseMs; skewMs += fixedLimits.leaseMs) await clock.advance(defaultLimits.heartbeatMs)
  expect([await stateOf(first), await stateOf(second)]).toEqual(['active', 'active'])
  over.abort()
  await Promise.all(beating)
})

test('H11: while the database is away, no agent is fenced, and afterwards every lease has a whole time-out again', async () => {
  const first = await start()
  let away = false
  const sometimes: MetadataStore['members'] = {
    ...store.members,
    beat: async (incarnation, http) => {
      if (away) throw new MetadataError('unavailable', 'away')
      return await store.members.beat(incarnation, http)
    },
  }
  const second = await start({ agent: 'another', members: sometimes })
  const over = new AbortController()
  const beating = second.run(over.signal, deaf)
  await clock.advance(fixedLimits.leaseMs - 2 * defaultLimits.heartbeatMs)
  away = true
  await clock.advance(10 * fixedLimits.leaseMs)
  expect(await stateOfLease('me')).toBe('active')
  away = false
  await clock.advance(fixedLimits.leaseMs)
  expect(await stateOfLease('me')).toBe('active')
  await clock.advance(2 * defaultLimits.heartbeatMs)
  expect(await stateOf(first)).toBe('fenced')
  over.abort()
  await beating
})

test('a lease that beats after the last read is not taken by the running agent either', async () => {
  const first = await start()
  const late: MetadataStore['members'] = {
    ...store.members,
    take: async (input) => {
      await store.members.beat(first.registration.incarnation)
      return await store.members.take(input)
    },
  }
  const second = await start({ agent: 'another', members: late })
  const over = new AbortController()
  const beating = second.run(over.signal, deaf)
  await clock.advance(4 * fixedLimits.leaseMs)
  expect(await stateOfLease('me')).toBe('active')
  over.abort()
  await beating
})

test('an agent that leaves gives its slots to the others evenly, and the last one frees them for the next start', async () => {
  const [first, second, third] = [await start(), await start({ agent: 'b' }), await start({ agent: 'c' })]
  await first.leave()
  const counts = (owners: readonly (number | null)[]): readonly number[] =>
    [second, third].map(({ registration }) => owners.filter((owner) => owner === registration.incarnation.id).length)
  expect(counts((await store.members.slots()).map(({ owner }) => owner))).toEqual([store.slots / 2, store.slots / 2])
  expect(new Set((await store.members.slots()).map(({ epoch }) => epoch))).toEqual(new Set([2]))
  await third.leave()
  expect(counts((await store.members.slots()).map(({ owner }) => owner))).toEqual([store.slots, 0])
  await second.leave()
  expect((await store.members.slots()).every(({ owner }) => owner === null)).toBe(true)
  const next = await start()
  expect(next.registration).toMatchObject({ brokerId: 1 })
  expect(next.owners.ownedSlots().map(({ leader }) => leader)).toEqual(expect.arrayContaining([1]))
})

test('the change of a topic by another agent is noticed with the next heartbeat, and again until it is read', async () => {
  const first = await start()
  const second = await start({ agent: 'another' })
  let calls = 0
  const over = new AbortController()
  const beating = [
    first.run(over.signal, deaf),
    second.run(over.signal, {
      ...deaf,
      onViewChanged: async () => {
        calls += 1
        if (calls === 1) throw new MetadataError('unavailable', 'away')
      },
    }),
  ]
  await clock.advance(2 * defaultLimits.heartbeatMs)
  expect(calls).toBe(0)
  await store.topics.create({ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 't', partitions: 1, configs: {}, dryRun: false })
  await clock.advance(5 * defaultLimits.heartbeatMs)
  expect(calls).toBe(2)
  over.abort()
  await Promise.all(beating)
})
