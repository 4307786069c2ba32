// Topics are created and deleted: a deleted topic accepts and returns nothing, and a reused name is another log.
import type { Disturbed, Scenario } from '../scenario.ts'
import { anySetup, startClients } from './loads.ts'

export const topicMadeAgain: Scenario = {
  name: 'topic made again',
  about: 'The topic is deleted during produce and fetch, and created again under its name; the two topics never mix.',
  partitions: 2,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    world.bucket.faults = { ...world.bucket.faults, slow: { chance: 0.2, latencyMs: [50, 1_000] } }
    world.database.faults = { ...world.database.faults, lostReply: 0.05, rolledBack: 0.05, zombie: { chance: 0.05, byMs: [10, 3_000] } }
    world.network.faults = { ...world.network.faults, cut: chance.between([0, 0.02]) }
    const generations: Disturbed[] = []
    for (let again = chance.whole([1, 3]); again >= 0; again -= 1) {
      generations.push(
        startClients(world, {
          plain: 2,
          idempotent: 0,
          consumers: 1,
          requests: 30,
          paceMs: [0, 100],
          byTopicId: true,
          prefix: `${again}-`,
        }),
      )
      await time.sleep(chance.between([100, 2_000]))
      if (chance.happens(0.3) && world.current !== undefined) {
        world.crash(world.current)
        await world.start()
      }
      if (again > 0) await world.makeTopicAgain()
    }
    return { clients: Promise.all(generations.map(({ clients }) => clients)) }
  },
}
