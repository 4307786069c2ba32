// The contract of every Metadata Service for groups: one coordinator at a time, saves all or nothing, durable offsets.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { slotOfName } from '../core/slots.ts'
import { fixedLimits } from '../limits.ts'
import type { GroupOffset, GroupOwner, GroupStore, OffsetToCommit, Registration, SaveGroup, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import { aTopic, type ContractDatabase, inNewClusters, openCluster, registered } from './testing/a-cluster.ts'

/** Expires the same groups as a coordinator of all groups, page by page; returns the ids of the groups that it looked at. */
export async function expireOffsets(groups: Pick<GroupStore, 'expirable' | 'expire'>, retentionMs: number): Promise<readonly string[]> {
  const expired: string[] = []
  for (let after: string | undefined; ; ) {
    const groupIds = await groups.expirable({ retentionMs, after })
    after = groupIds.at(-1)
    if (after === undefined) return expired
    expired.push(...groupIds)
    await groups.expire({ retentionMs, groupIds })
  }
}

export function groupStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for groups: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))

    const owner = (groupId: string, registration = me): GroupOwner => ({
      incarnation: registration.incarnation,
      slot: slotOfName(groupId, store.slots),
    })
    const openGroup = async (
      groupId: string,
      registration = me,
    ): Promise<{ epoch: string; version: number; entries: readonly unknown[]; exists: boolean }> => {
      const epoch = randomUUID()
      const opened = await store.groups.open({ groupId, epoch, owner: owner(groupId, registration) })
      if (opened.kind !== 'opened') throw new Error(opened.kind)
      return { epoch, ...opened }
    }
    const aSave = (groupId: string, epoch: string, version: number, more: Partial<SaveGroup> = {}): SaveGroup => ({
      groupId,
      epoch,
      version,
      owner: owner(groupId),
      head: { kind: 'classic', protocolType: 'consumer', state: 'Stable' },
      entries: [],
      offsets: [],
      removedOffsets: [],
      expiredOffsets: [],
      pendingOffsets: [],
      ...more,
    })
    const at = (partition: number, offset: number, more: Partial<OffsetToCommit> = {}): OffsetToCommit => ({
      topicId: topic.topicId,
      partition,
      offset,
      leaderEpoch: -1,
      metadata: '',
      ...more,
    })
    const expire = (retentionMs: number): Promise<readonly string[]> => expireOffsets(store.groups, retentionMs)
    const offsetsOf = async (groupId: string): Promise<readonly (readonly [number, number])[]> =>
      (await store.groups.offsets({ groupIds: [groupId] })).map(({ partition, offset }) => [partition, offset])

    test('a group without a save is new; the next opening returns the last saved value of each key', async () => {
      const first = await openGroup('g')
      expect(first).toMatchObject({ version: 0, exists: false, entries: [] })
      expect(await store.groups.list()).toEqual([])
      const entries = [
        { key: 'group', value: '1' },
        { key: 'member/a', value: 'a' },
        { key: 'member/b', value: 'b' },
      ]
      expect(await store.groups.save(aSave('g', first.epoch, 0, { entries }))).toEqual({ kind: 'saved' })
      const changed = [
        { key: 'group', value: '2' },
        { key: 'member/a', value: null },
      ]
      expect(await store.groups.save(aSave('g', first.epoch, 1, { entries: changed }))).toEqual({ kind: 'saved' })
      expect(await openGroup('g')).toMatchObject({
        version: 2,
        exists: true,
        entries: [
          { key: 'group', value: '2' },
          { key: 'member/b', value: 'b' },
        ],
      })
      expect(await store.groups.list()).toEqual([{ groupId: 'g', kind: 'classic', protocolType: 'consumer', state: 'Stable' }])
    })

    test('a save under an old epoch or an old version changes nothing', async () => {
      const old = await openGroup('g')
      await store.groups.save(aSave('g', old.epoch, 0))
      const current = await openGroup('g')
      expect(await store.groups.save(aSave('g', old.epoch, 1, { offsets: [at(0, 9)] }))).toEqual({ kind: 'stale' })
      expect(await store.groups.save(aSave('g', current.epoch, 0, { offsets: [at(0, 9)] }))).toEqual({ kind: 'stale' })
      expect(await store.groups.save(aSave('g', current.epoch, 2, { offsets: [at(0, 9)] }))).toEqual({ kind: 'stale' })
      expect(await offsetsOf('g')).toEqual([])
      expect(await store.groups.save(aSave('g', current.epoch, 1, { offsets: [at(0, 5)] }))).toEqual({ kind: 'saved' })
      expect(await offsetsOf('g')).toEqual([[0, 5]])
    })

    test('when two coordinators create the same new group, one save is stale', async () => {
      const [one, other] = [await openGroup('g'), await openGroup('g')]
      const saves = await Promise.all([
        store.groups.save(aSave('g', one.epoch, 0, { offsets: [at(0, 1)] })),
        store.groups.save(aSave('g', other.epoch, 0, { offsets: [at(0, 2)] })),
      ])
      expect(saves.map(({ kind }) => kind).toSorted()).toEqual(['saved', 'stale'])
      expect(await offsetsOf('g')).toEqual([[0, saves[0]?.kind === 'saved' ? 1 : 2]])
    })

    test('an incarnation that does not own the slot can neither open nor save a group', async () => {
      const mine = await openGroup('g')
      await store.groups.save(aSave('g', mine.epoch, 0, { offsets: [at(0, 1)] }))
      const successor = await registered(store, 'me', 'all')
      expect(await store.groups.save(aSave('g', mine.epoch, 1, { offsets: [at(0, 2)] }))).toEqual({ kind: 'not owner' })
      expect(await store.groups.open({ groupId: 'g', epoch: 'late', owner: owner('g') })).toEqual({ kind: 'not owner' })
      const taken = await openGroup('g', successor)
      expect(taken).toMatchObject({ version: 1, exists: true })
      expect(await offsetsOf('g')).toEqual([[0, 1]])
    })

    test('repeating an opening gives the same answer', async () => {
      const mine = await openGroup('g')
      await store.groups.save(aSave('g', mine.epoch, 0))
      const open = { groupId: 'g', epoch: 'again', owner: owner('g') }
      expect(await store.groups.open(open)).toEqual(await store.groups.open(open))
      expect(await store.groups.save(aSave('g', 'again', 1))).toEqual({ kind: 'saved' })
    })

    test('offsets: the last one of each partition, read for some or for all, with its metadata and epoch', async () => {
      const { epoch } = await openGroup('g')
      const offsets = [at(2, 7, { metadata: 'words', leaderEpoch: 3 }), at(1, 5), at(1, 6)]
      await store.groups.save(aSave('g', epoch, 0, { offsets }))
      const both = [
        { groupId: 'g', topic: topic.name, topicId: topic.topicId, partition: 1, offset: 6, leaderEpoch: -1, metadata: '' },
        { groupId: 'g', topic: topic.name, topicId: topic.topicId, partition: 2, offset: 7, leaderEpoch: 3, metadata: 'words' },
      ]
      expect(await store.groups.offsets({ groupIds: ['g'] })).toEqual(both)
      expect(
        await store.groups.offsetsAt([
          { groupId: 'g', topicId: topic.topicId, partition: 2 },
          { groupId: 'g', topicId: topic.topicId, partition: 3 },
          { groupId: 'other', topicId: topic.topicId, partition: 1 },
        ]),
      ).toEqual(both.slice(1))
      expect(await store.groups.offsets({ groupIds: ['other'] })).toEqual([])
      await store.groups.save(aSave('g', epoch, 1, { removedOffsets: [{ topicId: topic.topicId, partition: 1 }], offsets: [at(2, 8)] }))
      expect(await offsetsOf('g')).toEqual([[2, 8]])
    })

    test('H6: offsets of many groups come page by page, in order, each once, without those of other groups', async () => {
      const many = await aTopic(store, { name: 'many', partitions: 700 })
      const groupIds = ['a', 'b', 'c', 'd']
      for (const groupId of groupIds) {
        const { epoch } = await openGroup(groupId)
        const offsets = Array.from({ length: 700 }, (_, partition) => at(partition, partition, { topicId: many.topicId }))
        await store.groups.save(aSave(groupId, epoch, 0, { offsets }))
      }
      const rows: GroupOffset[] = []
      for (let after: GroupOffset | undefined; ; ) {
        const page = await store.groups.offsets({ groupIds: ['a', 'c', 'd', 'nobody'], after })
        expect(page.length).toBeLessThanOrEqual(fixedLimits.offsetsPerRead)
        after = page.at(-1)
        if (after === undefined) break
        rows.push(...page)
      }
      expect(rows.map(({ groupId, partition }) => `${groupId} ${partition}`)).toEqual(
        ['a', 'c', 'd'].flatMap((groupId) => Array.from({ length: 700 }, (_, partition) => `${groupId} ${partition}`)),
      )
    })

    test('H10: the heads of many groups come in one read; an unknown group is missing from it', async () => {
      for (const groupId of ['a', 'b', 'c']) await store.groups.save(aSave(groupId, (await openGroup(groupId)).epoch, 0))
      const names = Array.from({ length: fixedLimits.namesPerRead - 2 }, (_, index) => `absent${index}`)
      const found = await store.groups.find(['c', ...names, 'a'])
      expect(found.toSorted((x, y) => (x.groupId < y.groupId ? -1 : 1))).toEqual([
        { groupId: 'a', kind: 'classic', protocolType: 'consumer', state: 'Stable' },
        { groupId: 'c', kind: 'classic', protocolType: 'consumer', state: 'Stable' },
      ])
    })

    test('any characters that a client puts into ids, types and metadata come back unchanged', async () => {
      const strange = 'a\0b%00%25%c\u{1F600}'
      const { epoch } = await openGroup('g')
      const head = { kind: 'classic', protocolType: strange, state: 'Stable' }
      await store.groups.save(
        aSave('g', epoch, 0, { head, entries: [{ key: strange, value: 'v' }], offsets: [at(0, 1, { metadata: strange })] }),
      )
      expect(await store.groups.list()).toMatchObject([{ protocolType: strange }])
      expect(await store.groups.offsets({ groupIds: ['g'] })).toMatchObject([{ metadata: strange }])
      expect(await openGroup('g')).toMatchObject({ entries: [{ key: strange, value: 'v' }] })
      expect(await store.groups.save(aSave('g', (await openGroup('g')).epoch, 1, { entries: [{ key: strange, value: null }] }))).toEqual({
        kind: 'saved',
      })
      expect(await openGroup('g')).toMatchObject({ entries: [] })
    })

    test('offsets are removed with their topic, and a later topic of the same name does not get them', async () => {
      const { epoch } = await openGroup('g')
      await store.groups.save(aSave('g', epoch, 0, { offsets: [at(0, 1)] }))
      await store.topics.delete(topic.topicId)
      expect(await offsetsOf('g')).toEqual([])
      await aTopic(store, { name: topic.name, partitions: 4 })
      expect(await offsetsOf('g')).toEqual([])
    })

    test('a deleted group leaves nothing behind, and an old save does not bring it back', async () => {
      const { epoch } = await openGroup('g')
      const entries = [{ key: 'group', value: '1' }]
      await store.groups.save(aSave('g', epoch, 0, { entries, offsets: [at(0, 1)] }))
      expect(await store.groups.save(aSave('g', epoch, 1, { head: null }))).toEqual({ kind: 'saved' })
      expect(await store.groups.list()).toEqual([])
      expect(await offsetsOf('g')).toEqual([])
      expect(await store.groups.save(aSave('g', epoch, 1, { entries }))).toEqual({ kind: 'stale' })
      expect(await openGroup('g')).toMatchObject({ exists: false, version: 0, entries: [] })
    })

    test('two clusters do not see each other’s groups', async () => {
      const { epoch } = await openGroup('g')
      await store.groups.save(aSave('g', epoch, 0, { offsets: [at(0, 1)] }))
      const other = await openCluster(database.sql)
      expect(await other.groups.list()).toEqual([])
      expect(await other.groups.offsets({ groupIds: ['g'] })).toEqual([])
    })

    test('offsets of groups without members expire, then the groups; nothing else expires', async () => {
      const states = {
        empty: ['consumer', 'Empty'],
        simple: [null, 'Empty'],
        active: ['consumer', 'Stable'],
        bare: ['consumer', 'Empty'],
      } as const
      for (const [groupId, [protocolType, state]] of Object.entries(states)) {
        const { epoch } = await openGroup(groupId)
        const head = { kind: 'classic', protocolType, state }
        const offsets = groupId === 'bare' ? [] : [at(0, 1)]
        await store.groups.save(aSave(groupId, epoch, 0, { head, offsets, entries: [{ key: 'group', value: '1' }] }))
      }
      // A group without offsets expires at any age.
      expect(await expire(3_600_000)).toEqual(['bare'])
      expect((await store.groups.list()).map(({ groupId }) => groupId)).toEqual(['active', 'empty', 'simple'])
      expect(await expire(0)).toEqual(['empty', 'simple'])
      expect((await store.groups.list()).map(({ groupId }) => groupId)).toEqual(['active'])
      expect(await offsetsOf('active')).toEqual([[0, 1]])
      expect(await offsetsOf('empty')).toEqual([])
      expect(await openGroup('simple')).toMatchObject({ exists: false, entries: [] })
    })

    test('C6: an offset with a retention of its own expires by that retention, whatever the server keeps other offsets for', async () => {
      const head = { kind: 'classic', protocolType: 'consumer', state: 'Empty' }
      const { epoch } = await openGroup('g')
      const forever = Number.MAX_SAFE_INTEGER
      const offsets = [at(0, 10, { retentionMs: 0 }), at(1, 11, { retentionMs: forever }), at(2, 12), at(3, 13, { retentionMs: 3_600_000 })]
      await store.groups.save(aSave('g', epoch, 0, { head, offsets }))
      await expire(3_600_000)
      expect(await offsetsOf('g')).toEqual([
        [1, 11],
        [2, 12],
        [3, 13],
      ])
      await expire(0)
      expect(await offsetsOf('g')).toEqual([
        [1, 11],
        [3, 13],
      ])
      // A later commit without a retention goes back to the server's.
      await store.groups.save(aSave('g', epoch, 1, { head, offsets: [at(1, 21)] }))
      await expire(0)
      expect(await offsetsOf('g')).toEqual([[3, 13]])
    })

    test("C6: in a stable group, too, an offset's own retention counts for a topic without consumers", async () => {
      const head = { kind: 'classic', protocolType: 'consumer', state: 'Stable' }
      const { epoch } = await openGroup('g')
      const offsets = [at(0, 10, { retentionMs: 0 }), at(1, 11, { retentionMs: Number.MAX_SAFE_INTEGER }), at(2, 12)]
      await store.groups.save(aSave('g', epoch, 0, { head, offsets }))
      expect(await store.groups.aged({ retentionMs: 3_600_000 })).toEqual([{ groupId: 'g', topicId: topic.topicId, topic: topic.name }])
      const expire = (retentionMs: number) => ({ head, expiredOffsets: [{ topicId: topic.topicId, retentionMs }] })
      await store.groups.save(aSave('g', epoch, 1, expire(3_600_000)))
      expect(await offsetsOf('g')).toEqual([
        [1, 11],
        [2, 12],
      ])
      await store.groups.save(aSave('g', epoch, 2, expire(0)))
      expect(await offsetsOf('g')).toEqual([[1, 11]])
      expect(await store.groups.aged({ retentionMs: 0 })).toEqual([])
    })

    test('aged lists topics with old offsets of stable consumer groups only, by group and topic, in steps', async () => {
      const second = await aTopic(store, { name: 'second', partitions: 4 })
      const both = [topic, second]
        .map(({ topicId, name }) => ({ topicId, topic: name }))
        .toSorted((a, b) => (a.topicId < b.topicId ? -1 : 1))
      const states = { a: 'Stable', b: 'Stable', c: 'PreparingRebalance', d: 'CompletingRebalance', e: 'Empty' } as const
      for (const [groupId, state] of [...Object.entries(states), ['f', 'Stable'] as const]) {
        const { epoch } = await openGroup(groupId)
        const head = { kind: 'classic', protocolType: groupId === 'f' ? 'connect' : 'consumer', state }
        await store.groups.save(aSave(groupId, epoch, 0, { head, offsets: [at(0, 1), at(1, 1), at(2, 1, { topicId: second.topicId })] }))
      }
      const all = ['a', 'b'].flatMap((groupId) => both.map((one) => ({ groupId, ...one })))
      expect(await store.groups.aged({ retentionMs: 0 })).toEqual(all)
      for (const [index, after] of all.entries()) expect(await store.groups.aged({ retentionMs: 0, after })).toEqual(all.slice(index + 1))
      expect(await store.groups.aged({ retentionMs: 3_600_000 })).toEqual([])
      await store.topics.delete(second.topicId)
      expect((await store.groups.aged({ retentionMs: 0 })).map(({ groupId, topicId }) => [groupId, topicId])).toEqual([
        ['a', topic.topicId],
        ['b', topic.topicId],
      ])
      expect(await (await openCluster(database.sql)).groups.aged({ retentionMs: 0 })).toEqual([])
    })

    test('a save removes old offsets of the named topics; it keeps young ones, other topics and the offsets that it commits', async () => {
      const unread = await aTopic(store, { name: 'unread', partitions: 4 })
      const other = await aTopic(store, { name: 'other', partitions: 4 })
      const { epoch } = await openGroup('g')
      const of = ({ topicId }: Topic, partition: number, offset: number): OffsetToCommit => at(partition, offset, { topicId })
      await store.groups.save(aSave('g', epoch, 0, { offsets: [at(0, 1), of(unread, 0, 2), of(unread, 1, 3), of(other, 0, 4)] }))
      const left = async (): Promise<readonly number[]> =>
        (await store.groups.offsets({ groupIds: ['g'] })).map(({ offset }) => offset).toSorted((a, b) => a - b)
      const expire = (retentionMs: number): SaveGroup['expiredOffsets'] => [
        { topicId: unread.topicId, retentionMs },
        { topicId: topic.topicId, retentionMs: 3_600_000 },
      ]
      expect(await store.groups.save(aSave('g', 'foreign', 1, { expiredOffsets: expire(0) }))).toEqual({ kind: 'stale' })
      expect(await store.groups.save(aSave('g', epoch, 1, { expiredOffsets: expire(3_600_000) }))).toEqual({ kind: 'saved' })
      expect(await left()).toEqual([1, 2, 3, 4])
      const offsets = [of(unread, 1, 5)]
      expect(await store.groups.save(aSave('g', epoch, 2, { expiredOffsets: expire(0), offsets }))).toEqual({ kind: 'saved' })
      expect(await left()).toEqual([1, 4, 5])
    })

    test('many groups expire in steps', async () => {
      for (let index = 0; index < 250; index++) {
        const groupId = `g${index}`
        const { epoch } = await openGroup(groupId)
        await store.groups.save(
          aSave(groupId, epoch, 0, { head: { kind: 'classic', protocolType: null, state: 'Empty' }, offsets: [at(0, 1)] }),
        )
      }
      expect((await expire(0)).length).toBe(250)
      expect(await store.groups.list()).toEqual([])
    })

    test('C13: a group without members is expirable as soon as its last offset or the topic of that offset is deleted', async () => {
      const other = await aTopic(store, { name: 'other', partitions: 1 })
      const head = { kind: 'classic', protocolType: 'consumer', state: 'Empty' }
      const { epoch } = await openGroup('g')
      await store.groups.save(aSave('g', epoch, 0, { head, offsets: [at(0, 1), at(0, 1, { topicId: other.topicId })] }))
      await store.groups.save(aSave('g', epoch, 1, { head, removedOffsets: [{ topicId: topic.topicId, partition: 0 }] }))
      expect(await expire(3_600_000)).toEqual([])
      await store.topics.delete(other.topicId)
      expect(await expire(3_600_000)).toEqual(['g'])
      expect(await openGroup('g')).toMatchObject({ exists: false, version: 0, entries: [] })
    })

    test('C13: expire keeps a named group that has gained a member meanwhile', async () => {
      const { epoch } = await openGroup('g')
      await store.groups.save(aSave('g', epoch, 0, { head: { kind: 'classic', protocolType: 'consumer', state: 'Stable' } }))
      await store.groups.expire({ retentionMs: 0, groupIds: ['g', 'nobody'] })
      expect((await store.groups.list()).map(({ groupId }) => groupId)).toEqual(['g'])
    })
  })
}
