// Several agents merge, compact, remove and sweep at the same time, each its own partitions, which move between them: no record moves, and none is lost.
import type { Scenario } from '../scenario.ts'
import { disturbAgents } from './agents.ts'
import { deleteSomeRecords } from './disturbances.ts'
import { startClients } from './loads.ts'
import { merge } from './merge.ts'

export const upkeepOfAgents: Scenario = {
  ...merge,
  name: 'upkeep of several agents',
  about:
    'Two or three agents merge segments all the time, beside retention, deleted records or log compaction, and the sweep, while each is killed, paused, drained or taken over, and partitions move between them.',
  agents: (chance) => chance.whole([2, 3]),
  limits: (chance) => ({ ...merge.limits?.(chance), heartbeatMs: chance.whole([200, 1_000]), slotMoveMs: chance.whole([50, 500]) }),
  async run(world) {
    const { chance, time, checker } = world
    const removes = checker.compaction === undefined && chance.happens(0.5)
    const disturbed = startClients(world, {
      plain: 1,
      idempotent: 2,
      consumers: 2,
      requests: 60,
      paceMs: [0, chance.between([100, 400])],
      ...(checker.retentionMs !== undefined && { skewMs: [-10_000, 10_000] }),
    })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 5_000]))
      if (removes) await deleteSomeRecords(world)
      await disturbAgents(world)
    }
    return { clients: disturbed.clients.then(() => time.sleep(chance.pick([5_000, 40_000]))) }
  },
}
