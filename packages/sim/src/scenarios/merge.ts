// Segments are merged all the time, at any moment of an agent's life, while others remove or replace them: no record moves, and none is lost.
import type { Scenario } from '../scenario.ts'
import { deleteSomeRecords, disturbLife } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'
import { NamedPoints } from './named-points.ts'

export const merge: Scenario = {
  name: 'merge',
  about:
    'Segments are merged all the time, beside retention, deleted records or log compaction, and the sweep. The agent is killed before, between and after the transactions of a merge, frozen and replaced.',
  partitions: 4,
  setup: (chance) => ({ ...anySetup(chance), retentionCheckMs: chance.whole([50, 1_000]) }),
  merge: (chance) => ({ intervalMs: chance.whole([100, 1_000]), maxAgeMs: chance.whole([100, 5_000]) }),
  compaction: (chance) => {
    if (!chance.happens(0.25)) return undefined
    return { checkMs: chance.whole([100, 1_000]), segmentMs: chance.pick([1, 100, 1_000]), deleteRetentionMs: chance.pick([0, 1_000]) }
  },
  retentionMs: (chance) => (chance.happens(0.4) ? chance.whole([1_000, 20_000]) : undefined),
  limits: (chance) => ({
    readersGraceMs: chance.whole([5_000, 15_000]),
    mergeObjectBytes: chance.whole([500, 20_000]),
    mergeSources: chance.whole([4, 60]),
    mergeQuietMs: chance.whole([1, 1_000]),
    mergeTwiceBytes: chance.whole([200, 5_000]),
  }),
  async run(world) {
    const { chance, time, checker } = world
    world.bucket.faults = { ...world.bucket.faults, slow: { chance: 0.1, latencyMs: [100, 2_000] }, rejected: chance.sometimes(0.3, 0.1) }
    world.database.faults = { ...world.database.faults, lostReply: 0.03, zombie: { chance: 0.05, byMs: [10, 5_000] } }
    const ends = new NamedPoints(world, points)
    const removes = checker.compaction === undefined && chance.happens(0.5)
    const disturbed = startClients(world, {
      plain: 2,
      idempotent: 2,
      consumers: 2,
      requests: 50,
      paceMs: [0, 200],
      // A merged segment then has old and young records, of which none may go too early.
      ...(checker.retentionMs !== undefined && { skewMs: [-10_000, 10_000] }),
    })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 3_000]))
      if (removes) await deleteSomeRecords(world)
      if (chance.happens(0.6)) await disturbLife(world)
    }
    ends.stop()
    // Merges of all records, and the sweep of their old objects, while the consumers read on.
    return { clients: disturbed.clients.then(() => time.sleep(chance.pick([5_000, 40_000]))) }
  },
}

/** The transactions of a merge: it begins, knows its sources, has stored an object, and has swapped it in. */
const points: ReadonlySet<string> = new Set(['beginJob', 'mergeSources', 'swapSegments', 'saveMerged', 'endJob'])
