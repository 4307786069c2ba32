// Several agents of one cluster: kills, pauses, cuts off and outages of the database while clients use any of them.
import type { Chance } from '../chance.ts'
import { faultlessDatabase } from '../faulty-sql.ts'
import type { RunningAgent } from '../running-agent.ts'
import type { Scenario } from '../scenario.ts'
import { calmNetwork, type World } from '../world.ts'
import { outage } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'

export const agents: Scenario = {
  name: 'several agents',
  about: 'Two or three agents; each is killed, paused, drained or taken over at times, the wall clocks jump, and the database is away.',
  partitions: 1,
  agents: (chance) => chance.whole([2, 3]),
  setup: anySetup,
  limits: (chance) => ({ heartbeatMs: chance.whole([200, 1_000]) }),
  async run(world) {
    const { chance, time } = world
    const disturbed = startClients(world, {
      plain: chance.whole([0, 2]),
      idempotent: chance.whole([1, 2]),
      consumers: chance.whole([1, 2]),
      requests: 60,
      paceMs: [0, chance.between([100, 600])],
    })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 6_000]))
      await disturbAgents(world)
    }
    return disturbed
  },
}

/** One of the agents, the network, the clocks or the database. */
export async function disturbAgents(world: World): Promise<void> {
  const { chance, running } = world
  const agent = running.length === 0 ? undefined : chance.pick(running)
  switch (
    chance.pick(['kill', 'kill', 'pause', 'pause', 'take over', 'drain', 'database away', 'database', 'clocks', 'network', 'calm'] as const)
  ) {
    case 'kill':
      return await kill(world, agent)
    case 'pause':
      return await pause(world, agent)
    case 'take over':
      return await takeOver(world, agent)
    case 'drain':
      return await drain(world, agent)
    case 'database away':
      return await outage(world, 'database', [100, 30_000])
    case 'database':
      world.database.faults = { ...faultlessDatabase, ...slowDatabase(chance) }
      return
    case 'clocks':
      // The wall clock decides about no lease.
      if (agent !== undefined) agent.life.skewMs = chance.whole([-600_000, 600_000])
      return
    case 'network':
      world.network.faults = { latencyMs: [0.1, chance.between([1, 100])], split: chance.next() / 2, cut: chance.next() / 20 }
      return
    case 'calm':
      world.database.faults = faultlessDatabase
      world.network.faults = calmNetwork
  }
}

/** Long enough that another agent takes over, in half of the cases. */
export async function kill(world: World, agent: RunningAgent | undefined): Promise<void> {
  if (agent === undefined) return
  world.crash(agent)
  await world.time.sleep(world.chance.between([0, 15_000]))
  await world.start(agent.name)
}

/** An agent that was paused for longer than a time-out wakes fenced, and its world starts another life. */
export async function pause(world: World, agent: RunningAgent | undefined): Promise<void> {
  if (agent === undefined) return
  world.freeze(agent)
  await world.time.sleep(world.chance.between([10, 15_000]))
  world.thaw(agent)
}

export async function drain(world: World, agent: RunningAgent | undefined): Promise<void> {
  if (agent === undefined) return
  await world.drain(agent)
  await world.time.sleep(world.chance.between([0, 10_000]))
  await world.start(agent.name)
}

async function takeOver(world: World, agent: RunningAgent | undefined): Promise<void> {
  if (agent === undefined) return
  if (world.chance.happens(0.5)) world.freeze(agent)
  const successor = world.start(agent.name)
  await world.time.sleep(world.chance.between([0, 5_000]))
  world.thaw(agent)
  await successor
}

function slowDatabase(chance: Chance): Partial<typeof faultlessDatabase> {
  const some = (most: number): number => chance.sometimes(0.5, most)
  return {
    latencyMs: [0.5, chance.between([2, 50])],
    rolledBack: some(0.2),
    lostReply: some(0.2),
    lostRequest: some(0.2),
    zombie: { chance: some(0.2), byMs: [10, 20_000] },
  }
}
