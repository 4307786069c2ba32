// One world: virtual time, a network, a bucket, a database, the lives of one agent or of several, clients, and the checker that sees everything.
// It is longer than other files because it is one thing: each part of a world refers to the others.
import {
  type Agent,
  type AgentEvent,
  createAgent,
  defaultLimits,
  errorText,
  type Limits,
  MetadataError,
  orLate,
  settings,
} from '@local-kafka-service/agent'
import {
  claimPrefix,
  type FlushPolicy,
  type ListenAddress,
  type MetadataStore,
  nativeCrc32c,
  nodeCodecs,
  type ObjectStore,
  openMetadata,
  openSqlite,
  parseObjectKey,
  RetryingObjects,
  SlabPool,
  type TopicId,
  type Transactions,
} from '@local-kafka-service/agent/simulation'
import { Administrator } from './administrator.ts'
import { audit } from './audit.ts'
import { Chance } from './chance.ts'
import type { ClientParts } from './cluster-client.ts'
import { Consumer, type ConsumerOptions } from './consumer.ts'
import { Copier, type CopierOptions } from './copier.ts'
import { Bucket, faultlessStore } from './faulty-objects.ts'
import { Database, faultlessDatabase } from './faulty-sql.ts'
import { IdempotentProducer, type IdempotentProducerOptions } from './idempotent-producer.ts'
import { Checker, type CompactionOfTopic } from './invariants.ts'
import { IsolatedReader, type IsolatedReaderOptions } from './isolated-reader.ts'
import { KeyedProducer, type KeyedProducerOptions } from './keyed-producer.ts'
import { LateProducer, type LateProducerOptions } from './late-producer.ts'
import { Life } from './life.ts'
import { LifeClock } from './life-clock.ts'
import { MemberClient, type MemberClientOptions } from './member-client.ts'
import { PlainProducer, type PlainProducerOptions } from './producer.ts'
import type { RunningAgent } from './running-agent.ts'
import { VirtualTime } from './sim-clock.ts'
import { type NetworkFaults, SimNetwork } from './sim-network.ts'
import { Trace } from './trace.ts'
import { faultlessDisk, VolumeDisk, type VolumeSetup } from './volume-disk.ts'

export interface AgentSetup {
  readonly flush: FlushPolicy
  readonly cacheBytes: number
  /** How often it looks for records to remove. Default: not in this world. */
  readonly retentionCheckMs?: number
  /** How long a deleted topic can be brought back. Default: a day. */
  readonly undeleteMs?: number
  /** How often the store is listed for orphans. Default: not in this world. */
  readonly sweepMs?: number
  /** How often it looks for unused groups and transactional ids. Default: Kafka's. */
  readonly expiryCheckMs?: number
}

/** A topic that is compacted all the time. */
export interface CompactionSetup extends CompactionOfTopic {
  /** `log.cleaner.backoff.ms`. */
  readonly checkMs: number
  readonly segmentMs: number
}

/** Segments are merged all the time. */
export interface MergeSetup {
  /** `storage.merge.interval.ms`. */
  readonly intervalMs: number
  /** `storage.merge.max.age.ms`. */
  readonly maxAgeMs: number
}

export interface WorldOptions {
  readonly seed: number
  readonly partitions: number
  /** Agents that run at the same time. Default: one. */
  readonly agents?: number
  /** The lives keep their objects in a directory instead of the bucket. */
  readonly volumes?: VolumeSetup
  /** The topic is compacted. */
  readonly compaction?: CompactionSetup
  /** Absent: nothing is merged. */
  readonly merge?: MergeSetup
  readonly onLine?: (line: string) => void
}

/** Small worlds: most of what an agent releases is used again. */
const freeSlabBytes = 4 * 1024 * 1024
export const clusterId = '5eed5eed-0000-4000-8000-000000000001'
const strangerId = '5eed5eed-0000-4000-8000-000000000002'
const topicName = 'events'
export const calmNetwork: NetworkFaults = { latencyMs: [0.1, 2], split: 0.05, cut: 0 }
/** No scenario with sweeps lets a PUT land later. */
export const latestPutMs = 20_000
/** The time in which an undisturbed world must finish its remaining work. */
const recoveryMs = 180_000

