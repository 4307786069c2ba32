// The owners of slots as ranges, and who reads for other racks.
import { expect, test } from 'vitest'
import type { Member } from '../metadata/metadata-store.ts'
import { Owners } from './owners.ts'

const me = { id: 5, nonce: '0123456789abcdef' }

function aMember(brokerId: number, incarnation: number, rack: string | null): Member {
  return { brokerId, agent: `agent-${brokerId}`, incarnation, beats: 1, host: 'h', port: 1, rack, controlUrl: null, dataUrl: null }
}

test('slots in a row with one owner and one epoch are one range; an owner that is not a member, and no owner, have no leader', () => {
  const owners = new Owners({ slots: 6, brokerId: 1, incarnation: me })
  owners.publishMembers([aMember(2, 6, null)])
  const owner = [5, 5, 5, 6, 7, null]
  owners.publishSlots(owner.map((of, slot) => ({ slot, owner: of, epoch: slot === 2 ? 4 : 3 })))
  expect(owners.ownedSlots()).toEqual([
    { first: 0, last: 1, epoch: 3, leader: 1 },
    { first: 2, last: 2, epoch: 4, leader: 1 },
    { first: 3, last: 3, epoch: 3, leader: 2 },
    { first: 4, last: 5, epoch: 3, leader: undefined },
  ])
})

test('the reader of another rack is one of the living agents there, as of the last heartbeat', () => {
  const owners = new Owners({ slots: 1, brokerId: 1, incarnation: me })
  expect([owners.rack, owners.replicas(1, 1), owners.readReplica(1, 'b')]).toEqual([null, [1], undefined])
  owners.publishMembers([aMember(1, 5, 'a'), aMember(2, 6, 'b')])
  expect([owners.rack, owners.replicas(1, 1), owners.readReplica(1, 'b')]).toEqual(['a', [1, 2], 2])
  expect([owners.replicas(2, 1), owners.readReplica(2, 'b')]).toEqual([[2, 1], undefined])
  owners.publishMembers([aMember(1, 5, 'a'), aMember(3, 7, 'b')])
  expect([owners.replicas(1, 1), owners.readReplica(1, 'b')]).toEqual([[1, 3], 3])
})

test('clients see further agents as replicas, up to the replication factor of the topic', () => {
  const owners = new Owners({ slots: 1, brokerId: 1, incarnation: me })
  expect(owners.replicas(1, 3)).toEqual([1])
  owners.publishMembers([aMember(1, 5, null), aMember(4, 8, null), aMember(2, 6, null), aMember(3, 7, null)])
  expect([owners.replicas(2, 1), owners.replicas(2, 3), owners.replicas(2, 9)]).toEqual([[2], [2, 1, 3], [2, 1, 3, 4]])
  owners.publishMembers([aMember(1, 5, 'a'), aMember(2, 6, 'a'), aMember(3, 7, 'b')])
  expect([owners.replicas(1, 1), owners.replicas(1, 2), owners.replicas(1, 3)]).toEqual([
    [1, 3],
    [1, 3],
    [1, 3, 2],
  ])
})
