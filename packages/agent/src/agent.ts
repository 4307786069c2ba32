// One agent: it connects the given parts. It reads like a table of contents: every constructor is here, no rule is.
// It is longer than other files because it is one thing: a list of constructors.
import type { Codecs } from '@local-kafka-service/protocol'
import { openGate } from './api/gate.ts'
import { handlers } from './api/index.ts'
import { Groups, type GroupsParts } from './coordinate/groups.ts'
import { MemberMemory } from './coordinate/member-memory.ts'
import { TransactionCoordinator } from './coordinate/transactions.ts'
import type { Checksum } from './core/checksum.ts'
import type { ClassicSettings } from './core/group/classic-messages.ts'
import type { ClusterId, TopicPartition } from './core/ids.ts'
import { compactionConfigs } from './core/log/compaction/compaction-due.ts'
import { mergedSegmentBounds } from './core/log/merge/merged-segments.ts'
import { gaugesOf, type Health, healthOf } from './health.ts'
import { type AgentEnd, Lifecycle } from './lifecycle.ts'
import { fixedLimits, type Limits } from './limits.ts'
import { Membership, type MembershipListener, type Self, type TakeOver } from './membership.ts'
import { memoryPlan } from './memory/memory-plan.ts'
import { Packer, type RemotePackers } from './memory/packer.ts'
import { SlabPool } from './memory/slab-pool.ts'
import { SlabTrimmer } from './memory/slab-trimmer.ts'
import { type RemoteCodecs, Unpacker } from './memory/unpacker.ts'
import type { Member, MetadataStore } from './metadata/metadata-store.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { ListenAddress, Network } from './net/network.ts'
import { type KafkaPort, serveKafka } from './net/serve.ts'
import type { ObjectStore } from './objects/object-store.ts'
import { CachedObjects } from './objects/wrappers/cached.ts'
import type { AgentEvent, EventHook } from './observe/events.ts'
import { type Gauges, Meters, type Metric } from './observe/metrics.ts'
import { RecentFlushes } from './observe/recent-flushes.ts'
import { RecentRequests } from './observe/recent-requests.ts'
import { StoreWatch } from './observe/store-watch.ts'
import { BrokerConfigOperations } from './operations/broker-configs.ts'
import { DamageOperations } from './operations/damage.ts'
import { GroupOperations } from './operations/groups.ts'
import { RecordDeletion } from './operations/record-deletion.ts'
import { RecordOperations } from './operations/records.ts'
import { TopicCompaction } from './operations/topic-compaction.ts'
import { TopicMetrics } from './operations/topic-metrics.ts'
import { TopicOperations } from './operations/topics.ts'
import { UpkeepOperations } from './operations/upkeep.ts'
import { AnswerMemory } from './read/answer-memory.ts'
import { DamageReports } from './read/damage.ts'
import { Follower } from './read/follower.ts'
import { Offsets } from './read/offsets.ts'
import { Reader } from './read/reader.ts'
import { SegmentReader } from './read/segment-reader.ts'
import { readTogether } from './read/segments-together.ts'
import { FetchSessions } from './read/sessions.ts'
import type { Services } from './services.ts'
import { flag, number, type Settings, text } from './settings.ts'
import type { Clock, Random } from './time/clock.ts'
import { Slots } from './time/slots.ts'
import { Turns } from './time/turns.ts'
import { type CompactionParts, LogCompaction } from './upkeep/compaction.ts'
import type { RemoteCompaction } from './upkeep/compaction-work.ts'
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
import { Catalog } from './view/catalog.ts'
import { DynamicConfigs } from './view/dynamic-configs.ts'
import type { Owners } from './view/owners.ts'
import { Tails } from './view/tails.ts'
import { ProducerIds } from './write/producer-ids.ts'
import { retentionDefaults, topicConfig } from './write/topic-config.ts'
import { type FlushPolicy, Writer } from './write/writer.ts'