export class World {
  readonly seed: number
  readonly chance: Chance
  readonly time = new VirtualTime()
  readonly trace: Trace
  readonly network: SimNetwork
  readonly bucket: Bucket
  /** Instead of the bucket, in a world whose lives keep their objects in a directory. */
  readonly disk: VolumeDisk | undefined
  readonly database: Database<Transactions>
  readonly checker: Checker
  readonly partitions: number
  /** Options of the lives that start from now on. */
  setup: AgentSetup = { flush: groupCommit, cacheBytes: 1024 * 1024 }
  /** The limits of all lives. */
  limits: Limits = defaultLimits
  /** The error of the database's clock. */
  databaseSkewMs = 0
  readonly #compaction: CompactionSetup | undefined
  readonly #merge: MergeSetup
  readonly #lives: RunningAgent[] = []
  readonly #names: readonly string[]
  #started = 0
  /** The newest life of each agent, while it runs, by name. */
  readonly #current = new Map<string, RunningAgent>()
  /** The incarnation of each life. */
  readonly #incarnations = new Map<string, number>()
  #topicId: TopicId | undefined
  #metadata: MetadataStore | undefined
  #over = false

  constructor({ seed, partitions, agents = 1, volumes, compaction, merge = { intervalMs: -1, maxAgeMs: 0 }, onLine }: WorldOptions) {
    this.seed = seed
    this.partitions = partitions
    this.#names = Array.from({ length: agents }, (_, at) => `agent-${at + 1}`)
    this.#compaction = compaction
    this.#merge = merge
    this.chance = new Chance(`seed ${seed}`)
    this.trace = new Trace(this.time, onLine)
    this.network = new SimNetwork(this.time, this.chance.stream('network'), calmNetwork)
    this.bucket = new Bucket({
      time: this.time,
      chance: this.chance.stream('bucket'),
      trace: this.trace,
      secondContent: (key, life) => this.checker.violate('a key never gets a second content', `${key} by ${life}`),
    })
    const lost = (message: string): void => this.checker.violate('I4 visible implies durable', message)
    this.disk = volumes && new VolumeDisk({ time: this.time, chance: this.chance.stream('disk'), trace: this.trace, setup: volumes, lost })
    this.checker = new Checker({ nowMs: () => this.time.nowMs, stored: this.stored, clusterId })
    this.checker.compaction = compaction
    this.database = new Database({
      time: this.time,
      chance: this.chance.stream('database'),
      trace: this.trace,
      sql: openSqlite({ path: ':memory:', durability: 'memory', now: () => this.time.wallMs + this.databaseSkewMs }),
      executed: (executed) => this.checker.executed(executed),
    })
  }

