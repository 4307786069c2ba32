// One kind of fault each: a store that fails, a database that does not answer, corrupted reads, agents that die, freeze and come back.
import { orLate } from '@local-kafka-service/agent'
import type { Scenario } from '../scenario.ts'
import { outage } from './disturbances.ts'
import { anySetup, longLine, startClients } from './loads.ts'

export const storeOutage: Scenario = {
  name: 'store outage',
  about: 'The bucket is unavailable for longer than a put may take; puts fail, land late, or land after their flush was given up.',
  partitions: 3,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    const disturbed = startClients(world, { plain: 2, idempotent: 2, consumers: 1, requests: 60, paceMs: [0, 200] })
    for (let outages = chance.whole([1, 3]); outages > 0; outages -= 1) {
      await time.sleep(chance.between([200, 2_000]))
      world.bucket.faults = {
        ...world.bucket.faults,
        rejected: chance.between([0, 0.3]),
        lostReply: chance.between([0, 0.3]),
        never: chance.between([0, 0.2]),
        late: { chance: chance.between([0, 0.3]), byMs: [1_000, 60_000] },
      }
      world.bucket.away = chance.happens(0.7)
      world.trace.write('world', `the bucket is ${world.bucket.away ? 'away' : 'failing'}`)
      await time.sleep(chance.between([500, 45_000]))
      world.bucket.away = false
    }
    return disturbed
  },
}

export const lineStop: Scenario = {
  name: 'line stop',
  about: 'One put of a full line fails permanently while later puts succeed: all of them are given up, and no flush overtakes another.',
  partitions: 1,
  setup: longLine,
  async run(world) {
    const { chance } = world
    const fates = chance.stream('uploads')
    const doomed = new Map<string, boolean>()
    world.bucket.decide = (key) => {
      const fails = doomed.get(key) ?? fates.happens(0.08)
      doomed.set(key, fails)
      if (!fails) return { kind: 'stored', afterMs: fates.between([2, 60]) }
      return fates.happens(0.5)
        ? { kind: 'rejected', afterMs: fates.between([2, 60]) }
        : { kind: 'unknown', afterMs: fates.between([100, 2_000]), landsMs: fates.between([1_000, 90_000]) }
    }
    const { clients } = startClients(world, { plain: 2, idempotent: 2, consumers: 1, requests: 80, paceMs: [0, 60] })
    await orLate(clients, { clock: world.time, afterMs: 120_000 }, undefined)
    return { clients }
  },
}

export const lostCommitReplies: Scenario = {
  name: 'lost commit replies',
  about: 'Commits lose their reply after or before they are done, are rejected, or are done long after the caller gave up.',
  partitions: 2,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    const disturbed = startClients(world, { plain: 2, idempotent: 2, keyed: 1, consumers: 1, requests: 60, paceMs: [0, 150] })
    world.database.faults = {
      latencyMs: [0.5, 20],
      rolledBack: chance.between([0, 0.2]),
      lostReply: chance.between([0.05, 0.3]),
      lostRequest: chance.between([0, 0.2]),
      zombie: { chance: chance.between([0.05, 0.3]), byMs: [10, 20_000] },
    }
    if (chance.happens(0.5)) {
      await time.sleep(chance.between([500, 5_000]))
      world.trace.write('world', 'the database is away')
      await outage(world, 'database', [500, 40_000])
    }
    await orLate(disturbed.clients, { clock: time, afterMs: 60_000 }, undefined)
    return disturbed
  },
}

export const crashAndRestart: Scenario = {
  name: 'crash and restart',
  about: 'The agent is killed at any moment, with puts and commits in flight, and started again; each acknowledged record is there once.',
  partitions: 3,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    world.bucket.faults = {
      ...world.bucket.faults,
      late: { chance: 0.05, byMs: [100, 20_000] },
      slow: { chance: 0.1, latencyMs: [100, 1_000] },
    }
    world.database.faults = { ...world.database.faults, lostReply: 0.03, zombie: { chance: 0.05, byMs: [10, 3_000] } }
    const disturbed = startClients(world, { plain: 2, idempotent: 2, keyed: 1, consumers: 2, requests: 60, paceMs: [0, 150] })
    for (let crashes = chance.whole([1, 5]); crashes > 0; crashes -= 1) {
      await time.sleep(chance.between([50, 3_000]))
      if (world.current === undefined) continue
      if (chance.happens(0.2)) await world.drain(world.current)
      else world.crash(world.current)
      if (chance.happens(0.5)) await time.sleep(chance.between([0, 2_000]))
      await world.start()
    }
    return disturbed
  },
}

export const fencedZombie: Scenario = {
  name: 'fenced zombie',
  about: 'The agent is frozen, another life takes over its name, and the old life wakes up with all its work in flight.',
  partitions: 2,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    world.bucket.faults = { ...world.bucket.faults, slow: { chance: 0.2, latencyMs: [100, 2_000] } }
    world.database.faults = { ...world.database.faults, zombie: { chance: 0.05, byMs: [10, 10_000] } }
    const disturbed = startClients(world, { plain: 2, idempotent: 2, keyed: 1, consumers: 2, requests: 60, paceMs: [0, 120] })
    for (let sleeps = chance.whole([1, 3]); sleeps > 0; sleeps -= 1) {
      await time.sleep(chance.between([100, 2_000]))
      const former = world.current
      if (former === undefined) continue
      world.freeze(former)
      await time.sleep(chance.between([0, 3_000]))
      const successor = world.start()
      // It may wake up before, during or after the takeover.
      await time.sleep(chance.between([0, 4_000]))
      world.thaw(former)
      await successor
    }
    return disturbed
  },
}

export const twoProducers: Scenario = {
  name: 'two producers',
  about:
    'Producers of both kinds share partitions over a network that splits and loses connections, so that every batch is retried somewhere.',
  partitions: 1,
  setup: anySetup,
  async run(world) {
    const { chance, time } = world
    world.network.faults = { latencyMs: [0.1, 40], split: 0.3, cut: chance.between([0.005, 0.06]) }
    const disturbed = startClients(world, { plain: 2, idempotent: 3, consumers: 2, requests: 60, paceMs: [0, 60] })
    await orLate(disturbed.clients, { clock: time, afterMs: 60_000 }, undefined)
    return disturbed
  },
}

export const rottenReads: Scenario = {
  name: 'rotten reads',
  about: 'Reads return with a flipped bit or truncated, without a cache to hide it: a reader gets correct records or an error.',
  partitions: 1,
  setup: (chance) => ({ ...anySetup(chance), cacheBytes: chance.pick([0, 0, 10_000]) }),
  async run(world) {
    const { chance, time } = world
    world.bucket.faults = {
      ...world.bucket.faults,
      bitFlip: chance.between([0.02, 0.5]),
      shortRead: chance.between([0, 0.3]),
      rejected: 0.05,
    }
    const disturbed = startClients(world, { plain: 2, idempotent: 2, consumers: 3, requests: 40, paceMs: [0, 30] })
    await orLate(disturbed.clients, { clock: time, afterMs: 30_000 }, undefined)
    return disturbed
  },
}
