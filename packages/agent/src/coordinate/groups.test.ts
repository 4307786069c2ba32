// The groups of an agent over a real Metadata Service in memory: each answer is saved first, a reload restores the saved state, and saves of other coordinators are rejected.
import { expect, test } from 'vitest'
import { AssertionError } from '../core/assert.ts'
import { fixedLimits } from '../limits.ts'
import { MetadataError } from '../metadata/metadata-store.ts'
import { aTopic } from '../metadata/testing/a-cluster.ts'
import { aCoordinator, aJoin, assignment, at, type CoordinatorOptions, joined, synced, turn } from './testing/a-coordinator.ts'

/** The commit of a client that is in no group. */
const simple = { kind: 'commit', version: 8, transactional: false, memberId: '', groupInstanceId: null, generation: -1 } as const

/** Counts the saves, and holds the one with this number until `go`. */
function aHeldSave(number: number): Required<Pick<CoordinatorOptions, 'save'>> & { readonly count: number; readonly go: () => void } {
  const gate = Promise.withResolvers<void>()
  let count = 0
  return {
    get count() {
      return count
    },
    go: gate.resolve,
    async save(save, input) {
      count += 1
      if (count === number) await gate.promise
      return await save(input)
    },
  }
}

test('a member joins, syncs, commits and leaves; each step is in the database before it is answered', async () => {
  const { groups, store, topicId } = await aCoordinator()
  const member = await joined(groups, 'g')
  expect(await store.groups.list()).toMatchObject([{ groupId: 'g', state: 'CompletingRebalance', protocolType: 'consumer' }])
  await synced(groups, 'g', member)
  expect(await store.groups.list()).toMatchObject([{ state: 'Stable' }])
  expect(await groups.commit('g', { kind: 'commit', version: 8, transactional: false, ...member }, [at(topicId, 0, 42)])).toBe('NONE')
  expect(await groups.offsets('g')).toMatchObject([{ partition: 0, offset: 42 }])
  expect((await groups.ask('g', { kind: 'leave', members: [member] })).members).toMatchObject([{ error: 'NONE' }])
  expect(await groups.list()).toEqual([{ groupId: 'g', kind: 'classic', protocolType: 'consumer', state: 'Empty' }])
})

test('H6: of groups with large members one is saved at a time, and a small group does not wait for them', async () => {
  const gate = Promise.withResolvers<void>()
  const saving: string[] = []
  const { groups } = await aCoordinator({
    async save(save, input) {
      saving.push(input.groupId)
      if (input.groupId.startsWith('large')) await gate.promise
      return await save(input)
    },
  })
  const protocols = [{ name: 'range', metadata: new Uint8Array(fixedLimits.largeSaveBytes) }]
  const joins = ['large-1', 'large-2', 'large-3'].map((groupId) => groups.ask(groupId, aJoin({ version: 3, protocols })))
  expect((await groups.ask('small', aJoin({ version: 3 }))).error).toBe('NONE')
  expect(saving.filter((groupId) => groupId.startsWith('large'))).toHaveLength(1)
  gate.resolve()
  expect((await Promise.all(joins)).map(({ error }) => error)).toEqual(['NONE', 'NONE', 'NONE'])
})