  /** The topic's present id. */
  get topicId(): TopicId {
    if (this.#topicId === undefined) throw new Error('the world is not open')
    return this.#topicId
  }

  /** The newest life of the only agent, while it runs. Of several agents: any that runs. */
  get current(): RunningAgent | undefined {
    return this.running[0]
  }

  /** The newest lives of all agents that run. */
  get running(): readonly RunningAgent[] {
    return [...this.#current.values()]
  }

  /** That of an agent's life; undefined until it has registered. */
  incarnationOf(life: string): number | undefined {
    return this.#incarnations.get(life)
  }

  /** The real content of the bucket or the directory. */
  get stored(): ObjectStore {
    return this.disk?.stored ?? this.bucket.stored
  }

  /** Starts the first life of each agent and creates the topic. */
  async open(): Promise<void> {
    const clock = new LifeClock(this.time, new Life('checker', this.time))
    const random = this.chance.stream('checker')
    this.#metadata = await openMetadata(this.database.direct, { newClusterId: clusterId, clock, random, limits: this.limits })
    for (const name of this.#names) await this.start(name)
    this.#topicId = await this.#makeTopic()
  }

  get #firstName(): string {
    const [first] = this.#names
    if (first === undefined) throw new Error('a world has an agent')
    return first
  }

  get #addresses(): readonly ListenAddress[] {
    return this.#names.map(addressOf)
  }

  // ---- lives --------------------------------------------------------------------------------------------------------------------

  /** Starts another life of the agent, with as many attempts as it takes. This fences the former life, whether it is alive or not. */
  async start(name = this.#firstName): Promise<RunningAgent> {
    for (;;) {
      const life = new Life(`${name}.${(this.#started += 1)}`, this.time)
      try {
        const running = { name, life, agent: await this.#join(name, life) }
        this.#lives.push(running)
        this.#current.set(name, running)
        this.trace.write(life.name, 'serves')
        this.#watch(running)
        return running
      } catch (error) {
        this.trace.write(life.name, `does not start: ${errorText(error)}`)
        life.end()
        this.disk?.crash()
        this.network.dropLife(life)
        await this.time.sleep(this.chance.between([100, 1_000]))
      }
    }
  }

  /** Like kill -9: operations on their way to the bucket and the database may still be done. */
  crash(running: RunningAgent): void {
    this.trace.write(running.life.name, 'is killed')
    this.#end(running)
    this.disk?.crash()
  }

  /** The machine of the agent loses power. The database is another machine. */
  losePower(running: RunningAgent): void {
    this.#end(running)
    this.disk?.losePower()
  }

  #end(running: RunningAgent): void {
    this.#goes(running)
    // End the machine first: responses on their way may be lost with it.
    this.network.dropLife(running.life)
    running.life.end()
    running.agent.kill()
  }

  /** Like SIGSTOP. */
  freeze(running: RunningAgent): void {
    this.trace.write(running.life.name, 'is frozen')
    running.life.freeze()
  }

  /** Like SIGCONT. */
  thaw(running: RunningAgent): void {
    this.trace.write(running.life.name, 'is thawed')
    running.life.thaw()
  }

  /** Like SIGTERM: it answers all admitted requests, then ends. */
  async drain(running: RunningAgent): Promise<void> {
    this.trace.write(running.life.name, 'drains')
    this.#goes(running)
    try {
      await running.agent.drain()
      this.trace.write(running.life.name, 'is drained')
    } catch (error) {
      // All admitted requests are answered; only the slots could not be released.
      if (!(error instanceof MetadataError)) throw error
      this.trace.write(running.life.name, `is drained, but: ${error.message}`)
    }
    running.life.end()
    this.network.dropLife(running.life)
    await this.disk?.close()
  }

  #goes(running: RunningAgent): void {
    if (this.#current.get(running.name) === running) this.#current.delete(running.name)
  }

  async #join(name: string, life: Life): Promise<Agent> {
    const clock = new LifeClock(this.time, life)
    const random = this.chance.stream(life.name)
    const { limits } = this
    const { flush, cacheBytes, retentionCheckMs, undeleteMs, sweepMs, expiryCheckMs } = this.setup
    const objects = new RetryingObjects(this.disk?.open(life) ?? this.bucket.of(life), { clock, random })
    const metadata = await openMetadata(this.database.of(life), { newClusterId: clusterId, clock, random, limits })
    const claim = await claimPrefix(objects, { clusterId: metadata.clusterId, createdAtMs: clock.now() })
    if (claim.kind !== 'ours') this.checker.violate('no defect', `${life.name} finds that its prefix is of ${claim.kind}`)
    const emit = (event: AgentEvent): void => this.#event(life, event)
    await this.disk?.recover({ objects, recovery: metadata.recovery, crc32c: nativeCrc32c, clock, emit })
    return await createAgent(
      {
        clock,
        random,
        network: this.network.of(life),
        objects,
        metadata,
        codecs: nodeCodecs,
        crc32c: nativeCrc32c,
        memory: new SlabPool({ maxFreeBytes: freeSlabBytes, fillsReleased: true }),
        limits,
        emit,
      },
      {
        settings: settings('start', {
          'agent.name': { value: name, source: 'flag' },
          'cache.bytes': { value: String(cacheBytes), source: 'flag' },
          'auto.create.topics.enable': { value: 'false', source: 'flag' },
          ...(retentionCheckMs !== undefined && { 'log.retention.check.interval.ms': { value: String(retentionCheckMs), source: 'flag' } }),
          ...(undeleteMs !== undefined && { 'topic.undelete.ms': { value: String(undeleteMs), source: 'flag' } }),
          ...(expiryCheckMs !== undefined && {
            'offsets.retention.check.interval.ms': { value: String(expiryCheckMs), source: 'flag' },
            'transaction.remove.expired.transaction.cleanup.interval.ms': { value: String(expiryCheckMs), source: 'flag' },
          }),
          'storage.merge.interval.ms': { value: String(this.#merge.intervalMs), source: 'flag' },
          'storage.merge.max.age.ms': { value: String(this.#merge.maxAgeMs), source: 'flag' },
          'storage.sweep.interval.ms': { value: String(sweepMs ?? -1), source: 'flag' },
          ...(this.#compaction && { 'log.cleaner.backoff.ms': { value: String(this.#compaction.checkMs), source: 'flag' } }),
        }),
        listen: [addressOf(name)],
        flush,
        // Like --take-over: the predecessor may be frozen and wake up.
        takeOver: 'own name at once',
      },
    )
  }

  /** A fenced life exits. The world starts another one if it was the newest. */
  #watch(running: RunningAgent): void {
    void running.agent.ended.then((end) => {
      this.trace.write(running.life.name, `ended: ${end}`)
      if (end !== 'fenced') return
      const incarnation = this.#incarnations.get(running.life.name)
      if (incarnation === undefined || !this.checker.isFenced(incarnation))
        this.checker.violate('an agent ends as fenced only when it was fenced', running.life.name)
      running.life.end()
      this.network.dropLife(running.life)
      if (this.#current.get(running.name) !== running) return
      this.#current.delete(running.name)
      if (!this.#over) this.start(running.name).catch((error: unknown) => this.checker.violate('it recovers', errorText(error)))
    })
  }

  #event(life: Life, event: AgentEvent): void {
    if (event.kind === 'request' || event.kind === 'reply') return
    this.trace.write(life.name, eventLine(event))
    if (event.kind === 'registered') this.#incarnations.set(life.name, event.incarnation.id)
    if (event.kind === 'defect') this.checker.violate('no defect', `${life.name}, ${event.where}: ${errorText(event.error)}`)
    if (event.kind === 'protocol error') this.checker.violate('no defect', `${life.name}: ${event.message}`)
    if (event.kind === 'corrupt data' && this.bucket.faults.bitFlip === 0 && this.bucket.faults.shortRead === 0)
      this.checker.violate('I10 a segment points to an existing object', `${life.name} found corrupt data: ${event.message}`)
  }

  // ---- clients ------------------------------------------------------------------------------------------------------------------

  plainProducer(options: PlainProducerOptions): PlainProducer {
    return new PlainProducer(this.#client(options.name), options)
  }

  idempotentProducer(options: IdempotentProducerOptions): IdempotentProducer {
    return new IdempotentProducer(this.#client(options.name), options)
  }

  keyedProducer(options: KeyedProducerOptions): KeyedProducer {
    return new KeyedProducer(this.#client(options.name), options, () => this.current)
  }

  /** Follows until the world heals. */
  consumer(options: ConsumerOptions): Consumer {
    return new Consumer(this.#client(options.name), options)
  }

  groupMember(options: MemberClientOptions): MemberClient {
    return new MemberClient(this.#client(options.name), options)
  }

  copier(options: CopierOptions): Copier {
    return new Copier(this.#client(options.name), options)
  }

  lateProducer(options: LateProducerOptions): LateProducer {
    return new LateProducer(this.#client(options.name), options)
  }

  isolatedReader(options: IsolatedReaderOptions): IsolatedReader {
    return new IsolatedReader(this.#client(options.name), options)
  }

  #client(name: string): ClientParts {
    const { time, network, trace, checker, partitions } = this
    if (this.#topicId === undefined) throw new Error('the world is not open')
    const chance = this.chance.stream(name)
    const topic = { name: topicName, topicId: this.#topicId, partitions }
    return { time, chance, network, trace, checker, addresses: this.#addresses, topic }
  }

  /** Deletes the topic and creates another under its name; a client that uses the old topic's id gets an error. */
  async makeTopicAgain(): Promise<void> {
    if (this.#topicId === undefined) throw new Error('the world is not open')
    await this.#administrator().deleteTopic(this.#topicId)
    this.#topicId = await this.#makeTopic()
  }

  /** Deletes the topic, waits, and brings it back. If its purge has begun by then, it creates another under its name. */
  async deleteAndUndelete(waitMs: number): Promise<void> {
    const { topicId } = this
    await this.#administrator().deleteTopic(topicId)
    await this.time.sleep(waitMs)
    while (this.checker.isAway(topicId)) {
      const result = await this.#undelete(topicId)
      this.trace.write('world', `undelete: ${result}`)
      if (result === 'error') {
        this.#topicId = await this.#makeTopic()
        return
      }
      await this.time.sleep(100)
    }
  }

  async #undelete(topicId: TopicId): Promise<'ok' | 'error' | 'no answer'> {
    const { current } = this
    if (current === undefined) return 'no answer'
    try {
      const undelete = current.agent.operations.topics.undelete(topicId).then(({ kind }) => kind)
      return await orLate(undelete, { clock: this.time, afterMs: 30_000 }, 'no answer')
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error
      return 'no answer'
    }
  }

  async #makeTopic(): Promise<TopicId> {
    // In half of the worlds the agent stamps records: its timestamps never go back, whatever its clock does.
    this.checker.stamped ??= this.chance.stream('topic').happens(0.5)
    const { stamped, retentionMs } = this.checker
    const configs = [
      { name: 'message.timestamp.type', value: stamped ? 'LogAppendTime' : 'CreateTime' },
      ...(retentionMs === undefined ? [] : [{ name: 'retention.ms', value: String(retentionMs) }]),
      ...(this.#compaction === undefined ? [] : compactionConfigsOf(this.#compaction)),
    ]
    const made = await this.#administrator().makeTopic({ name: topicName, numPartitions: this.partitions, configs })
    if (made !== undefined) return made
    const [found] = (await this.#metadata?.topics.find({ names: [topicName] })) ?? []
    if (found === undefined) throw new Error('the agent reports that the topic exists, but it does not')
    return found.topicId
  }

  /** Deletes every topic that is there. */
  async deleteTopics(): Promise<void> {
    if (this.#metadata === undefined) throw new Error('the world is not open')
    for (const { topicId } of await this.#metadata.topics.list()) await this.#administrator().deleteTopic(topicId)
  }

  /** Deletes the records of a partition before the offset. */
  async deleteRecords(partition: number, offset: number): Promise<void> {
    await this.#administrator().deleteRecords(partition, offset)
  }

  #administrator(): Administrator {
    const { time, network, trace, checker, partitions } = this
    const topic = { name: topicName, topicId: this.#topicId ?? '', partitions }
    return new Administrator({ time, network, trace, checker, chance: this.chance.stream('admin'), addresses: this.#addresses, topic })
  }

  // ---- the end ------------------------------------------------------------------------------------------------------------------

  /** Ends all faults: every part is available, and each agent runs. */
  async heal(): Promise<void> {
    this.trace.write('world', 'heals')
    this.network.faults = calmNetwork
    this.bucket.faults = faultlessStore
    this.bucket.away = false
    this.bucket.decide = undefined
    if (this.disk !== undefined) this.disk.faults = faultlessDisk
    this.database.faults = faultlessDatabase
    this.database.away = false
    this.database.decide = undefined
    for (const running of this.#lives) if (running.life.state === 'frozen') this.thaw(running)
    for (const name of this.#names) if (!this.#current.has(name)) await this.start(name)
  }

  /** Checks that every response to a client, the log, the database and the bucket agree, and that the agent works. */
  async finish(clients: Promise<unknown>): Promise<void> {
    await this.heal()
    await this.#within('the clients settle', clients)
    const probe = this.idempotentProducer({
      name: 'probe',
      requests: 3,
      paceMs: [1, 1],
      records: [1, 1],
      spread: [1, 1],
      requestTimeoutMs: 30_000,
      deliveryTimeoutMs: 120_000,
    })
    const before = this.checker.acknowledged
    await this.#within('it accepts records', probe.run())
    if (this.checker.acknowledged < before + 3) this.checker.violate('it recovers', 'records of a healthy world were rejected')
    // At every agent: each serves the partitions of the others, too.
    for (const [at, address] of this.#addresses.entries()) {
      const name = at === 0 ? 'last reader' : `last reader of agent ${at + 1}`
      const reader = new Consumer({ ...this.#client(name), addresses: [address] }, { name, from: 'earliest', maxWaitMs: 500 })
      await this.#within('everything is readable', reader.readAll())
      reader.stop()
    }
    if (this.#metadata === undefined || this.#topicId === undefined) throw new Error('the world is not open')
    await audit(this.#metadata.log, { checker: this.checker, topicId: this.#topicId, partitions: this.partitions })
    if (this.setup.sweepMs !== undefined) await this.#sweptAll(this.setup.sweepMs, this.#metadata)
    await this.#keepsStrangersOut()
    this.checker.atTheEnd()
  }

  /** Ends everything; the world is over. */
  async close(): Promise<void> {
    this.#over = true
    for (const { life, agent } of this.#lives) {
      life.end()
      agent.kill()
    }
    await this.database.direct.close()
  }

  /** After another pass each stored object has a row: no flush is on its way. */
  async #sweptAll(sweepMs: number, { clusterId: cluster, orphans }: MetadataStore): Promise<void> {
    // PUTs of the scenario may land so late.
    await this.time.sleep(latestPutMs + sweepMs + 5_000)
    for await (const { key } of this.stored.list(`${cluster}/`)) {
      const object = parseObjectKey(cluster, key)
      const [standing] = object === undefined ? [] : await orphans.standings([object])
      if (standing?.kind !== 'committed') this.checker.violate('an orphan is removed', `${key} is ${standing?.kind ?? 'no object'}`)
    }
  }

  /** Another cluster that starts on the same prefix finds it in use. */
  async #keepsStrangersOut(): Promise<void> {
    const claim = await claimPrefix(this.stored, { clusterId: strangerId, createdAtMs: this.time.wallMs })
    if (claim.kind !== 'another cluster') this.checker.violate('a key never gets a second content', `the prefix belongs to ${claim.kind}`)
  }

  async #within(what: string, promise: Promise<unknown>): Promise<void> {
    if ((await orLate(promise, { clock: this.time, afterMs: recoveryMs }, 'late')) === 'late')
      this.checker.violate('it recovers', `not within ${recoveryMs} ms: ${what}`)
  }
}

/** Each agent has a port of its own. */
function addressOf(name: string): ListenAddress {
  return { host: 'broker', port: 9_091 + Number(name.slice(name.lastIndexOf('-') + 1)) }
}

/** The policy of `lks dev`: flush at once when idle, otherwise when the previous flush is done, and wait a moment for producers that send much. */
export const groupCommit: FlushPolicy = {
  maxBytes: 8 * 1024 * 1024,
  lingerMs: 0,
  flushesInFlight: 1,
  putsPerSecond: Number.POSITIVE_INFINITY,
  burst: 1,
  gather: { fromBytes: 200, toBytes: 2_000 },
}

function compactionConfigsOf({
  segmentMs,
  deleteRetentionMs,
}: CompactionSetup): readonly { readonly name: string; readonly value: string }[] {
  return [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'segment.ms', value: String(segmentMs) },
    { name: 'delete.retention.ms', value: String(deleteRetentionMs) },
    { name: 'min.cleanable.dirty.ratio', value: '0.01' },
  ]
}

/** The event on one line; errors as their message, because a stack contains the machine's paths. */
function eventLine(event: AgentEvent): string {
  return JSON.stringify(event, (_, value: unknown) => (value instanceof Error ? value.message : value))
}
