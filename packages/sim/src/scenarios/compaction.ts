// A compacted topic: records go all the time, at any moment of an agent's life, and the last record of each key is always there.
import type { Scenario } from '../scenario.ts'
import { disturbLife } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'
import { NamedPoints } from './named-points.ts'

export const logCompaction: Scenario = {
  name: 'log compaction',
  about:
    'A topic is compacted all the time, and its agent is killed before, between and after the transactions of a pass, frozen and replaced.',
  partitions: 2,
  setup: anySetup,
  compaction: (chance) => ({
    checkMs: chance.whole([100, 1_000]),
    segmentMs: chance.pick([1, 100, 1_000]),
    deleteRetentionMs: chance.pick([0, 1_000, 600_000]),
  }),
  async run(world) {
    const { chance, time } = world
    world.bucket.faults = { ...world.bucket.faults, slow: { chance: 0.1, latencyMs: [100, 2_000] }, rejected: chance.sometimes(0.3, 0.1) }
    world.database.faults = { ...world.database.faults, lostReply: 0.03, zombie: { chance: 0.05, byMs: [10, 5_000] } }
    const ends = new NamedPoints(world, points)
    const disturbed = startClients(world, { plain: 2, idempotent: 2, consumers: 1, requests: 40, paceMs: [0, 200] })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 3_000]))
      await disturbLife(world)
    }
    ends.stop()
    // Another pass, after all records.
    return { clients: disturbed.clients.then(() => time.sleep(5_000)) }
  },
}

/** The transactions of a pass: it begins, has learnt the keys, has stored an object, and has compacted a log. */
const points: ReadonlySet<string> = new Set(['beginJob', 'lastOffsetsOfProducers', 'swapSegments', 'saveCleaned'])
