// The Metadata Service over a database: creates or upgrades the tables, opens the cluster, and turns each transaction's outcome into the port's promise.
import type { ClusterId } from '../core/ids.ts'
import { slotsOfNewCluster } from '../core/slots.ts'
import { defaultLimits, fixedLimits, type Limits } from '../limits.ts'
import { backOffMs } from '../time/back-off.ts'
import type { Clock, Random } from '../time/clock.ts'
import { sleep } from '../time/sleep.ts'
import type { DamageStore, SegmentInObject } from './damage-store.ts'
import type { ExpiryStore } from './expiry-store.ts'
import {
  type GroupStore,
  type HttpUrls,
  type LogIndex,
  type Members,
  MetadataError,
  type MetadataStore,
  type ResourceConfigs,
  type Topics,
} from './metadata-store.ts'
import type { OrphanStore } from './orphan-store.ts'
import type { SegmentPlace } from './recovery.ts'
import type { DamagedLog, RecoveryStore } from './recovery-store.ts'
import type { RetentionStore } from './retention-store.ts'
import { schemaVersion } from './schema.ts'
import type { InputOf, ResultOf, Sql } from './sql.ts'
import type { SwapStore } from './swap-store.ts'
import type { SweepStore } from './sweep-store.ts'
import type { TransactionStore } from './transaction-store.ts'
import type { Transactions } from './transactions.ts'

export interface OpenMetadataOptions {
  /** The cluster to serve, created if absent. Undefined: the only cluster in the database. */
  readonly clusterId?: ClusterId | undefined
  /** The id of the cluster that is created when the database holds none: a fresh random UUID. */
  readonly newClusterId: ClusterId
  readonly clock: Clock
  /** For the pauses between attempts. */
  readonly random: Pick<Random, 'next'>
  /** Default: `defaultLimits`. */
  readonly limits?: Pick<Limits, 'metadataDeadlineMs' | 'segmentBytes'>
}

export interface OpenedMetadata extends MetadataStore {
  /** This call created the cluster, so its prefix in the object store must be new, too. */
  readonly created: boolean
}

