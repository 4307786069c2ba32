// The jobs of an agent that run beside its clients, connected to the parts that they need.
import type { AgentBase, Parts } from './agent-parts.ts'
import type { TransactionCoordinator } from './coordinate/transactions.ts'
import { compactionConfigs } from './core/log/compaction/compaction-due.ts'
import { mergedSegmentBounds } from './core/log/merge/merged-segments.ts'
import { SlabTrimmer } from './memory/slab-trimmer.ts'
import type { ObjectStore } from './objects/object-store.ts'
import { CachedObjects } from './objects/wrappers/cached.ts'
import type { DamageReports } from './read/damage.ts'
import { SegmentReader } from './read/segment-reader.ts'
import { readTogether } from './read/segments-together.ts'
import { number, text } from './settings.ts'
import { Slots } from './time/slots.ts'
import { type CompactionParts, LogCompaction } from './upkeep/compaction.ts'
import { Expiry } from './upkeep/expiry.ts'
import { JobReports } from './upkeep/job-report.ts'
import { LogRetention, type LogRetentionParts } from './upkeep/log-retention.ts'
import { SegmentMerge, type SegmentMergeParts } from './upkeep/merge.ts'
import { OrphanSweep } from './upkeep/orphan-sweep.ts'
import { Scrubber } from './upkeep/scrubber.ts'
import { StorageChecks } from './upkeep/storage-checks.ts'
import type { StorageWalkParts } from './upkeep/storage-walk.ts'
import { Sweep } from './upkeep/sweep.ts'
import { TopicPurge } from './upkeep/topic-purge.ts'
import { TransactionTimeouts } from './upkeep/transaction-timeouts.ts'
import type { Catalog } from './view/catalog.ts'
import type { Owners } from './view/owners.ts'
import type { Tails } from './view/tails.ts'
import { retentionDefaults, topicConfig } from './write/topic-config.ts'

