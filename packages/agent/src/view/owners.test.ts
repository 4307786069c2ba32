// The owners of slots as ranges.
import { expect, test } from 'vitest'
import { Owners } from './owners.ts'

const me = { id: 5, nonce: '0123456789abcdef' }

test('slots in a row with one owner and one epoch are one range; an owner that is not a member, and no owner, have no leader', () => {
  const owners = new Owners({ slots: 6, brokerId: 1, incarnation: me })
  owners.publishMembers([{ brokerId: 2, agent: 'other', incarnation: 6, beats: 1, host: 'h', port: 1, controlUrl: null, dataUrl: null }])
  const owner = [5, 5, 5, 6, 7, null]
  owners.publishSlots(owner.map((of, slot) => ({ slot, owner: of, epoch: slot === 2 ? 4 : 3 })))
  expect(owners.ownedSlots()).toEqual([
    { first: 0, last: 1, epoch: 3, leader: 1 },
    { first: 2, last: 2, epoch: 4, leader: 1 },
    { first: 3, last: 3, epoch: 3, leader: 2 },
    { first: 4, last: 5, epoch: 3, leader: undefined },
  ])
})
