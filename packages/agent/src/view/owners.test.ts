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

test('while the new owner of a slot is not yet a member, its former leader is named, as long as that is listed', () => {
  const owners = new Owners({ slots: 4, brokerId: 1, incarnation: me })
  const leaders = () => [0, 1, 2, 3].map((slot) => owners.ownedSlots().find(({ first, last }) => first <= slot && slot <= last)?.leader)
  owners.publishMembers([aMember(1, 5, null), aMember(2, 6, null), aMember(3, 7, null)])
  owners.publishSlots([5, 6, 6, 7].map((owner, slot) => ({ slot, owner, epoch: 1 })))
  // Agent 2 has started again as incarnation 8, and taken its slots; incarnation 9 has got slots of this agent and of agent 3.
  owners.publishSlots([9, 8, 8, 9].map((owner, slot) => ({ slot, owner, epoch: 2 })))
  expect(leaders()).toEqual([1, 2, 2, 3])
  owners.publishMembers([aMember(1, 5, null), aMember(2, 8, null), aMember(4, 9, null)])
  expect(leaders()).toEqual([4, 2, 2, 4])
  // An unknown incarnation again, after a listed one; agent 4 is gone then.
  owners.publishSlots([{ slot: 3, owner: 10, epoch: 3 }])
  expect(leaders()).toEqual([4, 2, 2, 4])
  owners.publishMembers([aMember(1, 5, null), aMember(2, 8, null)])
  expect(leaders()).toEqual([undefined, 2, 2, undefined])
})
