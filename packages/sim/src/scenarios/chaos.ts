// All faults at once: each seed draws its own mix of faults, and another disturbance follows every few seconds.
import type { Chance } from '../chance.ts'
import { type BucketFaults, faultlessStore } from '../faulty-objects.ts'
import { type DatabaseFaults, faultlessDatabase } from '../faulty-sql.ts'
import type { Scenario } from '../scenario.ts'
import { calmNetwork, type World } from '../world.ts'
import { crash, freeze, outage, takeOver } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'

export const chaos: Scenario = {
  name: 'chaos',
  about: 'Faults of store, database and network in changing mixtures, with crashes, pauses, take-overs and graceful restarts.',
  partitions: 3,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    const disturbed = startClients(world, {
      plain: chance.whole([1, 3]),
      idempotent: chance.whole([1, 3]),
      keyed: chance.whole([0, 1]),
      consumers: chance.whole([1, 2]),
      requests: 60,
      paceMs: [0, chance.between([50, 300])],
    })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 3_000]))
      await disturb(world)
    }
    return disturbed
  },
}

async function disturb(world: World): Promise<void> {
  const { chance, current } = world
  world.setup = anySetup(chance)
  switch (
    chance.pick([
      'store',
      'database',
      'network',
      'crash',
      'freeze',
      'take over',
      'drain',
      'store away',
      'database away',
      'clocks',
      'calm',
    ] as const)
  ) {
    case 'store':
      world.bucket.faults = storeFaults(chance)
      return
    case 'database':
      world.database.faults = databaseFaults(chance)
      return
    case 'network':
      world.network.faults = { latencyMs: [0.1, chance.between([1, 100])], split: chance.next() / 2, cut: chance.next() / 20 }
      return
    case 'crash':
      return await crash(world, [0, 2_000])
    case 'freeze':
      return await freeze(world, [10, 15_000])
    case 'take over':
      return await takeOver(world, [0, 5_000])
    case 'drain':
      if (current === undefined) return
      await world.drain(current)
      await world.start()
      return
    case 'store away':
      return await outage(world, 'bucket', [100, 30_000])
    case 'database away':
      return await outage(world, 'database', [100, 30_000])
    case 'clocks':
      // Safety must hold under any clock. Producers stamp with another clock, so the error stays below the allowed difference of timestamps.
      if (current !== undefined) current.life.skewMs = chance.whole([-600_000, 600_000])
      world.databaseSkewMs = chance.whole([-600_000, 600_000])
      return
    case 'calm':
      world.bucket.faults = faultlessStore
      world.database.faults = faultlessDatabase
      world.network.faults = calmNetwork
  }
}

function storeFaults(chance: Chance): BucketFaults {
  const some = (most: number): number => chance.sometimes(0.5, most)
  return {
    latencyMs: [1, chance.between([5, 100])],
    slow: { chance: some(0.3), latencyMs: [100, 5_000] },
    slowRead: faultlessStore.slowRead,
    rejected: some(0.3),
    lostReply: some(0.2),
    late: { chance: some(0.2), byMs: [100, 60_000] },
    never: some(0.1),
    bitFlip: some(0.1),
    shortRead: some(0.1),
    staleListMs: some(10_000),
  }
}

function databaseFaults(chance: Chance): DatabaseFaults {
  const some = (most: number): number => chance.sometimes(0.5, most)
  return {
    latencyMs: [0.5, chance.between([2, 50])],
    rolledBack: some(0.2),
    lostReply: some(0.2),
    lostRequest: some(0.2),
    zombie: { chance: some(0.2), byMs: [10, 20_000] },
  }
}
