// The contract of every Metadata Service for a recovery: find the objects committed last and the logs with lost records, and cut these logs completely.
import { describe, expect, test } from 'vitest'
import { must } from '../core/assert.ts'
import type { ClusterId, Incarnation, TopicPartition } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { defaultLimits, fixedLimits } from '../limits.ts'
import type { Cluster, InCluster } from './cluster.ts'
import type { CommitBatch, CommitInput, CommitResult, OffsetToCommit, Registration, Topic, Verdict } from './metadata-store.ts'
import { type OpenedMetadata } from './open.ts'
import type { DamagedLogsInput, DamagedLogsPage, SegmentPlace } from './recovery.ts'
import type { CommittedObject, DamagedLog, ObjectId, RecentCursor } from './recovery-store.ts'
import type { Sql } from './sql.ts'
import {
  aBatch,
  aCommitIn,
  appended,
  aTopic,
  type ContractDatabase,
  committed,
  day,
  inNewClusters,
  LostReplies,
  laidOut,
  openCluster,
  outOfOrder,
  registered,
  reopened,
} from './testing/a-cluster.ts'
import type { Transactions } from './transactions.ts'

export function recoveryStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for a recovery: ${name}`, () => {
    let database: ContractDatabase
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ database, store, me, topic } = cluster))

    const aCommit = (sequence: number, batches: readonly Partial<CommitBatch>[], more: Partial<CommitInput> = {}): CommitInput =>
      aCommitIn({ store, me, topic }, sequence, batches, more)
    const commit = (...of: Parameters<typeof aCommit>): Promise<CommitResult> => committed(store.log.commit(aCommit(...of)))
    const sent = (baseSequence: number, more: Partial<CommitBatch> = {}): Partial<CommitBatch> => ({
      producerId: 7,
      producerEpoch: 0,
      baseSequence,
      ...more,
    })
    const partition = (number: number): TopicPartition => ({ topicId: topic.topicId, partition: number })

    const objectsOf = async (maxObjects = 100): Promise<readonly CommittedObject[]> => {
      const objects: CommittedObject[] = []
      let after: RecentCursor | undefined
      do {
        const page = await store.recovery.recentObjects({ windowMs: day, maxObjects, ...(after && { after }) })
        objects.push(...page.objects)
        after = page.next
      } while (after !== undefined)
      return objects
    }
    const flush = (sequence: number): ObjectId => ({ incarnation: me.incarnation.id, sequence })
    const cutAt = async (...objects: readonly ObjectId[]): Promise<readonly DamagedLog[]> => {
      const logs = await store.recovery.damagedLogs(objects)
      await store.recovery.cut(logs)
      return logs.toSorted((a, b) => a.partition - b.partition)
    }

    test('the newest objects of every chain are found with size and checksum, in pages; a flush without an object is left out', async () => {
      expect(await objectsOf()).toEqual([])
      for (const sequence of [1, 2, 3]) await commit(sequence, [{}], { object: { sizeBytes: 1000 + sequence, checksum: sequence } })
      await commit(4, [], { object: null })
      const before = me
      me = await registered(store, 'me', 'all')
      for (const sequence of [1, 2]) await commit(sequence, [{}], { object: { sizeBytes: 5000 + sequence, checksum: 2 ** 32 - 1 } })
      const object = (incarnation: Incarnation, sequence: number, sizeBytes: number, checksum: number): CommittedObject => {
        const key = objectKey(store.clusterId, incarnation, sequence)
        return { incarnation: incarnation.id, sequence, key, sizeBytes, checksum }
      }
      const all = [
        object(me.incarnation, 2, 5002, 2 ** 32 - 1),
        object(me.incarnation, 1, 5001, 2 ** 32 - 1),
        object(before.incarnation, 3, 1003, 3),
        object(before.incarnation, 2, 1002, 2),
        object(before.incarnation, 1, 1001, 1),
      ]
      for (const maxObjects of [1, 2, 3, 100]) expect(await objectsOf(maxObjects)).toEqual(all)
    })

    test('an object that was committed longer before the newest than the window is not returned', async () => {
      const newest = async (windowMs: number, maxObjects = 2_000): Promise<readonly number[]> =>
        (await store.recovery.recentObjects({ windowMs, maxObjects })).objects.map(({ sequence }) => sequence)
      let last = 1
      // Wait until the database's clock has advanced.
      for (; (await commit(last, [{}])) && (await newest(0)).includes(1); last++) expect(last).toBeLessThan(2_000)
      expect((await newest(0))[0]).toBe(last)
      expect(await newest(day)).toHaveLength(last)
    })

    test('the logs of damaged objects are found with the first lost offset', async () => {
      await commit(1, [{ offsets: 10 }, { partition: 1, offsets: 4 }, { partition: 2 }])
      await commit(2, [{ offsets: 10 }, { partition: 1, offsets: 4 }])
      await commit(3, [{ offsets: 10 }, { partition: 3 }])
      const logs = await store.recovery.damagedLogs([flush(3), flush(2), { incarnation: 99, sequence: 1 }])
      expect(
        logs
          .toSorted((a, b) => a.partition - b.partition)
          .map(({ partition: number, fromOffset, offsets }) => [number, fromOffset, offsets]),
      ).toEqual([
        [0, 10, 20],
        [1, 4, 4],
        [3, 0, 1],
      ])
      expect(logs[0]).toMatchObject({ topic: topic.name, topicId: topic.topicId, deleted: false })
      expect(await store.recovery.damagedLogs([])).toEqual([])
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 30 }])
    })

    test('the segments are scanned page by page, and a log on several pages is cut at its first lost offset', async () => {
      for (const sequence of [1, 2, 3, 4, 5]) await commit(sequence, [{ offsets: 2 }, { partition: 1 }])
      for (const maxSegments of [1, 2, 3, 4, 10, 11]) {
        const found = new Map<number, number>()
        let after: SegmentPlace | undefined
        do {
          const input: DamagedLogsInput = { objects: [flush(5), flush(3)], maxSegments, ...(after && { after }) }
          const page = await damagedPage(database.sql, { cluster: await clusterOf(database.sql, store), input })
          for (const log of page.logs)
            found.set(log.partition, Math.min(found.get(log.partition) ?? Number.POSITIVE_INFINITY, log.fromOffset))
          after = page.next
        } while (after !== undefined)
        expect(found).toEqual(
          new Map([
            [0, 4],
            [1, 2],
          ]),
        )
      }
    })

    test('a cut ends the log: later records are gone, earlier ones stay, and the next batch gets the first cut offset', async () => {
      for (const [index, maxTimestamp] of [300, 100, 500].entries())
        await commit(index + 1, [
          { offsets: 10, maxTimestamp },
          { partition: 1, maxTimestamp },
        ])
      await commit(4, [{ partition: 2 }])
      expect((await cutAt(flush(2))).map(({ partition: number, fromOffset, offsets }) => [number, fromOffset, offsets])).toEqual([
        [0, 10, 20],
        [1, 1, 2],
      ])
      expect(await store.log.partitions([partition(0), partition(1), partition(2)])).toMatchObject([
        { highWatermark: 10, lastStableOffset: 10, logStartOffset: 0, maxTimestamp: 300 },
        { highWatermark: 1, maxTimestamp: 300 },
        { highWatermark: 1, maxTimestamp: 1 },
      ])
      const [found] = await store.log.find([{ ...partition(0), offset: 0, maxBytes: 10_000, maxSegments: 10 }])
      expect(found).toMatchObject({ kind: 'found', segments: [{ baseOffset: 0, lastOffset: 9 }] })
      expect((await commit(5, [{ maxTimestamp: 200 }])).verdicts).toEqual([appended(10)])
      const [newest] = await store.log.findByTime([{ ...partition(0), at: { kind: 'max timestamp' } }])
      expect(newest).toMatchObject({ segment: { baseOffset: 0 }, highWatermark: 11 })
    })

    test('what was compacted ends at the cut, and the intact objects of cut segments are released', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10 }])
      const ask = { ...partition(0), segmentMs: 0, segmentBytes: 0, minLagMs: 0 }
      const compacted = async () => (await store.swaps.compactions([ask]))[0]
      const { logId } = must(await compacted(), 'the state of a log')
      await store.swaps.saveCleaned({ ...partition(0), logId, cleanedOffset: 25 })
      await cutAt(flush(2))
      expect(await compacted()).toMatchObject({ cleanedOffset: 10 })
      expect((await store.sweep.released({ maxObjects: 10 })).map(({ sequence }) => sequence)).toEqual([2, 3])
      await commit(4, [{ offsets: 30 }])
      expect(await compacted()).toMatchObject({ cleanedOffset: 10 })
    })

    test('what was merged ends at the cut, and what waits for the second merge is what is left', async () => {
      for (const sequence of [1, 2, 3, 4]) await commit(sequence, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      const waiting = { waitingBytes: 1_000, waitingSegments: 3 }
      await store.swaps.saveMerged([
        { ...partition(0), onceOffset: 40, twiceOffset: 10, ...waiting },
        { ...partition(1), onceOffset: 40, twiceOffset: 40, ...waiting },
      ])
      await cutAt(flush(3))
      const { sizeBytes } = must((await segmentsOf(0))[1], 'the segment that waits')
      // Nothing of the second log waits, so its state is that of a log that has grown.
      await commit(5, [{ partition: 1 }])
      expect(await store.swaps.mergeStates([partition(0), partition(1)])).toMatchObject([
        { nextOffset: 20, onceOffset: 20, twiceOffset: 10, waitingBytes: sizeBytes, waitingSegments: 1 },
        { nextOffset: 21, onceOffset: 20, twiceOffset: 20, waitingBytes: 0, waitingSegments: 0 },
      ])
    })

    const segmentsOf = async (index: number) => {
      const [found] = await store.log.find([{ ...partition(index), offset: 0, maxBytes: 1e9, maxSegments: 100 }])
      return found?.kind === 'found' ? found.segments : []
    }

    test('a log that is cut at its start is as empty as a new one', async () => {
      await commit(1, [{ offsets: 10, maxTimestamp: 77 }])
      await cutAt(flush(1))
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 0, maxTimestamp: -1 }])
      expect((await commit(2, [{}])).verdicts).toEqual([appended(0)])
    })

    test('repeating a cut changes nothing, also after a lost answer', async () => {
      await commit(1, [{ offsets: 10 }])
      await commit(2, [{ offsets: 10 }])
      const lossy = new LostReplies(database.sql)
      const agent = await reopened(store, lossy)
      const logs = await store.recovery.damagedLogs([flush(2)])
      lossy.next = 1
      await agent.recovery.cut(logs)
      await store.recovery.cut(logs)
      expect(await store.recovery.damagedLogs([flush(2)])).toEqual([])
      expect(await store.log.partitions([partition(0)])).toMatchObject([{ highWatermark: 10 }])
    })

    test('a producer is remembered up to the cut: a batch that was cut is not a duplicate, a batch that stays is', async () => {
      await commit(1, [sent(0), sent(0, { producerId: 8, partition: 1 })])
      await commit(2, [sent(1), sent(0, { producerId: 9 })])
      await commit(3, [sent(2)])
      const young = await store.log.allocateProducerIds(1)
      await commit(4, [sent(0, { producerId: young })])
      await cutAt(flush(2))
      const again = await commit(5, [
        sent(0),
        sent(2),
        sent(1),
        sent(2),
        sent(0, { producerId: 9 }),
        sent(1, { producerId: young }),
        sent(0, { producerId: young }),
        sent(0, { producerId: 8, partition: 1 }),
      ])
      expect(again.verdicts).toEqual([
        duplicate(0),
        outOfOrder,
        appended(1),
        appended(2),
        appended(3),
        outOfOrder,
        appended(4),
        duplicate(0),
      ])
    })

    test('an Idempotency-Key whose record was cut is free again; one whose record stays is not', async () => {
      const keyed = (timestamp: number): Partial<CommitBatch> => ({
        idempotency: { key: `${topic.topicId}/${timestamp}`, bodyHash: 'x', timestamp },
      })
      await commit(1, [keyed(1)])
      await commit(2, [keyed(2)])
      await cutAt(flush(2))
      expect((await commit(3, [keyed(1), keyed(2)])).verdicts).toEqual([{ ...duplicate(0, 1), partition: 0 }, appended(1)])
    })

    test('a group that had read cut records continues at the end of the log', async () => {
      await commit(1, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      await commit(2, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      await commit(3, [{ partition: 2, offsets: 10 }])
      const owner = { incarnation: me.incarnation, slot: 0 }
      const opened = await store.groups.open({ groupId: 'readers', epoch: 'one', owner })
      const at = (number: number, offset: number): OffsetToCommit => ({ ...partition(number), offset, leaderEpoch: 1, metadata: '' })
      await store.groups.save({
        groupId: 'readers',
        epoch: 'one',
        version: opened.kind === 'opened' ? opened.version : -1,
        owner,
        head: { kind: 'classic', protocolType: null, state: 'Empty' },
        entries: [],
        offsets: [at(0, 15), at(1, 7), at(2, 10)],
        removedOffsets: [],
        expiredOffsets: [],
        pendingOffsets: [],
      })
      await cutAt(flush(2))
      const offsets = await store.groups.offsets({ groupIds: ['readers'] })
      expect(offsets.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)).toEqual([10, 7, 10])
    })

    test('another cluster is not touched, and a deleted topic is cut like any other', async () => {
      const other = await openCluster(database.sql)
      const there = await registered(other, 'me')
      const theirs = await aTopic(other)
      const batches = laidOut([aBatch(theirs, there, other, { offsets: 5 })])
      await committed(other.log.commit({ ...aCommit(1, []), incarnation: there.incarnation, batches }))
      await commit(1, [{ offsets: 5 }])
      await store.topics.delete(topic.topicId)
      const logs = await store.recovery.damagedLogs([flush(1)])
      expect(logs).toMatchObject([{ partition: 0, deleted: true, fromOffset: 0, offsets: 5 }])
      await store.recovery.cut(logs)
      await store.recovery.forget([flush(1)])
      expect(await store.recovery.damagedLogs([flush(1)])).toEqual([])
      expect(await objectsOf()).toEqual([])
      expect(await other.log.partitions([{ topicId: theirs.topicId, partition: 0 }])).toMatchObject([{ highWatermark: 5 }])
      expect((await other.recovery.recentObjects({ windowMs: day, maxObjects: 9 })).objects).toHaveLength(1)
    })

    test('more logs than fit in one transaction are all cut, and forgotten objects are not returned again', async () => {
      const wide = await aTopic(store, { name: 'wide', partitions: 2 * fixedLimits.recoveryLogsPerStep + 1 })
      const batches = laidOut(
        Array.from({ length: wide.partitions }, (_, number) => aBatch(wide, me, store, { partition: number, offsets: 2 })),
      )
      for (const sequence of [1, 2]) await committed(store.log.commit({ ...aCommit(sequence, []), batches }))
      const logs = await cutAt(flush(2))
      expect(logs).toHaveLength(wide.partitions)
      const states = await store.log.partitions(batches)
      expect(new Set(states.map((state) => state?.highWatermark))).toEqual(new Set([2]))
      await store.recovery.forget([flush(2)])
      await store.recovery.forget([flush(2)])
      expect((await objectsOf()).map(({ sequence }) => sequence)).toEqual([1])
    })
  })
}

const duplicate = (baseOffset: number, timestamp = 1): Verdict => ({ kind: 'duplicate', baseOffset, timestamp })

async function clusterOf(sql: Sql<Transactions>, { clusterId }: OpenedMetadata): Promise<Cluster> {
  const input = { clusterId, newClusterId: 'never used' as ClusterId, newSlots: 1 }
  const outcome = await sql.run('openCluster', input, defaultLimits.metadataDeadlineMs)
  if (outcome.kind !== 'committed' || outcome.value.kind !== 'opened') throw new Error(outcome.kind)
  return outcome.value.cluster
}

async function damagedPage(sql: Sql<Transactions>, input: InCluster<DamagedLogsInput>): Promise<DamagedLogsPage> {
  const outcome = await sql.run('damagedLogs', input, defaultLimits.metadataDeadlineMs)
  if (outcome.kind !== 'committed') throw outcome.error
  return outcome.value
}