/** Rejects with a MetadataError; its `reason` gives the cause where a person can act on it. The handle closes `sql`; if this rejects, the caller closes it. */
export async function openMetadata(
  sql: Sql<Transactions>,
  { clusterId, newClusterId, clock, random, limits = defaultLimits }: OpenMetadataOptions,
): Promise<OpenedMetadata> {
  const { metadataDeadlineMs, segmentBytes } = limits
  const run = patient(sql, { clock, random, metadataDeadlineMs })
  const schema = await run('migrate', () => ({}))
  if (schema.kind === 'newer') {
    const message = `The database has schema version ${schema.version}, which needs a server of schema version ${schema.minimumReader}; this one has ${schemaVersion}. Use a newer version of this server.`
    throw new MetadataError('invalid', message, { reason: 'newer schema' })
  }
  const opened = await run('openCluster', () => ({
    ...(clusterId === undefined ? {} : { clusterId }),
    newClusterId,
    newSlots: slotsOfNewCluster,
  }))
  if (opened.kind === 'several') {
    const message = `The database holds ${opened.clusterIds.length} clusters and none was named. Name one of them: ${opened.clusterIds.join(', ')}.`
    throw new MetadataError('invalid', message, { reason: 'several clusters' })
  }
  const { cluster, created } = opened
  const noHttp: HttpUrls = { controlUrl: null, dataUrl: null }
  const topics: Topics = {
    find: ({ names = [], topicIds = [] }) => run('findTopics', () => ({ cluster, input: { names, topicIds } })),
    list: () => run('listTopics', () => ({ cluster, input: {} })),
    create: (input) => run('createTopic', () => ({ cluster, input })),
    delete: (topicId) => run('deleteTopic', (unsure) => ({ cluster, input: { topicId, unsure } })),
    deleted: () => run('listDeletedTopics', () => ({ cluster, input: {} })),
    undelete: (topicId) => run('undeleteTopic', (unsure) => ({ cluster, input: { topicId, unsure } })),
    grow: (input) => run('growTopic', (unsure) => ({ cluster, input: { ...input, unsure } })),
    changeConfigs: (input) => run('changeTopicConfigs', () => ({ cluster, input })),
  }
  const resources: ResourceConfigs = {
    list: () => run('listResourceConfigs', () => ({ cluster, input: {} })),
    change: (input) => run('changeResourceConfigs', () => ({ cluster, input })),
  }
  const log: LogIndex = {
    async commit(input) {
      const outcome = await sql.run('commit', { cluster, input: { ...input, segmentBytes } }, fixedLimits.commitDeadlineMs)
      return outcome.kind === 'committed' ? outcome.value : outcome
    },
    find: (input) => run('findSegments', () => ({ cluster, input })),
    partitions: (input) => run('partitionStates', () => ({ cluster, input })),
    findByTime: (input) => run('findByTime', () => ({ cluster, input })),
    sizes: (input) => run('partitionSizes', () => ({ cluster, input })),
    producers: (asked, { expirationMs }) => run('activeProducers', () => ({ cluster, input: { asked, expirationMs } })),
    deleteRecords: (owner, asks) => run('deleteRecords', () => ({ cluster, input: { owner, asks } })),
    allocateProducerIds: (input) => run('allocateProducerIds', () => ({ cluster, input })),
  }
  const members: Members = {
    register: (input) => run('register', () => ({ cluster, input })),
    leases: () => run('listLeases', () => ({ cluster, input: {} })),
    beat: (incarnation, http = noHttp) => run('beat', () => ({ cluster, input: { incarnation, http } })),
    take: (input) => run('takeSlots', () => ({ cluster, input })),
    give: (input) => run('giveSlots', () => ({ cluster, input })),
    slots: () => run('listSlots', () => ({ cluster, input: {} })),
    leave: (input) => run('leave', () => ({ cluster, input })),
  }
  const groups: GroupStore = {
    open: (input) => run('openGroup', () => ({ cluster, input })),
    save: (input) => run('saveGroup', (unsure) => ({ cluster, input: { ...input, unsure } })),
    list: () => run('listGroups', () => ({ cluster, input: {} })),
    find: (groupIds) => run('findGroups', () => ({ cluster, input: { groupIds } })),
    offsets: (input) => run('fetchOffsets', () => ({ cluster, input })),
    offsetsAt: (places) => run('fetchOffsetsAt', () => ({ cluster, input: { places } })),
    expirable: (input) => run('expirableGroups', () => ({ cluster, input })),
    expire: (input) => run('expireOffsets', () => ({ cluster, input })),
    aged: (input) => run('agedTopics', () => ({ cluster, input })),
  }
  const transactions: TransactionStore = {
    decide: (input) => run('decideTransactional', (unsure) => ({ cluster, input: { ...input, unsure } })),
    timedOut: (after) => run('timedOutTransactions', () => ({ cluster, input: { after } })),
    unused: (input) => run('unusedTransactionalIds', () => ({ cluster, input })),
    list: (after) => run('listTransactions', () => ({ cluster, input: { after } })),
    find: (transactionalId) => run('findTransaction', () => ({ cluster, input: { transactionalId } })),
    pendingIn: (groupIds) => run('pendingOffsets', () => ({ cluster, input: { groupIds } })),
    aborted: (input) => run('abortedTransactions', () => ({ cluster, input })),
  }
  const recovery: RecoveryStore = {
    recentObjects: (input) => run('recentObjects', () => ({ cluster, input })),
    async damagedLogs(damaged) {
      const first = new Map<number, DamagedLog>()
      for (const objects of inSteps(damaged, fixedLimits.recoveryObjectsPerStep))
        for (let after: SegmentPlace | undefined, more = true; more; more = after !== undefined) {
          const maxSegments = fixedLimits.recoverySegmentsPerStep
          const page = await run('damagedLogs', () => ({ cluster, input: { objects, maxSegments, ...(after && { after }) } }))
          for (const found of page.logs) {
            const known = first.get(found.logId)
            if (known === undefined || found.fromOffset < known.fromOffset) first.set(found.logId, found)
          }
          after = page.next
        }
      return [...first.values()]
    },
    async cut(logs) {
      for (const input of inSteps(logs, fixedLimits.recoveryLogsPerStep)) await run('cutLogs', () => ({ cluster, input }))
    },
    async forget(objects) {
      for (const input of inSteps(objects, fixedLimits.recoveryObjectsPerStep)) await run('forgetObjects', () => ({ cluster, input }))
    },
  }
  const damage: DamageStore = {
    objects: (input) => run('objectsAfter', () => ({ cluster, input })),
    objectsAt: (input) => run('objectsAt', () => ({ cluster, input })),
    totals: () => run('objectTotals', () => ({ cluster, input: {} })),
    async segmentsIn(objects) {
      const found: SegmentInObject[] = []
      for (let after: SegmentPlace | undefined, more = objects.length > 0; more; more = after !== undefined) {
        const maxSegments = fixedLimits.recoverySegmentsPerStep
        const page = await run('segmentsIn', () => ({ cluster, input: { objects, maxSegments, ...(after && { after }) } }))
        found.push(...page.segments)
        after = found.length < fixedLimits.damageReports ? page.next : undefined
      }
      return found.slice(0, fixedLimits.damageReports)
    },
    skip: (input) => run('skipDamage', () => ({ cluster, input })),
    skipped: (input) => run('skippedRanges', () => ({ cluster, input })),
    scrub: () => run('scrubState', () => ({ cluster, input: {} })),
    async saveScrub(input) {
      await run('saveScrub', () => ({ cluster, input }))
    },
  }
  const swaps: SwapStore = {
    beginJob: (input) => run('beginJob', () => ({ cluster, input })),
    async endJob(input) {
      await run('endJob', () => ({ cluster, input }))
    },
    swap: (input) => run('swapSegments', () => ({ cluster, input })),
    compactions: (input) => run('compactionStates', () => ({ cluster, input })),
    lastOffsets: (input) => run('lastOffsetsOfProducers', () => ({ cluster, input })),
    async saveCleaned(input) {
      await run('saveCleaned', () => ({ cluster, input }))
    },
    mergeStates: (input) => run('mergeStates', () => ({ cluster, input })),
    mergeSources: (input) => run('mergeSources', () => ({ cluster, input })),
    async saveMerged(input) {
      await run('saveMerged', () => ({ cluster, input }))
    },
  }
  const retention: RetentionStore = {
    due: (input) => run('retentionDue', () => ({ cluster, input })),
    step: (input) => run('retentionStep', () => ({ cluster, input })),
    purge: (input) => run('purgeStep', () => ({ cluster, input })),
  }
  const sweep: SweepStore = {
    released: (input) => run('releasedObjects', () => ({ cluster, input })),
    unchanged: (input) => run('unchangedReleases', () => ({ cluster, input })),
    namedIn: (input) => run('namedObjects', () => ({ cluster, input })),
    async forget(input) {
      await run('forgetReleased', () => ({ cluster, input }))
    },
    async keep(input) {
      await run('keepReleased', () => ({ cluster, input }))
    },
  }
  const orphans: OrphanStore = {
    standings: (input) => run('objectStandings', () => ({ cluster, input })),
  }
  const expiry: ExpiryStore = {
    expireProducers: (input) => run('expireProducers', () => ({ cluster, input })),
    expireKeys: (input) => run('expireKeys', () => ({ cluster, input })),
    expireProducerIds: (input) => run('expireProducerIds', () => ({ cluster, input })),
    forgetIncarnations: (input) => run('forgetIncarnations', () => ({ cluster, input })),
    fenceOldJobs: (input) => run('fenceOldJobs', () => ({ cluster, input })),
  }
  return {
    clusterId: cluster.id,
    slots: cluster.slots,
    created,
    topics,
    resources,
    log,
    members,
    groups,
    transactions,
    recovery,
    damage,
    swaps,
    retention,
    sweep,
    orphans,
    expiry,
    close: () => sql.close(),
  }
}

