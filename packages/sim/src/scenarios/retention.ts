// Records are removed, by age and on request: nothing else goes, and nothing comes back.
import { orLate } from '@local-kafka-service/agent'
import type { Scenario } from '../scenario.ts'
import { anySetup, startClients } from './loads.ts'

export const retention: Scenario = {
  name: 'retention',
  about:
    'Retention removes old records, a client deletes others, and the sweep removes their objects, while the agent is killed and commits lose their replies.',
  partitions: 2,
  setup: (chance) => ({ ...anySetup(chance), retentionCheckMs: chance.whole([50, 1_000]), sweepMs: chance.whole([200, 5_000]) }),
  retentionMs: (chance) => chance.whole([100, 8_000]),
  limits: (chance) => ({ readersGraceMs: chance.whole([5_000, 15_000]) }),
  async run(world) {
    const { chance, time, checker } = world
    world.database.faults = { ...world.database.faults, rolledBack: 0.05, lostReply: 0.1, zombie: { chance: 0.1, byMs: [10, 5_000] } }
    world.bucket.faults = { ...world.bucket.faults, slow: { chance: 0.1, latencyMs: [100, 1_000] } }
    const disturbed = startClients(world, {
      plain: 2,
      idempotent: 1,
      consumers: 2,
      requests: 60,
      paceMs: [0, 200],
      skewMs: [-8_000, 8_000],
    })
    for (let rounds = chance.whole([2, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([50, 2_500]))
      if (chance.happens(0.6)) {
        const partition = chance.whole([0, world.partitions - 1])
        const end = checker.nextOffset(world.topicId, partition)
        await world.deleteRecords(partition, chance.happens(0.2) ? -1 : chance.whole([0, end]))
      }
      if (world.current === undefined || !chance.happens(0.4)) continue
      if (chance.happens(0.2)) await world.drain(world.current)
      else world.crash(world.current)
      await world.start()
    }
    await orLate(disturbed.clients, { clock: time, afterMs: 60_000 }, undefined)
    // The sweep removes what has become free, while the consumers read on.
    await time.sleep(chance.pick([0, 20_000, 50_000]))
    return disturbed
  },
}
