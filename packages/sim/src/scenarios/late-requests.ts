// Requests of the older protocol that an agent decides only after their transaction has ended and the next one has begun, with the same epoch.
import type { RequestHold } from '../late-producer.ts'
import type { Scenario } from '../scenario.ts'
import { groupCommit, type World } from '../world.ts'
import { ReadersOfCopies } from './copies.ts'

export const lateRequests: Scenario = {
  name: 'late requests of the older protocol',
  about:
    'A Produce or an EndTxn is delayed in the agent, before its transaction is looked up or while its batch is stored; the next transaction has begun when it is decided.',
  partitions: 2,
  setup: () => ({ flush: groupCommit, cacheBytes: 1024 * 1024 }),
  async run(world) {
    const { chance } = world
    const producer = world.lateProducer({ name: 'late', partition: 1 })
    const readers = new ReadersOfCopies(world)
    for (let rounds = chance.whole([3, 6]); rounds > 0; rounds -= 1) {
      // The client of a request that waits for its look-up gives it up, as Kafka's clients do before they go on.
      const [api, hold, closes] = chance.pick([
        ['Produce', beforeTheLookUp(world), true],
        ['Produce', inTheStore(world), chance.happens(0.5)],
        ['EndTxn', beforeTheLookUp(world), true],
      ] as const)
      await producer.run({ api, hold, closes })
    }
    producer.close()
    return { clients: readers.stop() }
  },
}

/** Longer than all that the producer does until its next transaction has begun. */
const heldMs = 4_000

/** The row of the id is read late. */
function beforeTheLookUp({ database, time }: World): RequestHold {
  return {
    begin: () => {
      database.decide = (transaction) => {
        if (transaction !== 'findTransaction') return undefined
        database.decide = undefined
        // It runs after half of the time.
        return { kind: 'run', afterMs: heldMs }
      }
    },
    over: async () => await time.sleep(2 * heldMs),
  }
}

/** The object with the batch is stored late. */
function inTheStore({ bucket, time }: World): RequestHold {
  return {
    begin: () => {
      bucket.decide = () => {
        bucket.decide = undefined
        return { kind: 'stored', afterMs: heldMs }
      }
    },
    over: async () => await time.sleep(2 * heldMs),
  }
}
