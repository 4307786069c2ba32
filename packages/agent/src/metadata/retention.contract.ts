// The contract of every Metadata Service for retention: old segments go in steps, under the configs that the topic has by then, and offsets stay.
import { describe, expect, test } from 'vitest'
import type { RetentionConfigs } from '../core/log/retention.ts'
import { fixedLimits } from '../limits.ts'
import type { CommitBatch, CommitResult, Registration, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import type { RetainedLog } from './retention-store.ts'
import { aCommitIn, aTopic, type ContractDatabase, committed, inNewClusters, registered } from './testing/a-cluster.ts'

export function retentionContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for retention: ${name}`, () => {
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ store, me, topic } = cluster))

    const commit = (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<CommitResult> =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    const place = (partition = 0) => ({ topicId: topic.topicId, partition })
    const keepAll: RetentionConfigs = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
    const asked = (nowMs: number, partitions: readonly number[] = [0]) => {
      return { owner: me.incarnation.id, partitions: partitions.map(place), nowMs, defaults: keepAll }
    }
    const step = async (nowMs: number): Promise<RetainedLog | undefined> => (await store.retention.step(asked(nowMs)))[0]
    const due = async (nowMs: number, partitions: readonly number[] = [0]) =>
      (await store.retention.due(asked(nowMs, partitions))).map(({ partition }) => partition)
    const configure = (name_: string, value: string) =>
      store.topics.changeConfigs({
        name: topic.name,
        changes: { kind: 'incremental', changes: [{ name: name_, operation: 'SET', value }] },
        dryRun: false,
      })
    const bases = async () => {
      const [found] = await store.log.find([{ ...place(), offset: 0, maxBytes: 1_000_000, maxSegments: 1_000 }])
      return found?.kind === 'found' ? found.segments.map(({ baseOffset }) => baseOffset) : found?.kind
    }

    test('old segments go, and the offsets of the others stay', async () => {
      for (const [index, maxTimestamp] of [100, 200, 300].entries()) await commit(index + 1, [{ offsets: 10, maxTimestamp }])
      expect([await due(10_000), await step(10_000)]).toMatchObject([[], { logStartOffset: 0, segments: 0, more: false }])
      await configure('retention.ms', '50')
      expect([await due(150), await due(151)]).toEqual([[], [0]])
      const expected = { ...place(), logStartOffset: 20, segments: 2, bytes: 200, more: false }
      expect(await step(251)).toEqual(expected)
      // Again, as after a lost answer.
      expect(await step(251)).toEqual({ ...expected, segments: 0, bytes: 0 })
      expect([await bases(), await due(251)]).toEqual([[20], []])
      expect(await step(10_000)).toMatchObject({ logStartOffset: 30, segments: 1 })
      expect((await store.log.partitions([place()]))[0]).toMatchObject({ logStartOffset: 30, highWatermark: 30, maxTimestamp: 300 })
      expect((await commit(4, [{ offsets: 5, maxTimestamp: 100 }])).verdicts).toEqual([{ kind: 'appended', baseOffset: 30 }])
    })

    test('a log is cut to its size, and one without bound is not', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10 }, { partition: 1, offsets: 10 }])
      await configure('retention.bytes', '150')
      expect(await due(1, [0, 1, 2])).toEqual([0, 1])
      expect(await step(1)).toMatchObject({ logStartOffset: 10, segments: 1 })
      await configure('retention.bytes', '-1')
      expect(await due(1, [0, 1, 2])).toEqual([])
      await configure('retention.bytes', '0')
      await configure('cleanup.policy', '')
      expect(await due(1, [0, 1, 2])).toEqual([])
    })

    test('the rows of deleted records go, whatever the configs are, and a segment with the start stays', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10 }])
      await store.log.deleteRecords(me.incarnation.id, [{ ...place(), beforeOffset: 15 }])
      await configure('cleanup.policy', '')
      expect(await due(1)).toEqual([0])
      expect(await step(1)).toEqual({ ...place(), logStartOffset: 15, segments: 1, bytes: 100, more: false })
      expect([await bases(), await due(1)]).toEqual([[10, 20], []])
    })

    test('a long log goes in steps', async () => {
      const count = fixedLimits.retentionSegmentsPerStep + 10
      for (let sequence = 1; sequence <= count; sequence += 1) await commit(sequence, [{ maxTimestamp: 1 }])
      await configure('retention.ms', '1')
      expect(await step(100)).toMatchObject({ logStartOffset: count - 10, segments: count - 10, more: true })
      expect(await step(100)).toMatchObject({ logStartOffset: count, segments: 10, more: false })
    }, 60_000)

    test('a deleted topic is brought back until its purge begins, and then nothing of it is left', async () => {
      const producer = { producerId: 5, producerEpoch: 0, baseSequence: 0 }
      await commit(1, [
        { offsets: 10, ...producer },
        { partition: 1, offsets: 10 },
      ])
      const { topicId } = topic
      const later = { undeleteMs: 60_000 }
      const nothing = { segments: 0, bytes: 0, topics: 0, more: false }
      expect(await store.topics.undelete(topicId)).toEqual({ kind: 'unknown' })
      expect(await store.retention.purge({ undeleteMs: 0 })).toEqual(nothing)
      await store.topics.delete(topicId)
      expect(await store.retention.purge(later)).toEqual(nothing)
      const again = await aTopic(store, { name: topic.name })
      expect(await store.topics.undelete(topicId)).toEqual({ kind: 'taken', by: topic.name })
      expect(await store.topics.deleted()).toEqual([{ ...topic, deletedAtMs: expect.any(Number) }])
      await store.topics.delete(again.topicId)
      expect(await store.topics.undelete(topicId)).toEqual({ kind: 'undeleted', topic })
      expect(await bases()).toEqual([0])
      expect((await store.topics.deleted()).map((deleted) => deleted.topicId)).toEqual([again.topicId])
      await store.topics.delete(topicId)
      const steps = []
      for (let step = await store.retention.purge({ undeleteMs: 0 }); step.more; step = await store.retention.purge({ undeleteMs: 0 }))
        steps.push(step)
      expect(steps.filter(({ segments }) => segments > 0)).toEqual([{ segments: 2, bytes: 200, topics: 0, more: true }])
      expect(steps.filter(({ topics }) => topics > 0)).toHaveLength(2)
      expect(await store.topics.undelete(topicId)).toEqual({ kind: 'unknown' })
      expect(await store.topics.deleted()).toEqual([])
      expect((await store.sweep.released({ maxObjects: 10 })).map(({ sequence }) => sequence)).toEqual([1])
      expect(await store.sweep.namedIn({ objects: [{ incarnation: me.incarnation.id, sequence: 1 }], maxSegments: 100 })).toEqual({
        named: [],
      })
    })

    test('a topic whose purge has begun is not brought back, and the purge goes on', async () => {
      const count = fixedLimits.retentionSegmentsPerStep / topic.partitions + 1
      for (let sequence = 1; sequence <= count; sequence += 1) await commit(sequence, [{ maxTimestamp: 1 }])
      await store.topics.delete(topic.topicId)
      expect(await store.retention.purge({ undeleteMs: 0 })).toMatchObject({ segments: count - 1, topics: 0, more: true })
      expect(await store.topics.undelete(topic.topicId)).toEqual({ kind: 'unknown' })
      // Whatever the setting is by then.
      expect(await store.retention.purge({ undeleteMs: 60_000 })).toMatchObject({ segments: 1 })
      expect(await store.retention.purge({ undeleteMs: 60_000 })).toMatchObject({ topics: 1 })
    }, 60_000)

    test('only the owner of a partition removes its records, and nothing of a deleted topic', async () => {
      await commit(1, [{ offsets: 10 }])
      await configure('retention.ms', '1')
      const other = await registered(store, 'other', 'all')
      expect(await store.retention.step(asked(100))).toEqual([])
      expect(await store.retention.step({ ...asked(100), owner: other.incarnation.id })).toMatchObject([{ logStartOffset: 10 }])
      await store.topics.delete(topic.topicId)
      expect([await due(100), await store.retention.step({ ...asked(100), owner: other.incarnation.id })]).toEqual([[], []])
    })
  })
}
