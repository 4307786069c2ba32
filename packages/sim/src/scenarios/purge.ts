// Topics are deleted, brought back or purged, and the store is swept: a topic that is back has all of its records, and a reader finds every object that it may look for.
import { orLate } from '@local-kafka-service/agent'
import type { Disturbed, Scenario } from '../scenario.ts'
import { latestPutMs } from '../world.ts'
import { anySetup, startClients } from './loads.ts'

export const purge: Scenario = {
  name: 'purge',
  about:
    'Topics are deleted during produce and fetch. Some are brought back, others are purged and their objects removed, while reads are slow, PUTs land late, the agent is killed and the database loses replies.',
  partitions: 2,
  setup: (chance) => ({
    ...anySetup(chance),
    // Reads go to the store.
    cacheBytes: chance.pick([0, 0, 2_000]),
    retentionCheckMs: chance.whole([50, 400]),
    undeleteMs: chance.pick([0, 0, 500, 3_000]),
    sweepMs: chance.whole([200, 5_000]),
  }),
  // Longer than the slowest fetch: three reads at a time, each of them repeated once.
  limits: (chance) => ({ readersGraceMs: chance.whole([15_000, 25_000]) }),
  async run(world) {
    const { chance, time } = world
    // No zombies: a deletion that lands after the undelete deletes the topic again.
    world.database.faults = { ...world.database.faults, rolledBack: 0.05, lostReply: 0.1 }
    // The purge has begun, and its next step comes late: in between a topic must stay away.
    world.database.decide = (transaction) =>
      transaction === 'purgeStep' && chance.happens(0.2)
        ? { kind: 'unknown', afterMs: chance.between([100, 3_000]), runsMs: 10 }
        : undefined
    const late = { chance: 0.05, byMs: [1_000, latestPutMs] } as const
    world.bucket.faults = {
      ...world.bucket.faults,
      late,
      slow: { chance: 0.1, latencyMs: [100, 3_000] },
      slowRead: { chance: 0.4, latencyMs: [500, 5_000] },
    }
    const generations: Disturbed[] = []
    for (let rounds = chance.whole([2, 4]); rounds >= 0; rounds -= 1) {
      generations.push(
        startClients(world, {
          plain: 2,
          idempotent: 0,
          consumers: 2,
          requests: 30,
          paceMs: [0, 100],
          byTopicId: true,
          prefix: `${rounds}-`,
        }),
      )
      await time.sleep(chance.between([100, 2_500]))
      if (chance.happens(0.3) && world.current !== undefined) {
        world.crash(world.current)
        await world.start()
      }
      if (rounds === 0) break
      if (chance.happens(0.5)) await world.makeTopicAgain()
      else await world.deleteAndUndelete(chance.between([0, 3_500]))
    }
    const clients = Promise.all(generations.map((generation) => generation.clients))
    await orLate(clients, { clock: time, afterMs: 60_000 }, undefined)
    // The purge and the sweep do the rest, while nothing else happens.
    await time.sleep(chance.pick([0, 30_000, 80_000]))
    return { clients }
  },
}
