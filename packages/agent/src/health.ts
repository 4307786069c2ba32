// What an agent reports about itself: whether it is ready, and the values of its gauges.
import type { MemberMemory } from './coordinate/member-memory.ts'
import type { Limits } from './limits.ts'
import type { Membership } from './membership.ts'
import type { Packer } from './memory/packer.ts'
import type { SlabPool } from './memory/slab-pool.ts'
import type { Unpacker } from './memory/unpacker.ts'
import type { DecodedRequests } from './net/decoded-requests.ts'
import type { KafkaPort } from './net/serve.ts'
import type { CachedObjects } from './objects/wrappers/cached.ts'
import type { Gauges } from './observe/gauges.ts'
import type { StoreWatch } from './observe/store-watch.ts'
import type { UpkeepOperations } from './operations/upkeep.ts'
import type { AnswerMemory } from './read/answer-memory.ts'
import type { DamageReports } from './read/damage.ts'
import type { FetchSessions } from './read/sessions.ts'
import type { Settings } from './settings.ts'
import { storePrices } from './store-prices.ts'
import type { Clock } from './time/clock.ts'
import type { LogCompaction } from './upkeep/compaction.ts'
import type { SegmentMerge } from './upkeep/merge.ts'
import type { Tails } from './view/tails.ts'
import type { Writer } from './write/writer.ts'

/** The reasons, in words, why the agent is not ready, or what is damaged although it is ready. */
export interface Health {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

export function healthOf(of: {
  readonly stopping: boolean
  readonly stores: Pick<StoreWatch, 'failure'>
  readonly membership: Pick<Membership, 'silentMs'>
  readonly writer: Pick<Writer, 'lastFailure'>
  readonly damage: Pick<DamageReports, 'reasons'>
  readonly limits: Pick<Limits, 'heartbeatMs'>
}): Health {
  const { stopping, stores, membership, writer, damage, limits } = of
  const reasons = [
    ...(stopping ? ['the agent is stopping'] : []),
    ...(stores.failure === undefined ? [] : [stores.failure]),
    ...(membership.silentMs > 5 * limits.heartbeatMs && stores.failure === undefined
      ? [`the Metadata Service has not answered for ${Math.round(membership.silentMs / 1000)} s`]
      : []),
    ...(writer.lastFailure === undefined || stores.failure !== undefined ? [] : [`the FileStorage Service: ${writer.lastFailure}`]),
  ]
  return { ready: reasons.length === 0, reasons: [...reasons, ...damage.reasons()] }
}

export function gaugesOf(of: {
  readonly kafka: KafkaPort
  readonly writer: Pick<Writer, 'gauge' | 'flushesInFlight'>
  readonly decodedRequests: Pick<DecodedRequests, 'gauge'>
  readonly fetchSessions: Pick<FetchSessions, 'gauge'>
  readonly answerMemory: AnswerMemory
  readonly httpAnswers: AnswerMemory
  readonly unpacker: Pick<Unpacker, 'gauge'>
  readonly tails: Pick<Tails, 'gauge'>
  readonly memberMemory: Pick<MemberMemory, 'gauge'>
  readonly packer: Pick<Packer, 'gauge'>
  readonly membership: Pick<Membership, 'silentMs'>
  readonly damage: Pick<DamageReports, 'count'>
  readonly compaction: Pick<LogCompaction, 'backlog'>
  readonly clock: Pick<Clock, 'now'>
  readonly operations: { readonly upkeep: Pick<UpkeepOperations, 'jobs'> }
  readonly merge: Pick<SegmentMerge, 'backlog'>
  readonly objects: CachedObjects
  readonly cacheBytes: number
  readonly memory: SlabPool
  readonly settings: Settings
  readonly parts: {
    readonly storeMeters?: () => Gauges['store']
    readonly storeCosts?: boolean
    readonly databaseAges?: () => Gauges['databaseAges']
  }
}): Gauges {
  const {
    kafka,
    writer,
    decodedRequests,
    fetchSessions,
    answerMemory,
    httpAnswers,
    unpacker,
    tails,
    memberMemory,
    packer,
    membership,
    damage,
    compaction,
    clock,
    operations,
    merge,
    objects,
    cacheBytes,
    memory: { gauge: slabs },
    settings,
    parts: { storeMeters, storeCosts, databaseAges },
  } = of
  const prices = storeCosts === true ? storePrices(settings) : undefined
  return {
    connections: kafka.connections,
    uncommittedBytes: writer.gauge.usedBytes,
    memory: [
      ...kafka.frameMemory,
      { part: 'decoded requests', ...decodedRequests.gauge },
      { part: 'fetch sessions', ...fetchSessions.gauge },
      { part: 'uncommitted', ...writer.gauge },
      { part: 'fetch answers', ...answerMemory.gauge },
      { part: 'http answers', ...httpAnswers.gauge },
      { part: 'unpacked records', ...unpacker.gauge },
      { part: 'free slabs', usedBytes: slabs.freeBytes, limitBytes: slabs.maxFreeBytes },
      { part: 'tails', ...tails.gauge },
      { part: 'groups', ...memberMemory.gauge },
      { part: 'repacked batches', ...packer.gauge },
      { part: 'cache', usedBytes: objects.meters.bytes, limitBytes: cacheBytes },
    ],
    slabs,
    flushesInFlight: writer.flushesInFlight,
    heartbeatAgeSeconds: membership.silentMs / 1000,
    damagedPlaces: damage.count,
    compaction: compaction.backlog,
    jobs: operations.upkeep.jobs().map(({ job, lastPass, backlog, problem }) => {
      const lastPassAgeSeconds = lastPass === undefined ? undefined : (clock.now() - lastPass.endedAtMs) / 1000
      return { job, lastPassAgeSeconds, backlog, hasProblem: problem !== undefined }
    }),
    merge: merge.backlog,
    cache: objects.meters,
    store: storeMeters?.() ?? [],
    databaseAges: databaseAges?.(),
    ...(prices && { storePrices: { put: prices.perPut, list: prices.perPut, read: prices.perGet } }),
  }
}
