// Slots change hands between two agents that live, in manual time, on a database in memory.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits, fixedLimits } from './limits.ts'
import { Membership, type MembershipListener } from './membership.ts'
import { MetadataError, type MetadataStore } from './metadata/metadata-store.ts'
import { openMetadata } from './metadata/open.ts'
import { openSqlite } from './metadata/sqlite.ts'
import type { AgentEvent } from './observe/events.ts'
import { SlotMoves, type SlotMovesParts } from './slot-moves.ts'
import { systemRandom } from './time/system-clock.ts'
import { ManualClock } from './time/testing/manual-clock.ts'

let clock: ManualClock
let store: MetadataStore
let over: AbortController
let running: Promise<unknown>[]

beforeEach(async () => {
  clock = new ManualClock()
  over = new AbortController()
  running = []
  store = await openMetadata(openSqlite({ path: ':memory:', durability: 'memory', now: () => 1_700_000_000_000 }), {
    newClusterId: randomUUID(),
    clock,
    random: systemRandom,
  })
})
afterEach(async () => {
  over.abort()
  await clock.advance(2_000)
  await Promise.all(running)
  await store.close()
})

const deaf: MembershipListener = { onSlotsMoved: () => {}, onViewChanged: async () => {} }
/** All agents list an agent to their clients by then, or are fenced. */
const knownMs = fixedLimits.leaseMs + 2 * defaultLimits.heartbeatMs

async function started(agent: string, members: MetadataStore['members'] = store.members): Promise<Membership> {
  const membership = await Membership.join(
    { members, slots: store.slots, clock, random: systemRandom, emit: () => {}, limits: defaultLimits },
    { agent, advertised: { host: agent, port: 9092 }, machine: null, rack: null },
    'once silent',
  )
  running.push(membership.run(over.signal, deaf))
  return membership
}

interface Moving {
  readonly done: readonly string[]
  readonly events: readonly AgentEvent[]
}

function moving(membership: Membership, parts: Partial<Pick<SlotMovesParts, 'groups' | 'writer'>> = {}): Moving {
  const done: string[] = []
  const events: AgentEvent[] = []
  const held = (): number => Array.from({ length: store.slots }, (_, slot) => slot).filter((slot) => isHeld(membership, slot)).length
  const moves = new SlotMoves({
    membership,
    groups: { release: async (slots) => void done.push(`release ${slots.size}, ${held()} are held`) },
    writer: { settled: async () => void done.push('settled') },
    clock,
    emit: (event) => void events.push(event),
    limits: defaultLimits,
    ...parts,
  })
  running.push(moves.run(over.signal))
  return { done, events }
}

/** Whether the agent owns the slot, but serves it no more. */
function isHeld({ owners }: Membership, slot: number): boolean {
  const range = owners.ownedSlots().find(({ first, last }) => first <= slot && slot <= last)
  return range?.leader === owners.brokerId && !owners.isMine(slot)
}

const countOf = ({ owners }: Membership): number => owners.ownerOfEach.filter((owner) => owner === owners.incarnation.id).length

test('an agent that joins gets its half, a few slots at a time, as soon as every agent knows it', async () => {
  const first = await started('first')
  const second = await started('second')
  const { done, events } = moving(first)
  await clock.advance(knownMs - 1_000)
  expect([countOf(first), done]).toEqual([256, []])
  await clock.advance(1_000 + 20 * defaultLimits.slotMoveMs)
  expect([countOf(first), countOf(second)]).toEqual([128, 128])
  expect(done.slice(0, 2)).toEqual(['release 16, 16 are held', 'settled'])
  expect(done).toHaveLength(16)
  expect(events[0]).toEqual({ kind: 'notice', message: 'gave 16 slots to other agents, which have fewer' })
  // Nothing is given to and fro.
  moving(second)
  await clock.advance(20_000)
  expect([countOf(first), countOf(second), done.length]).toEqual([128, 128, 16])
})

test('while the store is slow, nothing is given, and the slots are served again', async () => {
  const first = await started('first')
  await started('second')
  moving(first, { writer: { settled: () => new Promise(() => {}) } })
  let heldMs = 0
  for (let ms = 0; ms < knownMs + 5_000; ms += 50) {
    await clock.advance(50)
    if (isHeld(first, 0)) heldMs += 50
    else {
      expect(heldMs).toBeLessThanOrEqual(fixedLimits.moveSettleMs)
      heldMs = 0
    }
  }
  expect(countOf(first)).toBe(256)
})

test('if the answer of the database is lost, the next heartbeat tells who owns the slots, and each has one owner', async () => {
  let lost = 0
  const losing: MetadataStore['members'] = {
    ...store.members,
    give: async (input) => {
      await store.members.give(input)
      lost += 1
      throw new MetadataError('unavailable', 'the answer was lost')
    },
  }
  const first = await started('first', losing)
  const second = await started('second')
  moving(first)
  await clock.advance(knownMs + 60_000)
  expect(lost).toBeGreaterThan(1)
  expect([countOf(first), countOf(second)]).toEqual([128, 128])
  expect(first.owners.ownerOfEach).toEqual(second.owners.ownerOfEach)
})

test('an agent that leaves gets nothing, and gives nothing but by its leave', async () => {
  const first = await started('first')
  await started('second')
  const { done } = moving(first)
  first.owners.leave()
  await clock.advance(knownMs + 5_000)
  expect([countOf(first), done]).toEqual([256, []])
})
