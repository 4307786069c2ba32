// The two named failures of a log on an object store: a slow flush that is beaten by a newer one, and a flush that is sealed on size and on time.
import type { Scenario } from '../scenario.ts'
import { longLine, startClients } from './loads.ts'

export const slowFlushBeatsNewerFlush: Scenario = {
  name: 'slow flush beats newer flush',
  about:
    'Every few uploads, one takes a hundred times longer than later ones; records must keep their order, and none is visible before its turn.',
  partitions: 2,
  setup: longLine,
  async run(world) {
    const { chance } = world
    const fates = chance.stream('uploads')
    const every = chance.whole([2, 4])
    world.bucket.decide = (_, puts) => ({
      kind: 'stored',
      afterMs: puts % every === 0 ? fates.between([500, 3_000]) : fates.between([2, 15]),
    })
    const { clients } = startClients(world, { plain: 2, idempotent: 1, consumers: 2, requests: 40, paceMs: [0, 20] })
    await clients
    return { clients }
  },
}

export const flushingOnSizeInsteadOfTime: Scenario = {
  name: 'flushing on size instead of time',
  about: 'A flush reaches its size about when its linger ends, so both triggers meet; each record is flushed exactly once.',
  partitions: 2,
  setup: (chance) => ({
    flush: {
      maxBytes: chance.whole([200, 900]),
      lingerMs: chance.between([2, 10]),
      flushesInFlight: 8,
      putsPerSecond: Number.POSITIVE_INFINITY,
      burst: 8,
    },
    cacheBytes: 1024 * 1024,
  }),
  async run(world) {
    const { lingerMs } = world.setup.flush
    world.bucket.faults = { ...world.bucket.faults, latencyMs: [lingerMs, lingerMs * 4] }
    const { clients } = startClients(world, { plain: 3, idempotent: 1, consumers: 1, requests: 60, paceMs: [0, lingerMs] })
    await clients
    return { clients }
  },
}