/** What runs beside the clients, and removes, replaces or checks what is stored. */
export function upkeepOf(
  base: AgentBase,
  { codecs, metadata, objects: store, remoteCompaction }: Parts,
  view: {
    readonly owners: Owners
    readonly catalog: Catalog
    readonly tails: Tails
    readonly damage: DamageReports
    readonly objects: CachedObjects
    readonly transactions: TransactionCoordinator
    readonly publishStart: LogRetentionParts['publishStart']
  },
) {
  const { settings, ioClock } = base
  const isMine = (): boolean => view.owners.ofName('storage').mine
  const checkMs = number(settings, 'log.retention.check.interval.ms')
  const reports = new JobReports(base.clock)
  const storage = storageUpkeepOf(base, { objects: store, metadata }, { ...view, reports })
  const { clusterId, log, topics, swaps, transactions } = metadata
  const onSwapped: CompactionParts['onSwapped'] = (of, nextOffset) => view.tails.forgetReplaced(of, nextOffset)
  const rewriting = { swaps, clusterId, log, topics, objects: store, rewrites: new Slots(1), onSwapped }
  const compaction: LogCompaction = new LogCompaction({
    ...base,
    ...view,
    ...compactionOptions(base, storage),
    ...rewriting,
    ...(remoteCompaction && { remoteCompaction }),
    codecs,
    transactions,
    report: reports.register({
      job: 'compaction',
      about: 'keeps the last record of each key in compacted topics',
      backlog: () => ({ partitions: compaction.backlog.dirtyPartitions, bytes: compaction.backlog.dirtyBytes }),
    }),
  })
  const merge: SegmentMerge = new SegmentMerge({
    ...base,
    ...view,
    ...mergeOptions(base, storage, store),
    grown: view.tails.grown,
    ...rewriting,
    report: reports.register({
      job: 'merge',
      about: 'merges small objects into larger ones, by partition',
      backlog: () => ({ ...merge.backlog }),
    }),
  })
  const retention = new LogRetention({
    ...base,
    ...view,
    topics,
    store: metadata.retention,
    defaults: () => retentionDefaults(settings),
    checkMs,
    report: reports.register({ job: 'retention', about: 'removes records that are too old, too many or deleted' }),
  })
  const purge = new TopicPurge({
    ...base,
    store: metadata.retention,
    isMine,
    checkMs,
    undeleteMs: number(settings, 'topic.undelete.ms'),
    report: reports.register({ job: 'purge', about: 'removes deleted topics after topic.undelete.ms', isMine }),
  })
  const sweep: Sweep = new Sweep({
    ...base,
    store: metadata.sweep,
    objects: view.objects,
    isMine,
    clock: ioClock,
    report: reports.register({
      job: 'sweep',
      about: 'removes objects whose last record is gone, when no reader can look for them any more',
      isMine,
      backlog: () => ({ ...sweep.waiting }),
    }),
  })
  const orphans: OrphanSweep = new OrphanSweep({
    ...base,
    clusterId,
    store: metadata.orphans,
    rows: metadata.damage,
    expiry: metadata.expiry,
    listed: store,
    objects: view.objects,
    isMine,
    intervalMs: number(settings, 'storage.sweep.interval.ms'),
    report: reports.register({
      job: 'orphans',
      about: 'removes objects that no commit has named, such as those of crashes',
      isMine,
      backlog: () => ({ ...orphans.left }),
      problem: () => orphans.halted ?? orphans.missing,
    }),
  })
  const expiry = new Expiry({
    ...base,
    store: metadata.expiry,
    isMine,
    checkMs,
    producersMs: () => number(settings, 'producer.id.expiration.ms'),
    keysMs: number(settings, 'http.idempotency.key.expiration.ms'),
    report: reports.register({ job: 'expiry', about: 'forgets silent producers and old idempotency keys', isMine }),
  })
  const timeouts = new TransactionTimeouts({
    ...base,
    store: transactions,
    coordinator: view.transactions,
    abortEveryMs: number(settings, 'transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    removeEveryMs: number(settings, 'transaction.remove.expired.transaction.cleanup.interval.ms'),
    unusedMs: number(settings, 'transactional.id.expiration.ms'),
    report: reports.register({ job: 'transactions', about: 'aborts transactions that have timed out' }),
  })
  const trimmer = new SlabTrimmer({ memory: base.memory, clock: ioClock })
  const jobs = [...storage.jobs, retention, compaction, merge, purge, sweep, orphans, expiry, timeouts, trimmer]
  return { storage, compaction, merge, sweep, orphans, jobs, reports }
}

/** They read past the cache, which may have bytes that the store has lost. */
function storageUpkeepOf(
  base: AgentBase,
  { objects, metadata }: Pick<Parts, 'objects' | 'metadata'>,
  { owners, damage, reports }: { readonly owners: Owners; readonly damage: DamageReports; readonly reports: JobReports },
) {
  const segments = new SegmentReader({ ...base, objects: new CachedObjects(objects, { ...base, maxBytes: 0 }), damage })
  const parts = {
    objects,
    isDamaged: async ({ segment, ...of }, signal) => (await segments.examine({ of, segment, signal })).left !== undefined,
    onIntact: (objectKey) => damage.healedObject(objectKey),
    store: metadata.damage,
    crc32c: base.crc32c,
    clock: base.ioClock,
  } satisfies StorageWalkParts
  const checks = new StorageChecks({ ...parts, wallClock: base.clock })
  const intervalMs = number(base.settings, 'storage.scrub.interval.ms')
  const isMine = (): boolean => owners.ofName('storage').mine
  const report = reports.register({ job: 'scrub', about: 'reads all stored objects and reports damage', isMine })
  const scrubber = new Scrubber({ ...parts, intervalMs, isMine, emit: base.emit, report })
  return { segments, checks, jobs: [checks, scrubber] }
}

function compactionOptions(
  { settings }: AgentBase,
  { segments }: { readonly segments: SegmentReader },
): Pick<CompactionParts, 'readSegment' | 'configsOf' | 'job' | 'checkMs' | 'producerIdExpirationMs'> {
  return {
    readSegment: async (of, segment, signal) => {
      const { bytes, left } = await segments.examine({ of, segment, signal })
      return left === undefined ? bytes : undefined
    },
    configsOf: ({ configs }) => compactionConfigs((name) => topicConfig(configs, settings, name).value),
    job: `${text(settings, 'agent.name') ?? 'agent-1'} compaction`,
    // Kafka accepts 0.
    checkMs: () => Math.max(1, number(settings, 'log.cleaner.backoff.ms')),
    producerIdExpirationMs: () => number(settings, 'producer.id.expiration.ms'),
  }
}

function mergeOptions(
  { settings, crc32c, turns, limits }: AgentBase,
  { segments }: { readonly segments: SegmentReader },
  objects: ObjectStore,
): Pick<SegmentMergeParts, 'readSegments' | 'boundsOf' | 'job' | 'intervalMs' | 'maxAgeMs'> {
  return {
    readSegments: (asked, read) => readTogether({ objects, segments, crc32c, turns }, asked, read),
    boundsOf: ({ configs }) => mergedSegmentBounds(limits.mergeSegmentBytes, (name) => topicConfig(configs, settings, name).value),
    job: `${text(settings, 'agent.name') ?? 'agent-1'} merge`,
    intervalMs: number(settings, 'storage.merge.interval.ms'),
    maxAgeMs: number(settings, 'storage.merge.max.age.ms'),
  }
}