type RunTransaction = <N extends keyof Transactions>(
  transaction: N,
  input: (unsure: boolean) => InputOf<Transactions[N]>,
) => Promise<ResultOf<Transactions[N]>>

/** Repeats the same call until the deadline while its outcome is rolled back or unknown. `unsure`: an earlier attempt may have been committed. */
function patient(
  sql: Sql<Transactions>,
  { clock, random, metadataDeadlineMs }: Pick<OpenMetadataOptions, 'clock' | 'random'> & Pick<Limits, 'metadataDeadlineMs'>,
): RunTransaction {
  return async (transaction, input) => {
    const deadline = clock.monotonic() + metadataDeadlineMs
    const backOff = { firstMs: fixedLimits.commitRetryMs, maxMs: fixedLimits.commitRetryMaxMs }
    let unsure = false
    for (let tries = 1; ; tries += 1) {
      const remainingMs = deadline - clock.monotonic()
      const outcome = await sql.run(transaction, input(unsure), Math.max(1, Math.min(remainingMs, fixedLimits.commitDeadlineMs)))
      if (outcome.kind === 'committed') return outcome.value
      const { error } = outcome
      if (error instanceof MetadataError && error.kind === 'invalid') throw error
      if (outcome.kind === 'unknown') unsure = true
      // A full disk does not pass by itself within the deadline, so the caller gets the error at once.
      if (error instanceof MetadataError && error.reason === 'disk full') throw error
      const delayMs = backOffMs(tries, backOff, random)
      if (clock.monotonic() + delayMs >= deadline) {
        const reason = error instanceof MetadataError && error.reason !== undefined ? { reason: error.reason } : {}
        throw new MetadataError('unavailable', `The metadata database did not complete '${transaction}' in time: ${error.message}`, {
          cause: error,
          ...reason,
        })
      }
      await sleep(clock, delayMs)
    }
  }
}

function* inSteps<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