/** All access to the outside world. An agent has no other, so a simulator can provide it. */
export interface Parts {
  readonly clock: Clock
  /** The clock of sockets, stores and leases, which need real time when `clock` can be moved. Default: `clock`. */
  readonly ioClock?: Clock
  /** The clock of sessions and rebalances of groups, when their time is moved separately. Default: `clock`. */
  readonly sessionClock?: Clock
  readonly random: Random
  readonly network: Network
  /** Opened on the prefix that this cluster has claimed. */
  readonly objects: ObjectStore
  /** Opened for the cluster. */
  readonly metadata: MetadataStore
  readonly codecs: Codecs
  /** Decompression outside the event loop. Default: none, so that it is deterministic. */
  readonly remoteCodecs?: RemoteCodecs
  readonly remotePackers?: RemotePackers
  readonly remoteCompaction?: RemoteCompaction
  readonly crc32c: Checksum
  /** The memory of frames and objects. Default: a pool of the agent's own. Tests have one that overwrites released memory. */
  readonly memory?: SlabPool
  readonly emit: EventHook
  /** What the object store and the database report, if they are watched. */
  readonly storeMeters?: () => Gauges['store']
  readonly databaseAges?: () => Gauges['databaseAges']
  /** True: requests to the object store cost money, so the metrics have their cost. */
  readonly storeCosts?: boolean
  /** The current reason, as reported by the stores, why this agent cannot write. Absent: the agent makes its own. */
  readonly stores?: StoreWatch
  /** The memory of the machine, from which the default of `memory.bytes` follows. Absent: enough for all defaults. */
  readonly machineBytes?: number
  /** Default: those of `memory.bytes`. `metadata` is opened with the same. */
  readonly limits?: Limits
  /** Sees every request and may fail it. Only tests provide one: there is no setting and no command for it. */
  readonly interceptor?: Interceptor
}

export interface AgentOptions {
  readonly settings: Settings
  readonly listen: readonly ListenAddress[]
  /** The address that clients receive instead of the one that they connected to. */
  readonly advertised?: { readonly host: string; readonly port: number }
  readonly flush: FlushPolicy
  /** Default: `once silent`. */
  readonly takeOver?: TakeOver
  /** The machine's name, shown to people when another start finds this agent's lease. */
  readonly machine?: string
}

/** What can be done with the data of an agent, said once for HTTP, commands and embedding programs. */
export interface AgentOperations {
  readonly topics: TopicOperations
  readonly brokerConfigs: BrokerConfigOperations
  readonly records: RecordOperations
  readonly recordDeletion: RecordDeletion
  readonly groups: GroupOperations
  readonly damage: DamageOperations
  readonly compaction: TopicCompaction
  readonly upkeep: UpkeepOperations
  readonly topicMetrics: TopicMetrics
}

/** What another server of the same agent shares with its Kafka port. */
export interface SharedServices extends Pick<Services, 'clock' | 'ioClock' | 'turns' | 'random' | 'settings' | 'gate' | 'emit' | 'owners'> {
  /** The memory of HTTP answers with records. */
  readonly httpAnswers: AnswerMemory
}

/** What this agent did in the last minutes. */
export interface RecentActivity {
  readonly requests: RecentRequests
  readonly flushes: RecentFlushes
}

