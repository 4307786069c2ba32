// Transactional producers copy records exactly once while the agents of a cluster are killed, paused, drained and replaced: markers in partitions of others, and late requests of fenced agents.
import type { Scenario } from '../scenario.ts'
import { disturbAgents } from './agents.ts'
import { CopyOf, ReadersOfCopies, settlingCopies } from './copies.ts'
import { anySetup, startClients } from './loads.ts'

export const transactionsOfAgents: Scenario = {
  name: 'transactions of several agents',
  about: 'Transactional producers copy records with two or three agents, which are killed, paused and taken over; any agent reads.',
  partitions: 4,
  agents: (chance) => chance.whole([2, 3]),
  setup: anySetup,
  limits: (chance) => ({ heartbeatMs: chance.whole([200, 1_000]) }),
  async run(world) {
    const { chance, time } = world
    const copies = [new CopyOf(world, 0, [2, 3]), new CopyOf(world, 1, [2])]
    const readers = new ReadersOfCopies(world)
    const { clients } = startClients(world, { plain: 0, idempotent: 2, consumers: 1, requests: 30, paceMs: [0, 300] })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 6_000]))
      const copy = chance.pick(copies)
      switch (chance.pick(['agents', 'agents', 'replace', 'kill'] as const)) {
        case 'agents':
          await disturbAgents(world)
          break
        case 'replace':
          copy.start()
          break
        case 'kill':
          copy.kill()
      }
    }
    return { clients: settlingCopies(world, { copies, readers, load: clients }) }
  },
}
