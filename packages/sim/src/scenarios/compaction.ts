// A compacted topic: records go all the time, at any moment of an agent's life, and the last record of each key is always there.
import type { Chance } from '../chance.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'
import { crash, freeze, takeOver } from './disturbances.ts'
import { anySetup, startClients } from './loads.ts'

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
    const ends = new NamedPoints(world)
    const disturbed = startClients(world, { plain: 2, idempotent: 2, consumers: 1, requests: 40, paceMs: [0, 200] })
    for (let rounds = chance.whole([3, 8]); rounds > 0; rounds -= 1) {
      await time.sleep(chance.between([100, 3_000]))
      await disturb(world)
    }
    ends.stop()
    // Another pass, after all records.
    return { clients: disturbed.clients.then(() => time.sleep(5_000)) }
  },
}

async function disturb(world: World): Promise<void> {
  const { chance } = world
  switch (chance.pick(['crash', 'freeze', 'take over', 'drain'] as const)) {
    case 'crash':
      return await crash(world, [0, 2_000])
    case 'freeze':
      return await freeze(world, [10, 10_000])
    case 'take over':
      return await takeOver(world, [0, 5_000])
    case 'drain':
      if (world.current === undefined) return
      await world.drain(world.current)
      await world.start()
  }
}

/** The transactions of a pass: it begins, has learnt the keys, has stored an object, and has compacted a log. */
const points: ReadonlySet<string> = new Set(['beginJob', 'lastOffsetsOfProducers', 'swapSegments', 'saveCleaned'])

/** Kills the agent around these transactions: before one is done, or before its answer arrives. */
class NamedPoints {
  readonly #world: World
  readonly #chance: Chance
  #left: number

  constructor(world: World) {
    this.#world = world
    this.#chance = world.chance.stream('points')
    this.#left = this.#chance.whole([0, 8])
    world.database.decide = (transaction) => {
      if (this.#left === 0 || !points.has(transaction) || !this.#chance.happens(0.1)) return undefined
      this.#crash(transaction)
      // The swap of the dead agent may come while its successor compacts the same log.
      if (transaction !== 'swapSegments' || this.#chance.happens(0.3)) return undefined
      return { kind: 'unknown', afterMs: 1_000, runsMs: this.#chance.between([500, 8_000]) }
    }
  }

  stop(): void {
    this.#left = 0
  }

  #crash(transaction: string): void {
    const world = this.#world
    this.#left -= 1
    world.time.after(this.#chance.between([0, 5]), () => {
      const { current } = world
      if (current === undefined) return
      world.trace.write('world', `a crash at ${transaction}`)
      world.crash(current)
      world.start().catch((error: unknown) => world.checker.violate('it recovers', String(error)))
    })
  }
}