export interface Agent {
  readonly clusterId: ClusterId
  readonly brokerId: number
  /** The addresses on which it listens for Kafka clients, in the order of `listen`. */
  readonly addresses: readonly ListenAddress[]
  readonly operations: AgentOperations
  readonly shared: SharedServices
  /** The live agents, as of the last heartbeat. */
  members(): Iterable<Member>
  /** The reason why this agent cannot write to its stores, if there is one. */
  storeFailure(): string | undefined
  health(): Health
  metrics(): readonly Metric[]
  readonly recent: RecentActivity
  /** Settles once, when the agent ends. */
  readonly ended: Promise<AgentEnd>
  /** Stops accepting, answers admitted requests, flushes, gives its slots up. The stores stay open: the creator of the parts closes them. */
  drain(): Promise<void>
  /** Ends at once, like a crash: connections drop, nothing is flushed, no slot is given up. */
  kill(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Registers the agent and opens its port. Rejects if the port is taken or a service is away, and with a LeaseHeldError if a living agent has its name. */
export async function createAgent(parts: Parts, options: AgentOptions): Promise<Agent> {
  return (await buildAgent(parts, options)).agent
}

/** For tests, which replace the services of single requests. */
export async function buildAgent(parts: Parts, options: AgentOptions): Promise<{ readonly agent: Agent; readonly services: Services }> {
  const { settings, flush, takeOver = 'once silent' } = options
  const {
    clusterId,
    log,
    members,
    slots,
    resources,
    transactions: transactionStore,
    topics: topicStore,
    groups: groupStore,
  } = parts.metadata
  const meters = new Meters()
  const base = baseOf(parts, settings, meters)
  const { emit, ioClock, limits } = base

  const membership = await Membership.join({ ...base, clock: ioClock, members, slots }, selfOf(options), takeOver)
  const { incarnation, brokerId } = membership.registration
  const brokerConfigs = new BrokerConfigOperations({ ...base, resources, brokerId })
  await brokerConfigs.read()
  const catalog = new Catalog()
  const tails = new Tails((asked) => log.partitions(asked), limits)
  const view = { owners: membership.owners, catalog, tails }

  const objects = new CachedObjects(parts.objects, { ...base, blockBytes: limits.readBlockBytes, maxBytes: base.cacheBytes })
  const chain = { clock: ioClock, clusterId, incarnation, objects, log }
  const writer = new Writer({
    ...base,
    ...view,
    ...chain,
    policy: flush,
    producerIdExpirationMs: number(settings, 'producer.id.expiration.ms'),
    onFenced: () => life.fence(),
    onBroken: () => life.kill(),
  })
  const producerIds = new ProducerIds((count) => log.allocateProducerIds(count))
  const newProducerId = (): Promise<number> => producerIds.next()

  const damage = new DamageReports({ emit, topicName: (topicId) => catalog.byId(topicId)?.name })
  const segments = new SegmentReader({ ...base, objects, damage })
  const follower = new Follower({ ...view, clock: ioClock, log })
  const reader = new Reader({ ...base, ...view, log, segments, follower })
  const offsets = new Offsets({ ...base, ...view, log, segments })
  const answerMemory = new AnswerMemory(limits.fetchAnswersBytes, limits.fetchAnswerHeldRatio)
  const httpAnswers = new AnswerMemory(limits.httpAnswersBytes)
  const fetchSessions = new FetchSessions({ ...base, slots: number(settings, 'max.incremental.fetch.session.cache.slots') })

  const groups = new Groups({ ...base, ...view, ...groupOptions(settings), store: groupStore, incarnation })
  const transactions = new TransactionCoordinator({ ...view, store: transactionStore, incarnation, newProducerId })
  const topics = new TopicOperations({ ...base, ...view, topics: topicStore })
  const records = new RecordOperations({ ...base, ...view, writer, topics, log, reader, offsets, transactionStore })
  const publishStart = (partition: TopicPartition, logStartOffset: number): void => {
    tails.publishStart(partition, logStartOffset)
    damage.removedBefore(partition, logStartOffset)
  }
  const recordDeletion = new RecordDeletion({ ...base, ...view, log, publishStart })
  const { storage, compaction, merge, sweep, orphans, jobs, reports } = upkeepOf(base, parts, {
    ...view,
    damage,
    objects,
    transactions,
    publishStart,
  })
  const damaged = new DamageOperations({ ...base, ...storage, topics, log, store: parts.metadata.damage, damage, tails })
  const groupOperations = new GroupOperations({ groups, topics, log, offsets })
  const reportsTopics = (): boolean => view.owners.ofName('storage').mine
  const operations = {
    topics,
    brokerConfigs,
    records,
    recordDeletion,
    groups: groupOperations,
    topicMetrics: new TopicMetrics({ ...base, clock: ioClock, topics, records, groups: groupOperations, reportsTopics }),
    damage: damaged,
    compaction: new TopicCompaction({ topics, compaction }),
    upkeep: new UpkeepOperations({ orphans, released: sweep, reports }),
  }

  const stored = { clusterId, log, resources, brokerConfigs, writer, producerIds, reader, offsets, recordDeletion }
  const own = { ...stored, transactionStore, answerMemory, fetchSessions, topics, groups, transactions }
  const services: Services = { ...base, ...view, ...own }
  const changes = changesOf({ ...view, brokerConfigs, groups })
  const life = new Lifecycle({ ...base, membership, groups, tails, writer, changes, upkeep: [...jobs, follower] })
  const kafka = await serveKafka({ ...parts, ...options, ...base, handlers, services })
  life.run(kafka)
  const running = { parts, meters, membership, objects, damage, compaction, merge, httpAnswers, operations, kafka, life }
  return { agent: agentOf(services, { ...base, ...running }), services }
}

/** What this agent believes is read again when another agent has changed it. */
function changesOf({
  owners,
  catalog,
  tails,
  brokerConfigs,
  groups,
}: {
  readonly owners: Owners
  readonly catalog: Catalog
  readonly tails: Tails
  readonly brokerConfigs: BrokerConfigOperations
  readonly groups: Groups
}): MembershipListener {
  return {
    onSlotsMoved(slots) {
      tails.forget((partition) => slots.has(owners.slotOf(partition)))
      groups.slotsMoved()
    },
    async onViewChanged() {
      catalog.clear()
      await brokerConfigs.read()
    },
  }
}

/** What all parts share: the given parts with their defaults, and what is made once from them. */
function baseOf({ clock, ioClock = clock, sessionClock = clock, ...parts }: Parts, given: Settings, meters: Meters) {
  const dynamicConfigs = new DynamicConfigs()
  const settings: Settings = { ...given, dynamic: (name) => dynamicConfigs.valuesOf(name) }
  const { random, codecs, remoteCodecs, remotePackers, crc32c } = parts
  const asked = text(settings, 'memory.bytes')
  const memoryBytes = asked === undefined ? undefined : Number(asked)
  const plan = memoryPlan({ memoryBytes, cacheBytes: number(settings, 'cache.bytes'), machineBytes: parts.machineBytes })
  const { limits = plan.limits } = parts
  const recent = { requests: new RecentRequests(ioClock), flushes: new RecentFlushes(ioClock) }
  const emit = (event: AgentEvent): void => {
    meters.count(event)
    recent.requests.count(event)
    recent.flushes.count(event)
    parts.emit(event)
  }
  const stores = parts.stores ?? new StoreWatch({ emit, clock: ioClock })
  const turns = new Turns(ioClock)
  const memory = parts.memory ?? new SlabPool({ maxFreeBytes: limits.freeSlabBytes })
  const unpacker = new Unpacker({ codecs, ...(remoteCodecs && { remoteCodecs }), clock: ioClock, limits })
  return {
    clock,
    ioClock,
    sessionClock,
    random,
    crc32c,
    memory,
    memberMemory: new MemberMemory(limits.groupBytes),
    unpacker,
    packer: new Packer({ codecs, ...(remotePackers && { remotePackers }), clock: ioClock, limits }),
    limits,
    cacheBytes: plan.cacheBytes,
    settings,
    dynamicConfigs,
    recent,
    emit,
    stores,
    turns,
    gate: openGate,
  }
}

/** What runs beside the clients, and removes, replaces or checks what is stored. */
function upkeepOf(
  base: ReturnType<typeof baseOf>,
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
      problem: () => orphans.halted,
    }),
  })
  const expiry = new Expiry({
    ...base,
    store: metadata.expiry,
    isMine,
    checkMs,
    producersMs: number(settings, 'producer.id.expiration.ms'),
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
  base: ReturnType<typeof baseOf>,
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
  { settings }: ReturnType<typeof baseOf>,
  { segments }: { readonly segments: SegmentReader },
): Pick<CompactionParts, 'readSegment' | 'configsOf' | 'job' | 'checkMs' | 'producerIdExpirationMs'> {
  return {
    readSegment: async (of, segment, signal) => {
      const { bytes, left } = await segments.examine({ of, segment, signal })
      return left === undefined ? bytes : undefined
    },
    configsOf: ({ configs }) => compactionConfigs((name) => topicConfig(configs, settings, name).value),
    job: `${text(settings, 'agent.name') ?? 'agent-1'} compaction`,
    checkMs: number(settings, 'log.cleaner.backoff.ms'),
    producerIdExpirationMs: number(settings, 'producer.id.expiration.ms'),
  }
}

function mergeOptions(
  { settings, crc32c, turns, limits }: ReturnType<typeof baseOf>,
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

/** What an agent reports on and ends. */
interface RunningParts extends Pick<Agent, 'operations' | 'recent'>, Pick<ReturnType<typeof baseOf>, 'memberMemory'> {
  readonly cacheBytes: number
  readonly parts: Parts
  readonly meters: Meters
  readonly membership: Membership
  readonly stores: StoreWatch
  readonly limits: Limits
  readonly memory: SlabPool
  readonly objects: CachedObjects
  readonly damage: DamageReports
  readonly compaction: LogCompaction
  readonly merge: SegmentMerge
  readonly httpAnswers: AnswerMemory
  readonly kafka: KafkaPort
  readonly life: Lifecycle
}

function agentOf(services: Services, running: RunningParts): Agent {
  const { clock, ioClock, turns, random, settings, gate, emit, owners } = services
  const { meters, membership, stores, operations, kafka, life } = running
  return {
    clusterId: services.clusterId,
    brokerId: membership.registration.brokerId,
    addresses: kafka.addresses,
    operations,
    shared: { clock, ioClock, turns, random, settings, gate, emit, owners, httpAnswers: running.httpAnswers },
    members: () => membership.owners.members,
    storeFailure: () => stores.failure,
    health: () => healthOf({ ...services, ...running, stopping: life.stopping }),
    metrics: () => meters.read(gaugesOf({ ...services, ...running })),
    recent: running.recent,
    ended: life.ended,
    drain: () => life.drain(),
    kill: () => life.kill(),
    [Symbol.asyncDispose]: () => life.drain(),
  }
}

/** How this agent registers. */
function selfOf({ settings, listen: [first], advertised, machine }: AgentOptions): Self {
  return {
    agent: text(settings, 'agent.name') ?? 'agent-1',
    advertised: advertised ?? { host: first?.host ?? 'localhost', port: first?.port ?? 0 },
    machine: machine ?? null,
  }
}

function groupOptions(of: Settings): Pick<GroupsParts, 'settings' | 'offsetsRetentionMs' | 'offsetsCheckMs'> {
  const settings: ClassicSettings = {
    initialRebalanceDelayMs: number(of, 'group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: number(of, 'group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number(of, 'group.max.session.timeout.ms'),
    maxSize: number(of, 'group.max.size'),
    newMemberJoinTimeoutMs: fixedLimits.newMemberJoinTimeoutMs,
    leaveOnDisconnect: flag(of, 'group.leave.on.disconnect'),
    reconnectMs: fixedLimits.reconnectMs,
  }
  return {
    settings,
    offsetsRetentionMs: number(of, 'offsets.retention.minutes') * 60_000,
    offsetsCheckMs: number(of, 'offsets.retention.check.interval.ms'),
  }
}
