// One agent: it connects the given parts. It reads like a table of contents: every constructor is here, no rule is.
import { type AgentBase, baseOf, type Parts } from './agent-parts.ts'
import { upkeepOf } from './agent-upkeep.ts'
import { handlers } from './api/index.ts'
import { Groups, type GroupsParts } from './coordinate/groups.ts'
import { TransactionCoordinator } from './coordinate/transactions.ts'
import type { ClassicSettings } from './core/group/classic-messages.ts'
import type { ClusterId, TopicPartition } from './core/ids.ts'
import { gaugesOf, type Health, healthOf } from './health.ts'
import { type AgentEnd, Lifecycle } from './lifecycle.ts'
import { fixedLimits, type Limits } from './limits.ts'
import { Membership, type MembershipListener, type Self, type TakeOver } from './membership.ts'
import type { SlabPool } from './memory/slab-pool.ts'
import type { HttpUrls, Member } from './metadata/metadata-store.ts'
import { DecodedRequests } from './net/decoded-requests.ts'
import { Forwards } from './net/forwards.ts'
import type { ListenAddress } from './net/network.ts'
import { type KafkaPort, serveKafka } from './net/serve.ts'
import { CachedObjects } from './objects/wrappers/cached.ts'
import type { Metric } from './observe/metric.ts'
import { Meters } from './observe/metrics.ts'
import type { RecentFlushes } from './observe/recent-flushes.ts'
import type { RecentRequests } from './observe/recent-requests.ts'
import type { StoreWatch } from './observe/store-watch.ts'
import { BrokerConfigOperations } from './operations/broker-configs.ts'
import { DamageOperations } from './operations/damage.ts'
import { GroupOperations } from './operations/groups.ts'
import { RecordDeletion } from './operations/record-deletion.ts'
import { RecordOperations } from './operations/records.ts'
import { TopicCompaction } from './operations/topic-compaction.ts'
import { TopicMetrics } from './operations/topic-metrics.ts'
import { TopicOperations } from './operations/topics.ts'
import { TransactionOperations } from './operations/transactions.ts'
import { UpkeepOperations } from './operations/upkeep.ts'
import { AnswerMemory } from './read/answer-memory.ts'
import { DamageReports } from './read/damage.ts'
import { Follower } from './read/follower.ts'
import { Offsets } from './read/offsets.ts'
import { Reader } from './read/reader.ts'
import { SegmentReader } from './read/segment-reader.ts'
import { FetchSessions } from './read/sessions.ts'
import type { Services } from './services.ts'
import { flag, number, type Settings, text } from './settings.ts'
import { SlotMoves } from './slot-moves.ts'
import type { LogCompaction } from './upkeep/compaction.ts'
import type { SegmentMerge } from './upkeep/merge.ts'
import { Catalog } from './view/catalog.ts'
import type { Owners } from './view/owners.ts'
import { Tails } from './view/tails.ts'
import { ProducerIds } from './write/producer-ids.ts'
import { type FlushPolicy, Writer } from './write/writer.ts'

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
  readonly transactions: TransactionOperations
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
  /** Call it when HTTP listens: from the next heartbeat on, the other agents redirect HTTP clients there. */
  publishHttp(urls: HttpUrls): void
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
    producerIdExpirationMs: () => number(settings, 'producer.id.expiration.ms'),
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
  const decodedRequests = new DecodedRequests({ ...base, clock: ioClock })
  const fetchSessions = new FetchSessions({ ...base, slots: number(settings, 'max.incremental.fetch.session.cache.slots') })

  const groups = new Groups({ ...base, ...view, ...groupOptions(settings), store: groupStore, incarnation })
  const transactions = new TransactionCoordinator({ ...base, ...view, store: transactionStore, incarnation, newProducerId })
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
  const groupOperations = new GroupOperations({ ...base, groups, topics, log, offsets })
  const reportsTopics = (): boolean => view.owners.ofName('storage').mine
  const operations = {
    topics,
    brokerConfigs,
    records,
    recordDeletion,
    groups: groupOperations,
    transactions: new TransactionOperations({ ...base, ...view, transactions, transactionStore, topics }),
    topicMetrics: new TopicMetrics({ ...base, clock: ioClock, topics, records, groups: groupOperations, reportsTopics }),
    damage: damaged,
    compaction: new TopicCompaction({ topics, compaction }),
    upkeep: new UpkeepOperations({ orphans, released: sweep, reports }),
  }

  const forwarder = new Forwards({ ...view, network: parts.network, clock: ioClock })
  const stored = { clusterId, log, resources, brokerConfigs, writer, producerIds, reader, offsets, recordDeletion }
  const own = {
    ...stored,
    transactionStore,
    answerMemory,
    decodedRequests,
    fetchSessions,
    topics,
    groups,
    transactions,
    forwarder,
    membership,
  }
  const services: Services = { ...base, ...view, ...own }
  const changes = changesOf({ ...view, brokerConfigs, groups, forwarder })
  const slotMoves = new SlotMoves({ ...base, clock: ioClock, membership, groups, writer })
  const redirectMs = number(settings, 'drain.redirect.ms')
  const upkeep = [...jobs, slotMoves]
  const life = new Lifecycle({ ...base, clock: ioClock, membership, groups, tails, writer, changes, upkeep, follower, redirectMs })
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
  forwarder,
}: {
  readonly owners: Owners
  readonly catalog: Catalog
  readonly tails: Tails
  readonly brokerConfigs: BrokerConfigOperations
  readonly groups: Groups
  readonly forwarder: Forwards
}): MembershipListener {
  return {
    onSlotsMoved(slots) {
      tails.forget((partition) => slots.has(owners.slotOf(partition)))
      tails.grown.addAll()
      groups.slotsMoved()
      forwarder.slotsMoved()
    },
    async onViewChanged() {
      catalog.clear()
      await brokerConfigs.read()
    },
  }
}

/** What an agent reports on and ends. */
interface RunningParts extends Pick<Agent, 'operations' | 'recent'>, Pick<AgentBase, 'memberMemory'> {
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
    publishHttp: (urls) => membership.publishHttp(urls),
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
    rack: text(settings, 'broker.rack') ?? null,
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
