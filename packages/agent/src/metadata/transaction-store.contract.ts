// The contract of every Metadata Service for transactions: batches, markers, last stable offsets and the rows of transactional ids change together. Longer than others because it is one thing: a contract.
import { describe, expect, test } from 'vitest'
import { slotOfName } from '../core/slots.ts'
import type { ProducerEpoch, TransactionResult } from '../core/transaction/transaction-row.ts'
import type { CommitBatch, CommitResult, Registration, SaveGroup, Topic, Verdict } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import {
  aCommitIn,
  appended,
  type ContractDatabase,
  committed,
  inNewClusters,
  LostReplies,
  outOfOrder,
  registered,
  reopened,
} from './testing/a-cluster.ts'
import type { TransactionalAnswer, TransactionalRequest } from './transaction-store.ts'

/** `incarnation`: by default that of the registered agent. */
type AskedOfStore = Omit<TransactionalRequest, 'transactionalId' | 'incarnation'> & Partial<Pick<TransactionalRequest, 'incarnation'>>

export function transactionStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for transactions: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))

    const place = (partition = 0) => ({ topicId: topic.topicId, partition })
    const decide = (more: AskedOfStore, transactionalId = 'id', on = store) =>
      on.transactions.decide({ transactionalId, incarnation: me.incarnation, ...more })
    /** A producer with a new epoch. */
    const aProducer = async (transactionalId = 'id', timeoutMs = 60_000): Promise<ProducerEpoch> => {
      const request = { kind: 'init', timeoutMs, expected: undefined } as const
      const answer = await decide({ request, newProducerId: await store.log.allocateProducerIds(1) }, transactionalId)
      return producerIn(answer)
    }
    const ended = (producer: ProducerEpoch, outcome: TransactionResult, transactionalId = 'id', transactionVersion: 1 | 2 = 2) =>
      decide({ request: { kind: 'end', producer, outcome, transactionVersion } }, transactionalId)
    const commit = (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<CommitResult> =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    const verdicts = async (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<readonly Verdict[]> =>
      (await commit(sequence, batches)).verdicts
    /** A batch that adds its partition to the transaction. */
    const inTransaction = (producer: ProducerEpoch, baseSequence: number, more: Partial<CommitBatch> = {}, transactionalId = 'id') => ({
      ...producer,
      baseSequence,
      transaction: { transactionalId, transactionNumber: null },
      ...more,
    })
    const watermarks = async (partition = 0) => {
      const [state] = await store.log.partitions([place(partition)])
      return state && [state.lastStableOffset, state.highWatermark]
    }
    const aborted = async (fromOffset: number, untilOffset: number) =>
      (await store.transactions.aborted([{ ...place(), fromOffset, untilOffset }]))[0]?.map(({ producerId, firstOffset }) => {
        return { producerId, firstOffset }
      })
    const rejected = (reason: string) => ({ kind: 'rejected', reason })

    test('a transaction is not stable before its marker, which has the last offset of the log', async () => {
      const producer = await aProducer()
      await commit(1, [{ offsets: 5 }])
      const { grown } = await commit(2, [inTransaction(producer, 0, { offsets: 3 }), { offsets: 2 }])
      expect(grown).toMatchObject([{ highWatermark: 10, lastStableOffset: 5 }])
      expect(await watermarks()).toEqual([5, 10])
      expect(await store.transactions.find('id')).toMatchObject({ row: { state: 'Ongoing', transactionNumber: 1 }, partitions: [place()] })
      const answer = await ended(producer, 'commit')
      const marker = { ...producer, producerEpoch: 1, outcome: 'commit' }
      const segment = { baseOffset: 10, lastOffset: 10, sizeBytes: 0, marker }
      expect(answer).toMatchObject({
        kind: 'decided',
        row: { state: 'CompleteCommit', producerEpoch: 1 },
        grown: [{ ...place(), highWatermark: 11, lastStableOffset: 11, segments: [segment] }],
      })
      expect(await watermarks()).toEqual([11, 11])
      expect(await aborted(0, 11)).toEqual([])
      const [found] = await store.log.find([{ ...place(), offset: 0, maxBytes: 10_000, maxSegments: 10 }])
      expect(found?.kind === 'found' && found.segments.map(({ marker: one }) => one?.outcome)).toEqual([undefined, undefined, 'commit'])
      expect(found?.kind === 'found' && found.segments.at(-1)).toEqual(
        answer.kind === 'decided' && answer.grown !== 'unknown' && answer.grown[0]?.segments[0],
      )
    })

    test('several transactions: the last stable offset is the first offset of the oldest open one', async () => {
      const [a, b] = [await aProducer('a'), await aProducer('b')]
      await commit(1, [inTransaction(a, 0, {}, 'a'), inTransaction(b, 0, {}, 'b'), inTransaction(a, 1, {}, 'a')])
      expect(await watermarks()).toEqual([0, 3])
      expect(await ended(a, 'abort', 'a')).toMatchObject({ grown: [{ lastStableOffset: 1, highWatermark: 4 }] })
      expect(await watermarks()).toEqual([1, 4])
      await commit(2, [{}])
      expect(await watermarks()).toEqual([1, 5])
      expect(await ended(b, 'commit', 'b')).toMatchObject({ grown: [{ lastStableOffset: 6, highWatermark: 6 }] })
    })

    test('aborted transactions are found by exact overlap', async () => {
      const [a, b] = [await aProducer('a'), await aProducer('b')]
      // Offsets: a 0 and 2, b 1, then a's marker 3, 4 without a transaction, b's marker 5, then c 6 with its marker 7.
      await commit(1, [inTransaction(a, 0, {}, 'a'), inTransaction(b, 0, {}, 'b'), inTransaction(a, 1, {}, 'a')])
      await ended(a, 'abort', 'a')
      await commit(2, [{}])
      await ended(b, 'abort', 'b')
      const c = await aProducer('c')
      await commit(3, [inTransaction(c, 0, {}, 'c')])
      await ended(c, 'abort', 'c')
      const [ofA, ofB, ofC] = [
        { producerId: a.producerId, firstOffset: 0 },
        { producerId: b.producerId, firstOffset: 1 },
        { producerId: c.producerId, firstOffset: 6 },
      ]
      expect(await aborted(0, 8)).toEqual([ofA, ofB, ofC])
      expect(await aborted(0, 1)).toEqual([ofA])
      expect(await aborted(0, 2)).toEqual([ofA, ofB])
      expect(await aborted(3, 6)).toEqual([ofA, ofB])
      expect(await aborted(4, 6)).toEqual([ofB])
      expect(await aborted(5, 7)).toEqual([ofB, ofC])
      expect(await aborted(6, 7)).toEqual([ofC])
      expect(await aborted(8, 9)).toEqual([])
    })

    test('a producer begins at sequence 0 in each epoch, and its last epoch is over', async () => {
      const producer = await aProducer()
      expect(await verdicts(1, [inTransaction(producer, 0), inTransaction(producer, 1)])).toEqual([appended(0), appended(1)])
      const next = producerIn(await ended(producer, 'commit'))
      expect(await verdicts(2, [inTransaction(producer, 2), inTransaction(next, 2), inTransaction(next, 0)])).toEqual([
        rejected('INVALID_PRODUCER_EPOCH'),
        outOfOrder,
        appended(3),
      ])
      expect(await verdicts(3, [inTransaction(next, 0), inTransaction(next, 0, { partition: 1 })])).toEqual([
        { kind: 'duplicate', baseOffset: 3, timestamp: 1 },
        appended(0),
      ])
      expect(await ended(next, 'abort')).toMatchObject({
        grown: [
          { partition: 0, highWatermark: 5 },
          { partition: 1, highWatermark: 2 },
        ],
      })
    })

    test('EndTxn before 5 keeps the epoch and the sequences', async () => {
      const producer = await aProducer()
      const added = (baseSequence: number, transactionNumber: number) => ({
        ...inTransaction(producer, baseSequence),
        transaction: { transactionalId: 'id', transactionNumber },
      })
      expect(await verdicts(1, [added(0, 0)])).toEqual([rejected('TRANSACTION_ABORTABLE')])
      await decide({ request: { kind: 'add', producer }, partitions: [place(), place(9)] })
      expect((await store.transactions.find('id'))?.partitions).toEqual([place()])
      expect(await verdicts(2, [added(0, 0), added(0, 1), { ...added(0, 1), partition: 1 }])).toEqual([
        rejected('TRANSACTION_ABORTABLE'),
        appended(0),
        rejected('TRANSACTION_ABORTABLE'),
      ])
      expect(await ended(producer, 'commit', 'id', 1)).toMatchObject({ row: producer, grown: [{ highWatermark: 2, lastStableOffset: 2 }] })
      expect(await ended(producer, 'commit', 'id', 1)).toMatchObject({ kind: 'decided', grown: [] })
      await decide({ request: { kind: 'add', producer }, partitions: [place()] })
      // The first one was delayed over the end of its transaction.
      expect(await verdicts(3, [added(1, 1), added(1, 2)])).toEqual([rejected('TRANSACTION_ABORTABLE'), appended(2)])
    })

    test('batches of other producers, ids and without a transaction are rejected', async () => {
      const producer = await aProducer()
      const other = await aProducer('other')
      expect(
        await verdicts(1, [
          inTransaction(producer, 0),
          { ...producer, baseSequence: 1 },
          inTransaction(other, 0),
          inTransaction(other, 0, {}, '?'),
        ]),
      ).toEqual([
        appended(0),
        rejected('INVALID_TXN_STATE'),
        rejected('INVALID_PRODUCER_ID_MAPPING'),
        rejected('INVALID_PRODUCER_ID_MAPPING'),
      ])
      expect(await store.transactions.find('other')).toMatchObject({ row: { state: 'Empty' }, partitions: [] })
      expect(await verdicts(2, [inTransaction(other, 0, { epoch: 99 }, 'other')])).toEqual([rejected('NOT_LEADER_OR_FOLLOWER')])
      expect(await store.transactions.find('other')).toMatchObject({ row: { state: 'Empty' }, partitions: [] })
    })

    test('a new producer aborts what the last one left open', async () => {
      const first = await aProducer()
      await commit(1, [inTransaction(first, 0), inTransaction(first, 0, { partition: 1 })])
      const second = await aProducer()
      expect(second).toEqual({ ...first, producerEpoch: 1 })
      expect([await watermarks(0), await watermarks(1), await aborted(0, 2)]).toEqual([
        [2, 2],
        [2, 2],
        [{ producerId: first.producerId, firstOffset: 0 }],
      ])
      expect(await ended(first, 'commit')).toEqual({ kind: 'rejected', error: 'PRODUCER_FENCED' })
      expect(await verdicts(2, [inTransaction(first, 1)])).toEqual([rejected('INVALID_PRODUCER_EPOCH')])
    })

    test('an agent that has lost the slot of the id ends nothing and gives no epoch, and its successor does', async () => {
      const producer = await aProducer()
      await commit(1, [inTransaction(producer, 0)])
      const before = me.incarnation
      const next = await registered(store, 'me', 'all')
      const end = { kind: 'end', producer, outcome: 'commit', transactionVersion: 1 } as const
      const init = { kind: 'init', timeoutMs: 1_000, expected: undefined } as const
      for (const request of [end, init]) expect(await decide({ request, incarnation: before })).toEqual({ kind: 'not owner' })
      expect(await watermarks()).toEqual([0, 1])
      expect(await decide({ request: end, incarnation: next.incarnation })).toMatchObject({
        kind: 'decided',
        row: { state: 'CompleteCommit' },
      })
      expect(await watermarks()).toEqual([2, 2])
    })

    test('a marker that was lost in an answer is not written again', async () => {
      const producer = await aProducer()
      await commit(1, [inTransaction(producer, 0)])
      const lossy = new LostReplies(database.sql)
      const other = await reopened(store, lossy)
      lossy.next = 1
      const request = { kind: 'end', producer, outcome: 'commit', transactionVersion: 2 } as const
      expect(await decide({ request }, 'id', other)).toMatchObject({
        kind: 'decided',
        row: { state: 'CompleteCommit' },
        grown: 'unknown',
        committed: 'unknown',
      })
      expect(await watermarks()).toEqual([2, 2])
    })

    test('a producer id is asked for when one is needed', async () => {
      const request = { kind: 'init', timeoutMs: 1, expected: undefined } as const
      expect(await decide({ request })).toEqual({ kind: 'needs producer id' })
      expect(await store.transactions.find('id')).toBeUndefined()
    })

    test('two agents that create one id get different epochs', async () => {
      const both = await Promise.all([aProducer('both'), aProducer('both')])
      expect(both.map(({ producerEpoch }) => producerEpoch).toSorted((a, b) => a - b)).toEqual([0, 1])
      expect(new Set(both.map(({ producerId }) => producerId)).size).toBe(1)
    })

    test('only what has timed out is fenced, and only what is not used is removed', async () => {
      const slow = await aProducer('slow', 0)
      const [fast, idle] = [await aProducer('fast'), await aProducer('idle\0', 0)]
      await commit(1, [inTransaction(slow, 0, {}, 'slow'), inTransaction(fast, 0, {}, 'fast')])
      expect([await store.transactions.timedOut(), await store.transactions.timedOut('slow')]).toEqual([['slow'], []])
      const fence = { request: { kind: 'fence' }, onlyIf: { kind: 'timed out' } } as const
      expect(await decide(fence, 'fast')).toMatchObject({ row: { state: 'Ongoing' }, grown: [] })
      expect(await decide(fence, 'slow')).toMatchObject({
        row: { state: 'CompleteAbort', producerEpoch: 1 },
        grown: [{ lastStableOffset: 1 }],
      })
      expect(await store.transactions.unused({ unusedMs: 0 })).toEqual(['idle\0', 'slow'])
      expect(await store.transactions.unused({ unusedMs: 60_000 })).toEqual([])
      const expire = (unusedMs: number) => ({ request: { kind: 'expire' }, onlyIf: { kind: 'unused', unusedMs } }) as const
      expect(await decide(expire(60_000), 'idle\0')).toMatchObject({ row: idle })
      expect(await decide(expire(0), 'idle\0')).toEqual({ kind: 'decided', row: undefined, grown: [], committed: [] })
      expect(await store.transactions.find('idle\0')).toBeUndefined()
    })

    test('a deleted topic gets its markers, so it is complete when it is brought back', async () => {
      const producer = await aProducer()
      await commit(1, [inTransaction(producer, 0)])
      await store.topics.delete(topic.topicId)
      await ended(producer, 'abort')
      await store.topics.undelete(topic.topicId)
      expect([await watermarks(), await aborted(0, 2)]).toEqual([[2, 2], [{ producerId: producer.producerId, firstOffset: 0 }]])
    })

    test('retention ends at the last stable offset, and takes markers and the list of aborted transactions with it', async () => {
      const producer = await aProducer()
      const retain = () =>
        store.retention.step({
          owner: me.incarnation.id,
          partitions: [place()],
          nowMs: Date.now() + 10_000,
          defaults: { 'cleanup.policy': 'delete', 'retention.ms': '1000', 'retention.bytes': '-1' },
        })
      await commit(1, [{ offsets: 2 }])
      await commit(2, [inTransaction(producer, 0)])
      await commit(3, [{}])
      expect(await retain()).toMatchObject([{ logStartOffset: 2 }])
      await ended(producer, 'abort')
      expect(await retain()).toMatchObject([{ logStartOffset: 5 }])
      expect([await watermarks(), await aborted(0, 9)]).toEqual([[5, 5], []])
    })

    test('a cut of the log keeps open transactions open, and what was aborted before it', async () => {
      const [a, b, c] = [await aProducer('a'), await aProducer('b'), await aProducer('c')]
      await commit(1, [inTransaction(a, 0, {}, 'a'), inTransaction(b, 0, {}, 'b')])
      await commit(2, [inTransaction(b, 1, {}, 'b'), inTransaction(c, 0, {}, 'c')])
      await ended(a, 'abort', 'a')
      await ended(c, 'abort', 'c')
      const [state] = await store.log.partitions([place()])
      await store.recovery.cut([{ ...place(), logId: state?.logId ?? -1, topic: topic.name, deleted: false, fromOffset: 2, offsets: 4 }])
      // The marker of a is at offset 2 now. All of c is gone.
      expect([await watermarks(), await aborted(0, 9)]).toEqual([[1, 3], [{ producerId: a.producerId, firstOffset: 0 }]])
      const [found] = await store.log.find([{ ...place(), offset: 2, maxBytes: 10_000, maxSegments: 10 }])
      expect(found?.kind === 'found' && found.segments).toMatchObject([
        { baseOffset: 2, marker: { outcome: 'abort', producerId: a.producerId } },
      ])
      expect(await ended(b, 'commit', 'b')).toMatchObject({ grown: [{ highWatermark: 4, lastStableOffset: 4 }] })
    })

    test('log compaction ends at the last stable offset', async () => {
      const producer = await aProducer()
      await commit(1, [{ offsets: 2 }])
      await commit(2, [inTransaction(producer, 0)])
      await commit(3, [{}])
      const state = () => store.swaps.compactions([{ ...place(), segmentMs: 0, segmentBytes: 0, minLagMs: 0 }])
      expect(await state()).toMatchObject([{ cleanedOffset: 0, cleanableOffset: 2, lastAbortOffset: -1 }])
      await ended(producer, 'abort')
      expect(await state()).toMatchObject([{ cleanedOffset: 0, lastAbortOffset: 4 }])
    })

    test('records that were deleted are not unstable', async () => {
      const producer = await aProducer()
      await commit(1, [inTransaction(producer, 0, { offsets: 4 })])
      await store.log.deleteRecords(me.incarnation.id, [{ ...place(), beforeOffset: 3 }])
      expect(await watermarks()).toEqual([3, 4])
    })

    describe('offsets of groups', () => {
      const openGroup = async (groupId = 'g') => {
        const owner = { incarnation: me.incarnation, slot: slotOfName(groupId, store.slots) }
        await store.groups.open({ groupId, epoch: groupId, owner })
        let version = 0
        return (
          offset: number,
          { producerId, producerEpoch }: ProducerEpoch,
          transactionNumber = 1,
          partition = 0,
          removedOffsets: readonly ReturnType<typeof place>[] = [],
          more: { readonly offsets?: SaveGroup['offsets']; readonly isOverwritten?: boolean } = {},
        ) =>
          store.groups.save({
            groupId,
            epoch: groupId,
            version: version++,
            owner,
            head: { kind: 'classic', protocolType: null, state: 'Empty' },
            entries: [],
            offsets: more.offsets ?? [],
            removedOffsets,
            expiredOffsets: [],
            pendingOffsets: [
              {
                isOverwritten: more.isOverwritten === true,
                transactionalId: 'id',
                producerId,
                producerEpoch,
                transactionNumber,
                ...place(partition),
                offset,
                leaderEpoch: 3,
                metadata: 'a\0b',
              },
            ],
          })
      }
      const add = (producer: ProducerEpoch, groupIds = ['g']) => decide({ request: { kind: 'add', producer }, groupIds })
      const offsetsOf = async (groupId = 'g') =>
        (await store.groups.offsets({ groupIds: [groupId] })).map(({ partition, offset, metadata }) => [partition, offset, metadata])
      const pending = async () => (await store.transactions.pendingIn(['g', 'other'])).map(({ groupId, partition }) => [groupId, partition])

      test('pending offsets become the group’s when the transaction is committed, and are dropped when it is aborted', async () => {
        const producer = await aProducer()
        const save = await openGroup()
        expect(await add(producer)).toMatchObject({ row: { state: 'Ongoing', transactionNumber: 1 } })
        expect((await store.transactions.find('id'))?.groupIds).toEqual(['g'])
        for (const [offset, partition] of [
          [4, 0],
          [5, 0],
          [7, 1],
        ] as const)
          expect(await save(offset, producer, 1, partition)).toEqual({ kind: 'saved' })
        expect([await offsetsOf(), (await pending()).toSorted(([, a], [, b]) => Number(a) - Number(b))]).toEqual([
          [],
          [
            ['g', 0],
            ['g', 1],
          ],
        ])
        const answer = await ended(producer, 'commit')
        expect(answer).toMatchObject({ committed: [{ groupId: 'g', offsets: 2 }] })
        const next = producerIn(answer)
        expect([await offsetsOf(), await pending()]).toEqual([
          [
            [0, 5, 'a\0b'],
            [1, 7, 'a\0b'],
          ],
          [],
        ])
        await add(next)
        await save(9, next, 2)
        expect(await pending()).toEqual([['g', 0]])
        expect(await ended(next, 'abort')).toMatchObject({ committed: [] })
        expect([await offsetsOf(), await pending()]).toEqual([
          [
            [0, 5, 'a\0b'],
            [1, 7, 'a\0b'],
          ],
          [],
        ])
        expect((await store.transactions.find('id'))?.groupIds).toEqual([])
      })

      test('of two offsets for a partition the one that was sent later stays, whenever its transaction ends', async () => {
        const producer = await aProducer()
        const save = await openGroup()
        await add(producer)
        const plain = (offset: number, partition: number) => ({ ...place(partition), offset, leaderEpoch: -1, metadata: '' })
        // Before the pending offset, in the same save before it and after it, and in a later save.
        await save(1, producer, 1, 3, [], { offsets: [plain(50, 0)] })
        await save(70, producer, 1, 0, [], { offsets: [plain(51, 1)] })
        await save(71, producer, 1, 1)
        await save(72, producer, 1, 2, [], { offsets: [plain(52, 2)], isOverwritten: true })
        await save(80, producer, 1, 4, [], { offsets: [plain(53, 3), plain(54, 4)] })
        await ended(producer, 'commit')
        expect((await offsetsOf()).map(([partition, offset]) => [partition, offset])).toEqual([
          [0, 70],
          [1, 71],
          [2, 52],
          [3, 53],
          [4, 80],
        ])
      })

      test('an offset that is deleted while it is pending does not come back with the commit', async () => {
        const producer = await aProducer()
        const save = await openGroup()
        await add(producer)
        await save(4, producer, 1, 0)
        await save(7, producer, 1, 1, [place(0)])
        expect(await pending()).toEqual([['g', 1]])
        await ended(producer, 'commit')
        expect(await offsetsOf()).toEqual([[1, 7, 'a\0b']])
      })

      test('an offset of a fenced producer or of an ended transaction is not stored', async () => {
        const first = await aProducer()
        const save = await openGroup()
        await save(1, first, 1)
        await add(first)
        const second = await aProducer()
        await save(2, first, 1)
        await add(second)
        await save(3, first, 2)
        await save(4, second, 1)
        expect(await pending()).toEqual([])
        await save(5, second, 2)
        expect(await pending()).toEqual([['g', 0]])
      })

      test('a group with pending offsets does not expire, and a deleted group or topic takes them with it', async () => {
        const producer = await aProducer()
        const save = await openGroup()
        await add(producer)
        await save(1, producer)
        expect(await store.groups.expirable({ retentionMs: 0 })).toEqual([])
        await store.groups.expire({ retentionMs: 0, groupIds: ['g'] })
        expect((await store.groups.list()).map(({ groupId }) => groupId)).toEqual(['g'])
        await store.topics.delete(topic.topicId)
        expect(await pending()).toEqual([])
        await store.topics.undelete(topic.topicId)
        await save(2, producer)
        const owner = { incarnation: me.incarnation, slot: slotOfName('g', store.slots) }
        const nothing = { entries: [], offsets: [], removedOffsets: [], expiredOffsets: [], pendingOffsets: [] }
        await store.groups.save({ groupId: 'g', epoch: 'g', version: 2, owner, head: null, ...nothing })
        expect(await pending()).toEqual([])
        await ended(producer, 'commit')
        expect([await offsetsOf(), await store.groups.list()]).toEqual([[], []])
      })
    })
  })
}

function producerIn(answer: TransactionalAnswer): ProducerEpoch {
  if (answer.kind !== 'decided' || answer.row === undefined) throw new Error(`no producer: ${JSON.stringify(answer)}`)
  return { producerId: answer.row.producerId, producerEpoch: answer.row.producerEpoch }
}
