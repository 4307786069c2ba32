// The clients that most scenarios have, and the flush policies that they draw from.
import type { FlushPolicy } from '@local-kafka-service/agent/simulation'
import type { Chance, Range } from '../chance.ts'
import type { Disturbed } from '../scenario.ts'
import { type AgentSetup, groupCommit, type World } from '../world.ts'

export interface Clients {
  readonly plain: number
  readonly idempotent: number
  /** Producers over the record transactions, with idempotency keys. */
  readonly keyed?: number
  readonly consumers: number
  readonly requests: number
  readonly paceMs: Range
  readonly byTopicId?: true
  /** The difference of the plain producers' timestamps from the time. */
  readonly skewMs?: Range
  /** A prefix of their names, if a scenario starts more than one set. */
  readonly prefix?: string
}

/** Starts all clients. The returned promise settles when the producers are done and the consumers have stopped. */
export function startClients(
  world: World,
  { plain, idempotent, keyed = 0, consumers, requests, paceMs, byTopicId, skewMs, prefix = '' }: Clients,
): Disturbed {
  const { chance } = world
  const load = { requests, paceMs, records: [1, 3] as const, spread: [1, 2] as const }
  const known = byTopicId === undefined ? {} : { byTopicId }
  const producers = [
    ...Array.from({ length: plain }, (_, index) =>
      world
        .plainProducer({
          ...load,
          ...known,
          ...(skewMs && { skewMs }),
          name: `${prefix}plain-${index + 1}`,
          acks: chance.pick([-1, -1, -1, 1, 0]),
          inFlight: 5,
          alsoFetches: chance.pick([0, 0, 0.3]),
        })
        .run(),
    ),
    ...Array.from({ length: idempotent }, (_, index) =>
      world
        .idempotentProducer({
          ...load,
          name: `${prefix}once-${index + 1}`,
          requestTimeoutMs: chance.between([2_000, 30_000]),
          deliveryTimeoutMs: 120_000,
        })
        .run(),
    ),
    ...Array.from({ length: keyed }, (_, index) => world.keyedProducer({ name: `${prefix}keyed-${index + 1}`, requests, paceMs }).run()),
  ]
  const followers = Array.from({ length: consumers }, (_, index) =>
    world.consumer({
      ...known,
      name: `${prefix}reader-${index + 1}`,
      from: chance.pick(['earliest', 'somewhere']),
      maxWaitMs: chance.whole([0, 500]),
    }),
  )
  const following = followers.map((follower) => follower.run())
  const clients = Promise.all(producers).then(() => {
    for (const follower of followers) follower.stop()
    return Promise.all(following)
  })
  // The caller that awaits it sees the rejection; this handler only keeps it from being unhandled until then.
  clients.catch(() => {})
  return { clients }
}

/** Like on S3: several flushes in flight, a linger, a budget of PUTs and mostly a higher one for closed loops. Sizes are small, so that each trigger fires. */
export function parallelFlushes(chance: Chance): FlushPolicy {
  return {
    maxBytes: chance.whole([150, 2_000]),
    lingerMs: chance.between([0, 40]),
    flushesInFlight: chance.whole([2, 8]),
    putsPerSecond: chance.pick([50, 200, Number.POSITIVE_INFINITY]),
    burst: chance.whole([1, 8]),
    ...(chance.happens(0.7) && { putsPerSecondMax: chance.pick([100, 400]) }),
  }
}

/** With a cache of any size, including none. */
export function anySetup(chance: Chance): AgentSetup {
  return { flush: chance.happens(0.3) ? groupCommit : parallelFlushes(chance), cacheBytes: chance.pick([0, 20_000, 1024 * 1024]) }
}

/** A full line: as many flushes in flight as the chain uploads at a time. */
export function longLine(chance: Chance): AgentSetup {
  return { flush: { ...parallelFlushes(chance), flushesInFlight: 8, putsPerSecond: Number.POSITIVE_INFINITY }, cacheBytes: 1024 * 1024 }
}
