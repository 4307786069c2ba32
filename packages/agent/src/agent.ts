// One agent: it connects the given parts. It reads like a table of contents: every constructor is here, no rule is.
import type { Codecs } from '@local-kafka-service/protocol'
import { openGate } from './api/gate.ts'
import { handlers } from './api/index.ts'
import { Groups } from './coordinate/groups.ts'
import type { Checksum } from './core/checksum.ts'
import type { ClassicSettings } from './core/group/classic-messages.ts'
import type { ClusterId } from './core/ids.ts'
import { gaugesOf, type Health, healthOf } from './health.ts'
import { type AgentEnd, Lifecycle } from './lifecycle.ts'
import { defaultLimits, fixedLimits, type Limits } from './limits.ts'
import { Membership, type Self, type TakeOver } from './membership.ts'
import type { Member, MetadataStore } from './metadata/metadata-store.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { ListenAddress, Network } from './net/network.ts'
import { serveKafka } from './net/serve.ts'
import type { ObjectStore } from './objects/object-store.ts'
import { CachedObjects } from './objects/wrappers/cached.ts'
import type { AgentEvent, EventHook } from './observe/events.ts'
import { type Gauges, Meters, type Metric } from './observe/metrics.ts'
import { StoreWatch } from './observe/store-watch.ts'
import { GroupOperations } from './operations/groups.ts'
import { RecordOperations } from './operations/records.ts'
import { TopicOperations } from './operations/topics.ts'
import { AnswerMemory } from './read/answer-memory.ts'
import { DamageReports } from './read/damage.ts'
import { Offsets } from './read/offsets.ts'
import { Reader } from './read/reader.ts'
import { SegmentReader } from './read/segment-reader.ts'
import { FetchSessions } from './read/sessions.ts'
import type { Services } from './services.ts'
import { flag, number, type Settings, text } from './settings.ts'
import type { Clock, Random } from './time/clock.ts'
import { Turns } from './time/turns.ts'
import { Catalog } from './view/catalog.ts'
import { Tails } from './view/tails.ts'
import { ProducerIds } from './write/producer-ids.ts'
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
  readonly crc32c: Checksum
  readonly emit: EventHook
  /** The meters of the object store, if it is measured. */
  readonly storeMeters?: () => Gauges['store']
  /** The current reason, as reported by the stores, why this agent cannot write. Absent: the agent makes its own. */
  readonly stores?: StoreWatch
  /** Default: `defaultLimits`. `metadata` is opened with the same. */
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
  readonly records: RecordOperations
  readonly groups: GroupOperations
}

