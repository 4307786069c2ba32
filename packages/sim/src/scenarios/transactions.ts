// Transactional producers copy records exactly once, while they are replaced, stall and die, and the agent and its stores fail.
import { faultlessDatabase } from '../faulty-sql.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { CopyOf, ReadersOfCopies, settlingCopies } from './copies.ts'
import { disturbLife, outage } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'

export const transactions: Scenario = {
  name: 'transactions',
  about:
    'Transactional producers of both protocols copy records with their offsets; they are replaced while they work, stall and die, and the agent is killed and taken over.',
  partitions: 4,
  setup: anySetup,
  merge: (chance) => (chance.happens(0.3) ? { intervalMs: chance.whole([100, 1_000]), maxAgeMs: chance.whole([100, 5_000]) } : noMerge),
  limits: (chance) => ({ mergeQuietMs: chance.whole([1, 1_000]), mergeObjectBytes: chance.whole([500, 20_000]) }),
  async run(world) {
    const { chance, time } = world
    // The third one copies what the others have copied.
    const copies = [new CopyOf(world, 0, [2, 3]), new CopyOf(world, 1, [2]), new CopyOf(world, 2, [3])]
    const readers = new ReadersOfCopies(world)
    const { clients } = startClients(world, { plain: 1, idempotent: 2, consumers: 1, requests: 30, paceMs: [0, 300] })
    const some = (most: number): number => chance.sometimes(0.5, most)
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      world.database.faults = {
        ...world.database.faults,
        rolledBack: some(0.05),
        lostReply: some(0.1),
        lostRequest: some(0.05),
        zombie: { chance: some(0.1), byMs: [10, 10_000] },
      }
      world.bucket.faults = { ...world.bucket.faults, slow: { chance: some(0.2), latencyMs: [50, 1_000] }, rejected: some(0.1) }
      world.network.faults = { ...world.network.faults, cut: some(0.02) }
      await time.sleep(chance.between([100, 4_000]))
      await disturb(world, chance.pick(copies))
    }
    return { clients: settlingCopies(world, { copies, readers, load: clients }) }
  },
}

const noMerge = { intervalMs: -1, maxAgeMs: 0 }

async function disturb(world: World, copy: CopyOf): Promise<void> {
  switch (world.chance.pick(['replace', 'replace', 'kill', 'kill', 'life', 'life', 'database', 'calm'] as const)) {
    case 'replace':
      return copy.start()
    case 'kill':
      return copy.kill()
    case 'life':
      return await disturbLife(world)
    case 'database':
      return await outage(world, 'database', [100, 10_000])
    case 'calm':
      world.database.faults = faultlessDatabase
  }
}
