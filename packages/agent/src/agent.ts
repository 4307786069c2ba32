// One agent: it connects the given parts. It reads like a table of contents: every constructor is here, no rule is.
import type { Codecs } from '@local-kafka-service/protocol'
import { openGate } from './api/gate.ts'
import { handlers } from './api/index.ts'
import { Groups } from './coordinate/groups.ts'
import type { Checksum } from './core/checksum.ts'
import type { ClassicSettings } from './core/group/classic-messages.ts'
import type { ClusterId } from './core/ids.ts'
import { limits } from './limits.ts'
import { Membership, type TakeOver } from './membership.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { ListenAddress, Network } from './net/network.ts'
import { serveKafka } from './net/serve.ts'
import { CachedObjects } from './objects/cached.ts'
import type { ObjectStore } from './objects/object-store.ts'
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

/** `fenced`: a successor or another agent took over. `killed`: by `kill`, or by the agent itself after a defect, when its state is not to be trusted. */
export type AgentEnd = 'drained' | 'fenced' | 'killed'

export interface Agent {
  readonly clusterId: ClusterId
  readonly brokerId: number
  /** The addresses on which it listens for Kafka clients, in the order of `listen`. */
  readonly addresses: readonly ListenAddress[]
  readonly services: Services
  /** The reasons, in words, why it is not ready, or what is damaged although it is ready. */
  health(): { readonly ready: boolean; readonly reasons: readonly string[] }
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
  const { clock, ioClock = clock, sessionClock = clock, random, metadata, codecs, crc32c } = parts
  const { settings } = options
  const turns = new Turns(ioClock)
  const meters = new Meters()
  const emit = (event: AgentEvent): void => {
    meters.count(event)
    parts.emit(event)
  }
  const stopped = new AbortController()
  const ended = Promise.withResolvers<AgentEnd>()

  const stores = parts.stores ?? new StoreWatch({ emit, clock: ioClock })
  const first = options.listen[0]
  const name = text(settings, 'agent.name') ?? 'agent-1'
  const membership = await Membership.join(
    { members: metadata.members, slots: metadata.slots, clock: ioClock, random, emit },
    {
      agent: name,
      advertised: options.advertised ?? { host: first?.host ?? 'localhost', port: first?.port ?? 0 },
      machine: options.machine ?? null,
    },
    options.takeOver ?? 'once silent',
  )
  const { owners } = membership
  const { incarnation, brokerId } = membership.registration

  const objects = new CachedObjects(parts.objects, { maxBytes: number(settings, 'cache.bytes') })
  const catalog = new Catalog()
  const tails = new Tails((asked) => metadata.log.partitions(asked))
  const writer = new Writer({
    clusterId: metadata.clusterId,
    incarnation,
    objects,
    log: metadata.log,
    clock: ioClock,
    emit,
    tails,
    catalog,
    crc32c,
    policy: options.flush,
    stores,
    onFenced: () => fence(),
    onBroken: () => kill(),
    producerIdExpirationMs: number(settings, 'producer.id.expiration.ms'),
  })
  const damage = new DamageReports({ emit, topicName: (topicId) => catalog.byId(topicId)?.name })
  const segments = new SegmentReader({ objects, crc32c, damage, emit })
  const reader = new Reader({ log: metadata.log, segments, tails, owners, clock, turns })
  const answerMemory = new AnswerMemory(limits.fetchAnswersBytes)
  const httpAnswers = new AnswerMemory(limits.httpAnswersBytes)
  const fetchSessions = new FetchSessions({ clock, random, slots: number(settings, 'max.incremental.fetch.session.cache.slots') })
  const offsets = new Offsets({ log: metadata.log, segments, owners, turns, codecs })
  const topics = new TopicOperations({ topics: metadata.topics, catalog, tails, settings, turns, random, emit })
  const records = new RecordOperations({
    topics,
    writer,
    stores,
    reader,
    offsets,
    tails,
    owners,
    settings,
    clock,
    ioClock,
    turns,
    codecs,
    crc32c,
  })
  const producerIds = new ProducerIds((count) => metadata.log.allocateProducerIds(count))
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
  const groupOperations = new GroupOperations({ groups, topics, log: metadata.log, offsets })
  const services: Services = {
    clock,
    ioClock,
    turns,
    random,
    settings,
    gate: openGate,
    emit,
    codecs,
    crc32c,
    metadata,
    catalog,
    owners,
    tails,
    topics,
    records,
    writer,
    stores,
    reader,
    answerMemory,
    httpAnswers,
    fetchSessions,
    offsets,
    producerIds,
    groups,
    groupOperations,
  }

