// The contract of every Metadata Service for the sweep of orphans: what it says of objects at every moment of a chain's life.
import { describe, expect, test } from 'vitest'
import type { Incarnation } from '../core/ids.ts'
import type { Registration, Topic } from './metadata-store.ts'
import type { OpenedMetadata } from './open.ts'
import { aCommitIn, aNonce, type ContractDatabase, committed, inNewClusters, registered } from './testing/a-cluster.ts'

export function orphanStoreContract(name: string, open: () => Promise<ContractDatabase>): void {
  describe(`the contract of a Metadata Service for the sweep of orphans: ${name}`, () => {
    let store: OpenedMetadata
    let me: Registration
    let topic: Topic

    inNewClusters(open, (cluster) => ({ store, me, topic } = cluster))

    const commit = (sequence: number, prev = sequence - 1) =>
      committed(store.log.commit(aCommitIn({ store, me, topic }, sequence, [{}], { prev })))
    const standings = (sequences: readonly number[], incarnation: Incarnation = me.incarnation) =>
      store.orphans.standings(sequences.map((sequence) => ({ incarnation, sequence })))
    const kinds = async (...of: Parameters<typeof standings>): Promise<readonly string[]> =>
      (await standings(...of)).map(({ kind }) => kind)

    test('an object may be committed until a later flush is, or its incarnation is fenced', async () => {
      await commit(1)
      expect(await kinds([1, 2, 3])).toEqual(['committed', 'open', 'open'])
      await commit(3, 1)
      expect(await standings([1, 2, 3, 4])).toEqual([
        { kind: 'committed' },
        { kind: 'uncommitted', lastSequence: 3 },
        { kind: 'committed' },
        { kind: 'open' },
      ])
      await registered(store, 'another', 'all')
      expect(await standings([4, 3, 100])).toEqual([
        { kind: 'uncommitted', lastSequence: 3 },
        { kind: 'committed' },
        { kind: 'uncommitted', lastSequence: 3 },
      ])
    })

    test('another nonce, and a number that was never given out, are unknown', async () => {
      await commit(1)
      expect(await kinds([1, 2], { ...me.incarnation, nonce: aNonce() })).toEqual(['unknown', 'unknown'])
      expect(await kinds([1], { id: me.incarnation.id + 1, nonce: aNonce() })).toEqual(['unknown'])
      expect(await store.orphans.standings([])).toEqual([])
    })

    test('an object whose row the sweep has removed is uncommitted', async () => {
      await commit(1)
      await commit(2)
      await store.recovery.forget([{ incarnation: me.incarnation.id, sequence: 1 }])
      expect(await kinds([1, 2])).toEqual(['uncommitted', 'committed'])
    })
  })
}
