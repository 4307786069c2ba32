// The readers of each rack: one for each leader, and evenly many leaders for each reader.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RackedBroker, readReplicasByRack } from './read-replicas.ts'

const broker = (brokerId: number, rack: string | null): RackedBroker => ({ brokerId, rack })

test('every rack but that of the leader has one reader; agents without a rack are none', () => {
  const brokers = [broker(1, 'a'), broker(2, 'b'), broker(3, 'c'), broker(4, null)]
  expect([...readReplicasByRack(1, brokers)]).toEqual([
    ['b', 2],
    ['c', 3],
  ])
  expect([...readReplicasByRack(4, brokers).keys()]).toEqual(['a', 'b', 'c'])
})

test('a leader that does not live, and a cluster without racks, have no reader', () => {
  expect(readReplicasByRack(9, [broker(1, 'a'), broker(2, 'b')]).size).toBe(0)
  expect(readReplicasByRack(1, [broker(1, null), broker(2, null)]).size).toBe(0)
  expect(readReplicasByRack(1, [broker(1, 'a'), broker(2, 'a')]).size).toBe(0)
})

test('the leaders outside of a rack are dealt to its agents', () => {
  const brokers = [broker(5, 'b'), broker(1, 'a'), broker(4, 'a'), broker(2, 'b'), broker(3, 'a'), broker(6, 'a')]
  expect([1, 3, 4, 6].map((leader) => readReplicasByRack(leader, brokers).get('b'))).toEqual([2, 5, 2, 5])
  expect([2, 5].map((leader) => readReplicasByRack(leader, brokers).get('a'))).toEqual([1, 3])
})

test('a reader is in the rack that it reads for, no agent reads for two leaders more than another one of its rack, and the order does not matter', () => {
  const racks = fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(racks, fc.infiniteStream(fc.nat()), (given, keys) => {
      const brokers = given.map((rack, at) => broker(at + 1, rack))
      const shuffled = brokers.map((one) => ({ one, key: keys.next().value })).toSorted((a, b) => a.key - b.key)
      const counts = new Map(brokers.map(({ brokerId }) => [brokerId, 0]))
      for (const { brokerId: leader, rack: home } of brokers) {
        const replicas = readReplicasByRack(leader, brokers)
        expect(
          readReplicasByRack(
            leader,
            shuffled.map(({ one }) => one),
          ),
        ).toEqual(replicas)
        expect(new Set(replicas.keys())).toEqual(new Set(given.filter((rack) => rack !== null && rack !== home)))
        for (const [rack, reader] of replicas) {
          expect(brokers.find(({ brokerId }) => brokerId === reader)?.rack).toBe(rack)
          counts.set(reader, (counts.get(reader) ?? 0) + 1)
        }
      }
      for (const rack of new Set(given)) {
        if (rack === null) continue
        const ofRack = brokers.filter((one) => one.rack === rack).map(({ brokerId }) => counts.get(brokerId) ?? 0)
        expect(Math.max(...ofRack) - Math.min(...ofRack)).toBeLessThanOrEqual(1)
      }
    }),
  )
})