  const kafka = await serveKafka({
    network: parts.network,
    listen: options.listen,
    ...(options.advertised && { advertised: options.advertised }),
    handlers,
    services,
    ...(parts.interceptor && { interceptor: parts.interceptor }),
  })
  const beating = membership.run(stopped.signal).then((end) => {
    if (end === 'fenced') fence()
  })
  const coordinating = groups.run(stopped.signal)

  let over = false
  function fence(): void {
    if (over) return
    over = true
    owners.fence()
    tails.forget(() => true)
    groups.abandon()
    stopped.abort()
    kafka.close()
    ended.resolve('fenced')
  }

  function kill(): void {
    over = true
    groups.abandon()
    writer.kill()
    stopped.abort()
    kafka.close()
    ended.resolve('killed')
  }

  async function drain(): Promise<void> {
    if (over) return
    over = true
    kafka.stopAccepting()
    await groups.stop()
    await kafka.drain()
    await writer.drain()
    stopped.abort()
    await Promise.all([beating, coordinating])
    try {
      if (!writer.fenced) await membership.leave()
    } finally {
      // This runs also when the database is away: the slots stay with this incarnation until the next start fences it.
      kafka.close()
      ended.resolve('drained')
    }
  }

  return {
    clusterId: metadata.clusterId,
    brokerId,
    addresses: kafka.addresses,
    services,
    ended: ended.promise,
    drain,
    kill,
    health() {
      const reasons = [
        ...(over ? ['the agent is stopping'] : []),
        ...(stores.trouble === undefined ? [] : [stores.trouble]),
        ...(membership.silentMs > 5 * limits.heartbeatMs && stores.trouble === undefined
          ? [`the Metadata Service has not answered for ${Math.round(membership.silentMs / 1000)} s`]
          : []),
        ...(writer.troubled === undefined || stores.trouble !== undefined ? [] : [`the FileStorage Service: ${writer.troubled}`]),
      ]
      return { ready: reasons.length === 0, reasons: [...reasons, ...damage.reasons()] }
    },
    metrics() {
      return meters.read({
        connections: kafka.connections,
        uncommittedBytes: writer.uncommittedBytes,
        memory: [
          ...kafka.frameMemory,
          { part: 'uncommitted', usedBytes: writer.uncommittedBytes, limitBytes: limits.uncommittedBytes },
          { part: 'fetch answers', usedBytes: answerMemory.usedBytes, limitBytes: answerMemory.capacityBytes },
          { part: 'http answers', usedBytes: httpAnswers.usedBytes, limitBytes: httpAnswers.capacityBytes },
        ],
        flushesInFlight: writer.flushesInFlight,
        heartbeatAgeSeconds: membership.silentMs / 1000,
        damagedPlaces: damage.count,
        cache: objects.meters,
        store: parts.storeMeters?.() ?? [],
      })
    },
    [Symbol.asyncDispose]: drain,
  }
}

function groupSettings(of: Settings): ClassicSettings {
  return {
    initialRebalanceDelayMs: number(of, 'group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: number(of, 'group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number(of, 'group.max.session.timeout.ms'),
    maxSize: number(of, 'group.max.size'),
    newMemberJoinTimeoutMs: limits.newMemberJoinTimeoutMs,
    leaveOnDisconnect: flag(of, 'group.leave.on.disconnect'),
    reconnectMs: limits.reconnectMs,
  }
}