/** What another server of the same agent shares with its Kafka port. */
export interface SharedServices extends Pick<Services, 'clock' | 'ioClock' | 'random' | 'settings' | 'gate' | 'emit'> {
  /** The memory of HTTP answers with records. */
  readonly httpAnswers: AnswerMemory
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
  /** Settles once, when the agent ends. */
  readonly ended: Promise<AgentEnd>
  /** Stops accepting, answers admitted requests, flushes, gives its slots up. The stores stay open: the creator of the parts closes them. */
  drain(): Promise<void>
  /** Ends at once, like a crash: connections drop, nothing is flushed, no slot is given up. */
  kill(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Registers the agent and opens its port. Rejects if the port is taken or a service is away, and with a LeaseHeldError if another agent serves the cluster. */
export async function createAgent(parts: Parts, options: AgentOptions): Promise<Agent> {
  return (await buildAgent(parts, options)).agent
}

/** For tests, which replace the services of single requests. */
export async function buildAgent(parts: Parts, options: AgentOptions): Promise<{ readonly agent: Agent; readonly services: Services }> {
  const { clock, ioClock = clock, sessionClock = clock, random, metadata, codecs, crc32c, limits = defaultLimits } = parts
  const { clusterId, log } = metadata
  const { settings, flush } = options
  const meters = new Meters()
  const emit = (event: AgentEvent): void => {
    meters.count(event)
    parts.emit(event)
  }
  const turns = new Turns(ioClock)
  const stores = parts.stores ?? new StoreWatch({ emit, clock: ioClock })
  const { members, slots } = metadata
  const membership = await Membership.join(
    { members, slots, clock: ioClock, random, emit, limits },
    selfOf(options),
    options.takeOver ?? 'once silent',
  )
  const { owners } = membership
  const { incarnation, brokerId } = membership.registration

  const objects = new CachedObjects(parts.objects, { maxBytes: number(settings, 'cache.bytes') })
  const catalog = new Catalog()
  const tails = new Tails((asked) => log.partitions(asked), limits)
  const onFenced = (): void => life.fence()
  const onBroken = (): void => life.kill()
  const ofWrites = {
    clusterId,
    incarnation,
    objects,
    log,
    clock: ioClock,
    random,
    emit,
    tails,
    catalog,
    crc32c,
    stores,
    limits,
    onFenced,
    onBroken,
  }
  const writer = new Writer({ ...ofWrites, policy: flush, producerIdExpirationMs: number(settings, 'producer.id.expiration.ms') })
  const producerIds = new ProducerIds((count) => log.allocateProducerIds(count))

  const damage = new DamageReports({ emit, topicName: (topicId) => catalog.byId(topicId)?.name })
  const segments = new SegmentReader({ objects, crc32c, damage, emit })
  const reader = new Reader({ log, segments, tails, owners, clock, turns, limits })
  const offsets = new Offsets({ log, segments, owners, turns, codecs })
  const answerMemory = new AnswerMemory(fixedLimits.fetchAnswersBytes)
  const httpAnswers = new AnswerMemory(fixedLimits.httpAnswersBytes)
  const fetchSessions = new FetchSessions({ clock, random, slots: number(settings, 'max.incremental.fetch.session.cache.slots') })

  const groups = new Groups({
    store: metadata.groups,
    owners,
    incarnation,
    clock,
    sessionClock,
    turns,
    random,
    emit,
    settings: groupSettings(settings),
    offsetsRetentionMs: number(settings, 'offsets.retention.minutes') * 60_000,
    offsetsCheckMs: number(settings, 'offsets.retention.check.interval.ms'),
  })

  const topics = new TopicOperations({ topics: metadata.topics, catalog, tails, settings, turns, random, emit })
  const ofAppends = { writer, tails, owners, settings, clock, ioClock, turns, codecs, crc32c }
  const records = new RecordOperations({ ...ofAppends, topics, log, stores, reader, offsets })
  const operations = { topics, records, groups: new GroupOperations({ groups, topics, log, offsets }) }

  const common = { clock, ioClock, random, settings, gate: openGate, emit }
  const ofReads = { reader, offsets, answerMemory, fetchSessions }
  const services: Services = { ...common, ...ofAppends, ...ofReads, clusterId, catalog, topics, producerIds, groups }
  const life = new Lifecycle({ membership, groups, tails, writer, emit })
  const { network, interceptor } = parts
  const { listen, advertised } = options
  const kafka = await serveKafka({
    network,
    listen,
    handlers,
    services,
    limits,
    ...(advertised && { advertised }),
    ...(interceptor && { interceptor }),
  })
  life.run(kafka)

  const agent: Agent = {
    clusterId,
    brokerId,
    addresses: kafka.addresses,
    operations,
    shared: { ...common, httpAnswers },
    members: () => owners.members,
    storeFailure: () => stores.failure,
    health: () => healthOf({ stopping: life.stopping, stores, membership, writer, damage, limits }),
    metrics: () =>
      meters.read(gaugesOf({ kafka, writer, answerMemory, httpAnswers, membership, damage, objects, store: parts.storeMeters?.() ?? [] })),
    ended: life.ended,
    drain: () => life.drain(),
    kill: () => life.kill(),
    [Symbol.asyncDispose]: () => life.drain(),
  }
  return { agent, services }
}

/** How this agent registers. */
function selfOf({ settings, listen: [first], advertised, machine }: AgentOptions): Self {
  return {
    agent: text(settings, 'agent.name') ?? 'agent-1',
    advertised: advertised ?? { host: first?.host ?? 'localhost', port: first?.port ?? 0 },
    machine: machine ?? null,
  }
}

function groupSettings(of: Settings): ClassicSettings {
  return {
    initialRebalanceDelayMs: number(of, 'group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: number(of, 'group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number(of, 'group.max.session.timeout.ms'),
    maxSize: number(of, 'group.max.size'),
    newMemberJoinTimeoutMs: fixedLimits.newMemberJoinTimeoutMs,
    leaveOnDisconnect: flag(of, 'group.leave.on.disconnect'),
    reconnectMs: fixedLimits.reconnectMs,
  }
}
