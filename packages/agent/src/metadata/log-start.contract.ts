// The contract of every Metadata Service for the starts of logs: they move forward under the partition's lock, and searches by time pass what was deleted.
import { describe, expect, test } from 'vitest'
import type { CommitBatch, CommitResult, DeletedRecords, Registration, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import { aCommitIn, type ContractDatabase, committed, inNewClusters, registered } from './testing/a-cluster.ts'

export function logStartContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for the starts of logs: ${name}`, () => {
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ store, me, topic } = cluster))

    const commit = (sequence: number, batches: readonly Partial<CommitBatch>[]): Promise<CommitResult> =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, batches)))
    const place = (partition = 0) => ({ topicId: topic.topicId, partition })
    const deleted = async (beforeOffset: number, partition = 0): Promise<DeletedRecords | undefined> =>
      (await store.log.deleteRecords(me.incarnation.id, [{ ...place(partition), beforeOffset }]))[0]
    const start = async (partition = 0) => (await store.log.partitions([place(partition)]))[0]?.logStartOffset
    const at = async (timestamp: number | 'maximum', fromOffset?: number) => {
      const wanted = timestamp === 'maximum' ? ({ kind: 'max timestamp' } as const) : ({ kind: 'timestamp', timestamp } as const)
      const [found] = await store.log.findByTime([{ ...place(), at: wanted, ...(fromOffset !== undefined && { fromOffset }) }])
      return found?.kind === 'found' ? found.segment?.baseOffset : found?.kind
    }

    test('a start moves forward up to the high watermark, and never back', async () => {
      await commit(1, [{ offsets: 10 }])
      expect(await deleted(4)).toEqual({ kind: 'deleted', logStartOffset: 4 })
      for (const earlier of [4, 0]) expect(await deleted(earlier)).toEqual({ kind: 'deleted', logStartOffset: 4 })
      for (const outside of [11, -1, -2]) expect(await deleted(outside)).toEqual({ kind: 'out of range' })
      expect([await start(), await start(1)]).toEqual([4, 0])
      for (const end of [10, 10]) expect(await deleted(end)).toEqual({ kind: 'deleted', logStartOffset: 10 })
      await commit(2, [{ offsets: 5 }])
      expect((await store.log.partitions([place()]))[0]).toMatchObject({ logStartOffset: 10, highWatermark: 15 })
    })

    test('one call moves several logs, in any order, and the same one twice', async () => {
      await commit(
        1,
        [0, 1, 2].map((partition) => ({ partition, offsets: 10 })),
      )
      const asks = [
        { ...place(2), beforeOffset: 3 },
        { ...place(0), beforeOffset: 6 },
        { ...place(9), beforeOffset: 0 },
        { ...place(0), beforeOffset: 5 },
      ]
      expect(await store.log.deleteRecords(me.incarnation.id, asks)).toEqual([
        { kind: 'deleted', logStartOffset: 3 },
        { kind: 'deleted', logStartOffset: 6 },
        { kind: 'unknown partition' },
        { kind: 'deleted', logStartOffset: 6 },
      ])
      expect([await start(0), await start(1), await start(2)]).toEqual([6, 0, 3])
      await store.topics.delete(topic.topicId)
      expect(await deleted(8)).toEqual({ kind: 'unknown partition' })
    })

    test('an agent that lost a partition moves no start', async () => {
      await commit(1, [{ offsets: 10 }])
      const other = await registered(store, 'other', 'all')
      expect(await deleted(5)).toEqual({ kind: 'not owner' })
      expect(await store.log.deleteRecords(other.incarnation.id, [{ ...place(), beforeOffset: 5 }])).toEqual([
        { kind: 'deleted', logStartOffset: 5 },
      ])
    })

    test('the size of a partition is that of the segments with records that are left', async () => {
      for (const sequence of [1, 2, 3]) await commit(sequence, [{ offsets: 10, sizeBytes: 100 }])
      const size = async () => (await store.log.sizes([place()]))[0]
      const sizes: unknown[] = [await size()]
      for (const offset of [9, 10, 15, 30]) {
        await deleted(offset)
        sizes.push(await size())
      }
      expect(sizes).toEqual([300, 300, 200, 200, 0])
    })

    test('a search by time passes segments whose time was that of deleted records', async () => {
      const times = [100, 900, 200, 300, 800, 400]
      for (const [index, maxTimestamp] of times.entries()) await commit(index + 1, [{ offsets: 10, maxTimestamp }])
      expect([await at(250), await at(900), await at('maximum')]).toEqual([10, 10, 10])
      expect([await at(250, 20), await at(850, 20), await at('maximum', 20)]).toEqual([30, undefined, 40])
      await deleted(20)
      expect([await at(150), await at(250), await at(500), await at(850), await at('maximum')]).toEqual([20, 30, 40, undefined, 40])
      await deleted(60)
      expect([await at(1), await at('maximum')]).toEqual([undefined, undefined])
    })
  })
}
