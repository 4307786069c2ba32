// The expiry of groups: offsets that no member reads, then groups without offsets.
import { encodeSubscription } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { OffsetToCommit } from '../metadata/metadata-store.ts'
import { aTopic } from '../metadata/testing/a-cluster.ts'
import { aCoordinator, aJoin, at, joined, ownsNothing, synced, turn } from './testing/a-coordinator.ts'

test('while a group has members, old offsets of topics that no member reads expire; those of topics that one reads stay at any age', async () => {
  const long = { sessionTimeoutMs: 1e9, rebalanceTimeoutMs: 1e9 }
  const { groups, store, topicId, clock } = await aCoordinator({ settings: { maxSessionTimeoutMs: 1e9 } })
  const unread = await aTopic(store, { name: 'unread', partitions: 4 })
  const ofUnread = (partition: number, offset: number): OffsetToCommit => at(unread.topicId, partition, offset)
  const protocols = [{ name: 'range', metadata: encodeSubscription({ topics: ['topic'], ...ownsNothing }, 1) }]
  const simple = { kind: 'commit', version: 8, transactional: false, memberId: '', groupInstanceId: null, generation: -1 } as const
  await groups.commit('unsettled', simple, [ofUnread(0, 1)])
  await joined(groups, 'unsettled', { protocols, ...long })
  const member = await joined(groups, 'g', { protocols, ...long })
  await synced(groups, 'g', member)
  await groups.commit('g', { ...simple, ...member }, [at(topicId, 0, 1), ofUnread(0, 2), ofUnread(1, 3)])
  const committed = async (groupId: string): Promise<readonly number[]> =>
    (await groups.offsets(groupId)).map(({ offset }) => offset).toSorted((a, b) => a - b)
  const leaving = new AbortController()
  const running = groups.run(leaving.signal)
  await turn()
  for (let checks = 0; checks < 5; checks++) await clock.advance(600_000)
  expect(await committed('g')).toEqual([1, 2, 3])
  await groups.commit('g', { ...simple, ...member }, [ofUnread(1, 4)])
  await clock.advance(600_000)
  expect(await committed('g')).toEqual([1, 4])
  for (let checks = 0; checks < 6; checks++) await clock.advance(600_000)
  expect(await committed('g')).toEqual([1])
  expect(await committed('unsettled')).toEqual([1])
  expect(await groups.ask('g', { kind: 'heartbeat', ...member })).toMatchObject({ error: 'NONE' })
  leaving.abort()
  await running
})

test('C13: the next check removes a group without members and offsets from the lists and from the database', async () => {
  const { groups, store, topicId, clock, restart } = await aCoordinator()
  const simple = { kind: 'commit', version: 8, transactional: false, memberId: '', groupInstanceId: null, generation: -1 } as const
  const other = await aTopic(store, { name: 'other', partitions: 1 })
  // A group that never committed; one with all offsets deleted; one with its topic deleted; and one that keeps an offset.
  const member = await joined(groups, 'never committed')
  await groups.ask('never committed', { kind: 'leave', members: [member] })
  await groups.commit('deleted offsets', simple, [at(topicId, 0, 1)])
  await groups.deleteOffsets('deleted offsets', [{ topic: 'topic', topicId, partition: 0 }])
  await groups.commit('deleted topic', simple, [at(other.topicId, 0, 1)])
  await store.topics.delete(other.topicId)
  await groups.commit('keeps', simple, [at(topicId, 0, 1)])
  expect((await groups.list()).map(({ groupId }) => groupId)).toEqual(['deleted offsets', 'deleted topic', 'keeps', 'never committed'])
  const leaving = new AbortController()
  const running = groups.run(leaving.signal)
  await turn()
  await clock.advance(600_000)
  expect((await groups.list()).map(({ groupId }) => groupId)).toEqual(['keeps'])
  expect(await groups.ask('never committed', { kind: 'describe' })).toMatchObject({ state: 'Dead' })
  leaving.abort()
  await running
  await groups.stop()
  expect((await (await restart()).list()).map(({ groupId }) => groupId)).toEqual(['keeps'])
})

test('C13: a group stays while it has members or pending ids', async () => {
  const { groups, clock } = await aCoordinator()
  const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }
  const member = await joined(groups, 'members', long)
  await synced(groups, 'members', member)
  const { memberId } = await groups.ask('handed out', aJoin(long))
  const leaving = new AbortController()
  const running = groups.run(leaving.signal)
  await turn()
  await clock.advance(600_000)
  expect((await groups.list()).map(({ groupId }) => groupId)).toEqual(['handed out', 'members'])
  expect(await groups.ask('handed out', aJoin({ ...long, memberId }))).toMatchObject({ error: 'NONE', memberId })
  leaving.abort()
  await running
})

test('C13: a group that a request needs while its rows are being removed is opened after that', async () => {
  const gate = Promise.withResolvers<void>()
  const { groups, store, topicId, clock } = await aCoordinator({
    expire: async (expire, input) => {
      await gate.promise
      await expire(input)
    },
  })
  const simple = { kind: 'commit', version: 8, transactional: false, memberId: '', groupInstanceId: null, generation: -1 } as const
  await groups.commit('g', simple, [at(topicId, 0, 1)])
  await groups.deleteOffsets('g', [{ topic: 'topic', topicId, partition: 0 }])
  const leaving = new AbortController()
  const running = groups.run(leaving.signal)
  await turn()
  await clock.advance(600_000)
  const committed = groups.commit('g', simple, [at(topicId, 0, 2)])
  await turn()
  gate.resolve()
  expect(await committed).toBe('NONE')
  expect(await store.groups.offsets({ groupIds: ['g'] })).toMatchObject([{ offset: 2 }])
  leaving.abort()
  await running
})
