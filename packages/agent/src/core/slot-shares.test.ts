// Agents that give slots away end with equal shares.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { giftsOf } from './slot-shares.ts'

const alone = Array.from({ length: 256 }, () => 1)

test('an agent with everything gives a few slots at a time to one that has joined, spread over all, until each has half', () => {
  const owners: number[] = [...alone]
  const first = giftsOf({ owners, giver: 1, receivers: [2], agentCount: 2, atMost: 4 })
  expect(first).toEqual([0, 64, 128, 192].map((slot) => ({ slot, to: 2 })))
  let rounds = 0
  for (let gifts = first; gifts.length > 0; gifts = giftsOf({ owners, giver: 1, receivers: [2], agentCount: 2, atMost: 4 })) {
    for (const { slot, to } of gifts) owners[slot] = to
    rounds += 1
  }
  expect(rounds).toBe(32)
  expect(owners.filter((owner) => owner === 2)).toHaveLength(128)
})

test('nothing is given to an agent that may not get any, and nothing by one that has its share', () => {
  expect(giftsOf({ owners: alone, giver: 1, receivers: [], agentCount: 2, atMost: 4 })).toEqual([])
  const even = alone.map((_, slot) => 1 + (slot % 2))
  expect(giftsOf({ owners: even, giver: 1, receivers: [2], agentCount: 2, atMost: 4 })).toEqual([])
})

test('whatever the owners are, the agents settle: none has more than its share, and each gave only what it owned', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(4), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (n, drawn, atMost) => {
        const owners = drawn.map((one) => 1 + (one % n))
        const agents = Array.from({ length: n }, (_, at) => at + 1)
        let moved = 0
        for (let quiet = 0; quiet < n; ) {
          quiet = 0
          for (const giver of agents) {
            const gifts = giftsOf({ owners, giver, receivers: agents.filter((one) => one !== giver), agentCount: n, atMost })
            for (const { slot, to } of gifts) {
              expect(owners[slot]).toBe(giver)
              owners[slot] = to
            }
            moved += gifts.length
            if (gifts.length === 0) quiet += 1
          }
          expect(moved).toBeLessThanOrEqual(owners.length)
        }
        const share = Math.ceil(owners.length / n)
        for (const agent of agents) expect(owners.filter((owner) => owner === agent).length).toBeLessThanOrEqual(share)
      },
    ),
  )
})