test('a group that is dropped while its large save waits for another one is not saved any more', async () => {
  const gate = Promise.withResolvers<void>()
  const saving: string[] = []
  const { groups } = await aCoordinator({
    async save(save, input) {
      saving.push(input.groupId)
      await gate.promise
      return await save(input)
    },
  })
  const protocols = [{ name: 'range', metadata: new Uint8Array(fixedLimits.largeSaveBytes) }]
  const joins = Promise.allSettled(['one', 'two'].map((groupId) => groups.ask(groupId, aJoin({ version: 3, protocols }))))
  while (saving.length === 0) await turn()
  groups.abandon()
  gate.resolve()
  expect((await joins).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  for (let turns = 0; turns < 20; turns += 1) await turn()
  expect(saving).toHaveLength(1)
})

test('after a crash and a restart members continue with heartbeats, without a rebalance, and their offsets are kept', async () => {
  const { groups, store, topicId, restart } = await aCoordinator()
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  await groups.commit('g', { kind: 'commit', version: 8, transactional: false, ...member }, [at(topicId, 1, 7)])
  groups.abandon()
  const successor = await restart()
  expect(await successor.ask('g', { kind: 'heartbeat', ...member })).toEqual({ kind: 'heartbeat', error: 'NONE' })
  const described = await successor.ask('g', { kind: 'describe' })
  expect(described).toMatchObject({
    state: 'Stable',
    generation: member.generation,
    members: [{ memberId: member.memberId, assignment: assignment() }],
  })
  expect(await successor.offsets('g')).toMatchObject([{ partition: 1, offset: 7 }])
  expect((await store.groups.list()).map(({ state }) => state)).toEqual(['Stable'])
})

test('in a copy of a cluster all members, static ones too, have left their groups; offsets stay', async () => {
  const { groups, topicId, restart } = await aCoordinator()
  const member = await joined(groups, 'stable')
  await synced(groups, 'stable', member)
  await groups.commit('stable', { kind: 'commit', version: 8, transactional: false, ...member }, [at(topicId, 1, 7)])
  await groups.ask('static', aJoin({ groupInstanceId: 'one' }))
  groups.abandon()
  const copy = await restart()
  await copy.vacate()
  expect([await copy.list(), await copy.offsets('stable')]).toMatchObject([[{ state: 'Empty' }, { state: 'Empty' }], [{ offset: 7 }]])
})

test('a coordinator that has lost its slot changes nothing and answers NOT_COORDINATOR', async () => {
  const { groups, topicId, restart } = await aCoordinator()
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  const successor = await restart()
  const late = groups.commit('g', { kind: 'commit', version: 8, transactional: false, ...member }, [at(topicId, 0, 1)])
  await expect(late).rejects.toMatchObject({ error: 'NOT_COORDINATOR' })
  expect(await successor.offsets('g')).toEqual([])
})

test('requests that arrive during a save go into the next one, and are answered after it', async () => {
  const fourth = aHeldSave(4)
  const { groups, topicId } = await aCoordinator(fourth)
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  // The group with a pending id, the join phase, the assignment.
  expect(fourth.count).toBe(3)
  const commit = { kind: 'commit', version: 8, transactional: false, ...member } as const
  const first = groups.commit('g', commit, [at(topicId, 0, 1)])
  await turn()
  let answered = 0
  const behind = Array.from({ length: 20 }, (_, index) => groups.commit('g', commit, [at(topicId, 1, index)]).then(() => (answered += 1)))
  const beat = groups.ask('g', { kind: 'heartbeat', ...member }).then(() => (answered += 1))
  await turn()
  expect([fourth.count, answered]).toEqual([4, 0])
  fourth.go()
  await Promise.all([first, beat, ...behind])
  expect(fourth.count).toBe(5)
  expect(await groups.offsets('g')).toMatchObject([
    { partition: 0, offset: 1 },
    { partition: 1, offset: 19 },
  ])
})

test('heartbeats alone save nothing', async () => {
  let saves = 0
  const { groups } = await aCoordinator({
    save: (save, input) => {
      saves += 1
      return save(input)
    },
  })
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  const before = saves
  for (let beat = 0; beat < 50; beat++) expect((await groups.ask('g', { kind: 'heartbeat', ...member })).error).toBe('NONE')
  expect(saves).toBe(before)
})

test('a failed save drops the group with its unsent answers; the next request finds the saved state', async () => {
  let fails = false
  const { groups, topicId, events } = await aCoordinator({
    save: (save, input) => (fails ? Promise.reject(new MetadataError('unavailable', 'the database is away')) : save(input)),
  })
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  fails = true
  const commit = { kind: 'commit', version: 8, transactional: false, ...member } as const
  await expect(groups.commit('g', commit, [at(topicId, 0, 1)])).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  fails = false
  expect(await groups.ask('g', { kind: 'heartbeat', ...member })).toMatchObject({ error: 'NONE' })
  expect(await groups.offsets('g')).toEqual([])
  expect(events.some((event) => event.kind === 'notice')).toBe(true)
})

test('a step that was saved although its answer was lost is not overwritten by its copy, and the group continues', async () => {
  let lost = false
  const { groups, topicId } = await aCoordinator({
    save: async (save, input) => {
      const saved = await save(input)
      if (!lost) return saved
      lost = false
      throw new MetadataError('unavailable', 'the answer was lost')
    },
  })
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  const commit = { kind: 'commit', version: 8, transactional: false, ...member } as const
  lost = true
  await expect(groups.commit('g', commit, [at(topicId, 0, 100)])).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  expect(await groups.commit('g', commit, [at(topicId, 0, 50)])).toBe('NONE')
  expect(await groups.offsets('g')).toMatchObject([{ offset: 50 }])
})

test('a member that is silent for its session is removed, also if it stopped together with the server', async () => {
  const { groups, clock, restart } = await aCoordinator()
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  groups.abandon()
  const successor = await restart()
  const stop = new AbortController()
  const running = successor.run(stop.signal)
  await turn()
  await clock.advance(9_000)
  expect((await successor.ask('g', { kind: 'describe' })).members).toHaveLength(1)
  await clock.advance(1_001)
  expect(await successor.ask('g', { kind: 'describe' })).toMatchObject({ state: 'Empty', members: [] })
  stop.abort()
  await running
})

test('a defect on a wake-up is reported and drops the group; the next request reloads it', async () => {
  const { groups, clock, events } = await aCoordinator()
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  const error = new AssertionError('It must hold that time is known.')
  const monotonic = clock.monotonic.bind(clock)
  clock.monotonic = () => {
    throw error
  }
  await clock.advance(10_001)
  clock.monotonic = monotonic
  expect(events).toContainEqual({ kind: 'defect', where: "group 'g'", error })
  expect((await groups.ask('g', { kind: 'describe' })).members).toHaveLength(1)
})

test('with leaveOnDisconnect a member whose connection ends leaves 2 s later; when the agent ends, no member leaves', async () => {
  const { groups, store, clock } = await aCoordinator({ settings: { leaveOnDisconnect: true } })
  const [one, other] = [new AbortController(), new AbortController()]
  const first = await joined(groups, 'one', { connection: 1 }, one.signal)
  await synced(groups, 'one', first, 1, one.signal)
  const second = await joined(groups, 'other', { connection: 2 }, other.signal)
  await synced(groups, 'other', second, 2, other.signal)
  one.abort()
  await turn()
  await clock.advance(1_999)
  expect(await groups.ask('one', { kind: 'describe' })).toMatchObject({ state: 'Stable' })
  await clock.advance(1)
  expect(await groups.ask('one', { kind: 'describe' })).toMatchObject({ state: 'Empty' })
  await groups.stop()
  other.abort()
  await turn()
  expect(await store.groups.list()).toMatchObject([
    { groupId: 'one', state: 'Empty' },
    { groupId: 'other', state: 'Stable' },
  ])
})

test('a request that waits when the agent stops is rejected with a retriable error', async () => {
  const { groups } = await aCoordinator()
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  // A second member's join waits for the first one to join again.
  const id = (await groups.ask('g', aJoin({}))).memberId
  const parked = groups.ask('g', aJoin({ memberId: id }))
  await turn()
  await groups.stop()
  await expect(parked).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  await expect(groups.ask('g', { kind: 'describe' })).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
})

test('offsets of topics that members read are not deleted; a deleted group loses all of its offsets', async () => {
  const { groups, store, topicId } = await aCoordinator()
  expect(await groups.commit('g', simple, [at(topicId, 0, 1), at(topicId, 1, 2)])).toBe('NONE')
  expect(await groups.deleteOffsets('g', [{ topic: 'topic', topicId, partition: 0 }])).toMatchObject({ error: 'NONE' })
  expect(await groups.offsets('g')).toMatchObject([{ partition: 1 }])
  expect(await groups.delete('absent')).toBe('GROUP_ID_NOT_FOUND')
  expect(await groups.delete('g')).toBe('NONE')
  expect(await groups.offsets('g')).toEqual([])
  expect(await store.groups.list()).toEqual([])
  expect(await groups.commit('g', simple, [at(topicId, 0, 3)])).toBe('NONE')
  expect(await groups.offsets('g')).toMatchObject([{ partition: 0, offset: 3 }])
})

test('a group that is deleted and created again during one save has none of its old offsets', async () => {
  const second = aHeldSave(2)
  const { groups, topicId } = await aCoordinator(second)
  await groups.commit('g', simple, [at(topicId, 0, 1)])
  const held = groups.commit('g', simple, [at(topicId, 2, 1)])
  await turn()
  const deleted = groups.delete('g')
  const again = groups.commit('g', simple, [at(topicId, 1, 2)])
  await turn()
  second.go()
  expect(await Promise.all([held, deleted, again])).toEqual(['NONE', 'NONE', 'NONE'])
  expect(await groups.offsets('g')).toMatchObject([{ partition: 1, offset: 2 }])
})

test('an offset that is committed and then deleted during one save is removed, and one deleted and then committed is kept', async () => {
  const second = aHeldSave(2)
  const { groups, topicId } = await aCoordinator(second)
  await groups.commit('g', simple, [at(topicId, 0, 1), at(topicId, 1, 1)])
  const held = groups.commit('g', simple, [at(topicId, 2, 1)])
  await turn()
  const remove = (partition: number): Promise<unknown> => groups.deleteOffsets('g', [{ topic: 'topic', topicId, partition }])
  const behind = [groups.commit('g', simple, [at(topicId, 0, 2)]), remove(0), remove(1), groups.commit('g', simple, [at(topicId, 1, 2)])]
  await turn()
  second.go()
  await Promise.all([held, ...behind])
  expect(second.count).toBe(3)
  expect((await groups.offsets('g')).map(({ partition, offset }) => [partition, offset])).toEqual([
    [1, 2],
    [2, 1],
  ])
})

test('groups of other coordinators are rejected, and so are invalid group ids', async () => {
  const { groups, owners } = await aCoordinator()
  await expect(groups.ask('a\0b', { kind: 'describe' })).rejects.toMatchObject({ error: 'INVALID_GROUP_ID' })
  await expect(groups.ask('', { kind: 'describe' })).rejects.toMatchObject({ error: 'INVALID_GROUP_ID' })
  owners.fence()
  await expect(groups.ask('g', { kind: 'describe' })).rejects.toMatchObject({ error: 'NOT_COORDINATOR' })
})

test('members hold a part of the memory for groups: above it a join may be sent again, with one line in the log, and other groups go on', async () => {
  const { groups, events, memberMemory } = await aCoordinator({ groupBytes: 100_000 })
  const notices = () => events.filter(({ kind }) => kind === 'notice').length
  const large = { protocols: [{ name: 'range', metadata: new Uint8Array(20_000) }] }
  const member = await joined(groups, 'g', large)
  const heldBytes = memberMemory.gauge.usedBytes
  expect(heldBytes).toBeGreaterThan(20_000)
  for (let tries = 0; tries < 3; tries++)
    await expect(groups.ask('g', aJoin(large))).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  const assignments = [{ memberId: member.memberId, assignment: new Uint8Array(30_000) }]
  const sync = { kind: 'sync', protocolType: 'consumer', protocolName: 'range', ...member, assignments } as const
  await expect(groups.ask('g', sync)).rejects.toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  expect([notices(), memberMemory.gauge.usedBytes]).toEqual([1, heldBytes])
  // The member may join again as it is, and others may join other groups.
  await synced(groups, 'g', member)
  await joined(groups, 'other')
  await groups.ask('g', { kind: 'leave', members: [member] })
  await joined(groups, 'g', large)
  expect(memberMemory.gauge.usedBytes).toBeLessThan(2 * heldBytes)
  await groups.stop()
  expect([notices(), memberMemory.gauge]).toEqual([1, { usedBytes: 0, limitBytes: 100_000 }])
})

test('H6: when a member leaves during a commit of very many offsets, the answer has the number of saved offsets', async () => {
  let saves = 0
  let leaving: Promise<unknown> = Promise.resolve()
  const { groups, store } = await aCoordinator({
    save: (save, input) => {
      if (input.offsets.length > 0 && (saves += 1) === 2) leaving = groups.ask('g', { kind: 'leave', members: [member] })
      return save(input)
    },
  })
  const { topicId } = await aTopic(store, { name: 'wide', partitions: 5 * fixedLimits.offsetsPerSave })
  const member = await joined(groups, 'g')
  await synced(groups, 'g', member)
  const offsets = Array.from({ length: 5 * fixedLimits.offsetsPerSave }, (_, partition) => at(topicId, partition, partition))
  const committed = await groups.commitInSteps('g', { kind: 'commit', version: 8, transactional: false, ...member }, offsets)
  await leaving
  expect(committed).toEqual({ error: 'UNKNOWN_MEMBER_ID', saved: 2 * fixedLimits.offsetsPerSave })
  expect((await groups.offsets('g')).length).toBe(2 * fixedLimits.offsetsPerSave)
})

test('H10: a few reads find which of many groups do not exist, and none of them is opened', async () => {
  const { groups, store, reads } = await aCoordinator()
  await groups.commit('kept', { ...noMember, kind: 'commit', version: 8, transactional: false }, [])
  const member = await joined(groups, 'members')
  await synced(groups, 'members', member)
  const names = Array.from({ length: 2 * fixedLimits.namesPerRead }, (_, index) => `absent${index}`)
  reads.length = 0
  const unloaded = await groups.unloaded([...names, 'kept', 'members'])
  expect(await groups.describe('absent7', unloaded)).toMatchObject({ state: 'Dead', members: [] })
  expect(await groups.describe('members', unloaded)).toMatchObject({ state: 'Stable', members: [{ memberId: member.memberId }] })
  expect(await groups.delete('absent7', unloaded)).toBe('GROUP_ID_NOT_FOUND')
  await expect(groups.describe('', unloaded)).rejects.toMatchObject({ error: 'INVALID_GROUP_ID' })
  expect(reads).toEqual(['find', 'find'])
  expect((await store.groups.list()).map(({ groupId }) => groupId)).toEqual(['kept', 'members'])
})

test('H10: a group without members is described from its head row, and loaded only to be deleted', async () => {
  const { groups, reads, restart } = await aCoordinator()
  await groups.commit('kept', { ...noMember, kind: 'commit', version: 8, transactional: false }, [])
  const successor = await restart()
  reads.length = 0
  const unloaded = await successor.unloaded(['kept'])
  expect(await successor.describe('kept', unloaded)).toEqual({ state: 'Empty', protocolType: '', protocolName: '', members: [] })
  expect(reads).toEqual(['find'])
  expect(await successor.delete('kept', unloaded)).toBe('NONE')
  expect(reads).toEqual(['find', 'open'])
})

const noMember = { memberId: '', groupInstanceId: null, generation: -1 }
