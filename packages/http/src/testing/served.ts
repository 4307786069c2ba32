// Both planes over real sockets, in front of an agent's real write and read paths; the Metadata Service is a fake in a few maps.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import {
  type AgentEvent,
  defaultLimits,
  KafkaError,
  type Member,
  RecentFlushes,
  RecentRequests,
  settings,
} from '@local-kafka-service/agent'
import { type Codecs, crc32c } from '@local-kafka-service/protocol'
import { nodeCodecs } from '../../../agent/src/codecs.ts'
import { must } from '../../../agent/src/core/assert.ts'
import { objectKey } from '../../../agent/src/core/object-key.ts'
import { Packer } from '../../../agent/src/memory/packer.ts'
import { aPool } from '../../../agent/src/memory/testing/a-pool.ts'
import { Unpacker } from '../../../agent/src/memory/unpacker.ts'
import { MemoryObjects } from '../../../agent/src/objects/adapters/memory.ts'
import { ObjectStoreError } from '../../../agent/src/objects/object-store.ts'
import { CachedObjects } from '../../../agent/src/objects/wrappers/cached.ts'
import { StoreWatch } from '../../../agent/src/observe/store-watch.ts'
import { DamageOperations, type DamageOperationsParts } from '../../../agent/src/operations/damage.ts'
import { GroupOperations, type GroupOperationsParts } from '../../../agent/src/operations/groups.ts'
import { RecordDeletion } from '../../../agent/src/operations/record-deletion.ts'
import { RecordOperations } from '../../../agent/src/operations/records.ts'
import { TopicCompaction } from '../../../agent/src/operations/topic-compaction.ts'
import { TopicMetrics } from '../../../agent/src/operations/topic-metrics.ts'
import { TopicOperations } from '../../../agent/src/operations/topics.ts'
import { TransactionOperations } from '../../../agent/src/operations/transactions.ts'
import { UpkeepOperations } from '../../../agent/src/operations/upkeep.ts'
import { AnswerMemory } from '../../../agent/src/read/answer-memory.ts'
import { DamageReports } from '../../../agent/src/read/damage.ts'
import { Follower } from '../../../agent/src/read/follower.ts'
import { Offsets } from '../../../agent/src/read/offsets.ts'
import { Reader } from '../../../agent/src/read/reader.ts'
import { SegmentReader } from '../../../agent/src/read/segment-reader.ts'
import { Turns } from '../../../agent/src/time/turns.ts'
import { Catalog } from '../../../agent/src/view/catalog.ts'
import { Owners } from '../../../agent/src/view/owners.ts'
import { Tails } from '../../../agent/src/view/tails.ts'
import { Writer } from '../../../agent/src/write/writer.ts'
import { type HttpOptions, type HttpServers, serveHttp } from '../serve.ts'
import type { ServedAgent } from '../served-agent.ts'
import { FakeMetadata } from './fake-metadata.ts'
import { realClock } from './real-clock.ts'

export interface ServedOptions extends Partial<Pick<HttpOptions, 'control' | 'allowedHosts' | 'readConsolePage'>> {
  /** The agent that owns all partitions instead of this one. */
  readonly elsewhere?: Pick<Member, 'brokerId' | 'agent' | 'host' | 'port'> & Partial<Pick<Member, 'rack' | 'controlUrl' | 'dataUrl'>>
  /** Every PUT fails until `heal`. */
  readonly putsFail?: boolean
  /** The gate denies everything. */
  readonly reject?: boolean
  readonly throttleMs?: number
}

export interface ServedForTests {
  readonly control: string
  readonly data: string
  readonly http: HttpServers
  readonly agent: ServedAgent
  /** All addresses of both planes, in order. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The checks of the gate. */
  readonly asked: readonly string[]
  /** Creates a topic unless it exists. */
  topic(name: string, partitions: number): Promise<void>
  /** Stores a batch unchanged, whatever its records: like an agent that does not unpack compressed batches. */
  append(name: string, partition: number, batch: Uint8Array): Promise<void>
  /** Sends raw bytes and returns everything that arrives until the server closes. */
  raw(plane: 'control' | 'data', request: string): Promise<string>
  setHealth(health: ReturnType<ServedAgent['health']>): void
  /** Whether the agent was drained. */
  readonly drained: boolean
  heal(): void
  /** Settles when a fetch waits for records. */
  waitsForRecords(): Promise<void>
  nextMillisecond(): Promise<void>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const clusterId = '00000000-0000-4000-8000-000000000001'
const incarnation = { id: 1, nonce: '0123456789abcdef' }

export async function served(options: ServedOptions = {}): Promise<ServedForTests> {
  const clock = realClock
  const random = { next: Math.random, bytes: (length: number) => randomBytes(length) }
  const emit = (_event: AgentEvent): void => {}
  const agentSettings = settings('dev')
  const bucket = new MemoryObjects()
  let putsFail = options.putsFail ?? false
  const put = bucket.put.bind(bucket)
  bucket.put = (...put_) => (putsFail ? Promise.reject(new ObjectStoreError('unavailable', 'no', 'the bucket is away')) : put(...put_))
  const memory = aPool()
  const objects = new CachedObjects(bucket, { maxBytes: 1024 * 1024, memory })
  const metadata = new FakeMetadata(({ sequence }) => objectKey(clusterId, incarnation, sequence))
  const owners = new Owners({ slots: 1, brokerId: 1, incarnation })
  const { elsewhere } = options
  owners.publishSlots([{ slot: 0, owner: elsewhere === undefined ? incarnation.id : 2, epoch: 1 }])
  if (elsewhere !== undefined)
    owners.publishMembers([{ rack: null, controlUrl: null, dataUrl: null, ...elsewhere, incarnation: 2, beats: 1 }])
  const catalog = new Catalog()
  const tails = new Tails((asked) => metadata.log.partitions(asked), defaultLimits)
  let waiting = Promise.withResolvers<void>()
  const watch = tails.watch.bind(tails)
  tails.watch = (...watched) => {
    waiting.resolve()
    return watch(...watched)
  }
  // The tests compress nothing: using a codec is a defect of the test.
  const unpacker = new Unpacker({ codecs: nodeCodecs, clock, limits: defaultLimits })
  const policy = { maxBytes: 8 * 1024 * 1024, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1 }
  const { log } = metadata
  const stores = new StoreWatch({ emit, clock })
  const writer = new Writer({
    clusterId,
    incarnation,
    objects,
    memory,
    log,
    clock,
    random: { next: () => 0.5 },
    emit,
    tails,
    catalog,
    crc32c,
    policy,
    stores,
    producerIdExpirationMs: () => 86_400_000,
    limits: defaultLimits,
    onFenced: () => {},
    onBroken: () => {},
  })
  const turns = new Turns(clock)
  const damage = new DamageReports({ emit, topicName: () => undefined })
  const segments = new SegmentReader({ objects, crc32c, damage, emit, limits: defaultLimits })
  const follower = new Follower({ log, tails, owners, clock })
  const reader = new Reader({ log, segments, tails, follower, clock, turns, crc32c, limits: defaultLimits })
  const offsets = new Offsets({ log, segments, owners, turns, unpacker })
  const topics = new TopicOperations({ topics: metadata.topics, catalog, tails, settings: agentSettings, turns, random, emit })
  const records = new RecordOperations({
    packer: new Packer({ codecs: {} as Codecs, clock, limits: defaultLimits }),
    log,
    transactionStore: { aborted: async (asks) => asks.map(() => []) },
    topics,
    writer,
    stores,
    reader,
    offsets,
    tails,
    owners,
    settings: agentSettings,
    clock,
    turns,
    ioClock: clock,
    unpacker,
    crc32c,
  })

  const httpAnswers = new AnswerMemory(defaultLimits.httpAnswersBytes)
  const recordDeletion = new RecordDeletion({
    log,
    owners,
    tails,
    publishStart: (partition, logStartOffset) => tails.publishStart(partition, logStartOffset),
    settings: agentSettings,
    turns,
  })
  const groups = new GroupOperations({ groups: noGroups, topics, log, offsets, turns })
  const transactions = new TransactionOperations({
    transactions: { find: notHere, abort: notHere },
    transactionStore: { list: () => Promise.resolve([]) },
    topics,
    owners,
    turns,
  })
  const damaged = new DamageOperations({ topics, log, store: noSkips, segments, damage, checks: noChecks, tails, emit })

  const upkeep = new UpkeepOperations({
    orphans: {
      sweep: () => Promise.reject(new KafkaError('UNSUPPORTED_VERSION')),
    },
    released: { planned: () => Promise.reject(new KafkaError('UNSUPPORTED_VERSION')) },
    reports: { list: () => [] },
  })
  const compaction = new TopicCompaction({
    topics,
    compaction: { compactNow: async ({ configs }) => configs['cleanup.policy'] === 'compact' },
  })

  const topicMetrics = new TopicMetrics({ topics, records, groups, clock, turns, reportsTopics: () => true })
  const asked: string[] = []
  const gate: ServedAgent['shared']['gate'] = {
    authorize(_context, operation, { type, name }) {
      asked.push(`${operation} ${type} ${name}`)
      return options.reject !== true
    },
    throttle: () => options.throttleMs ?? 0,
  }
  let drained = false
  let health: ReturnType<ServedAgent['health']> = { ready: true, reasons: [] }
  const agent: ServedAgent = {
    clusterId,
    brokerId: 1,
    operations: { topics, records, recordDeletion, groups, transactions, damage: damaged, compaction, upkeep, topicMetrics },
    shared: { clock, ioClock: clock, turns, random, settings: agentSettings, gate, emit, owners, httpAnswers },
    members: () => owners.members,
    async drain() {
      drained = true
    },
    storeFailure: () => stores.failure,
    health: () => health,
    metrics: () => [
      {
        name: 'lks_flushes_in_flight',
        help: 'Flushes sealed and not yet answered.',
        type: 'gauge',
        samples: [{ labels: {}, value: writer.flushesInFlight }],
      },
    ],
    recent: { requests: new RecentRequests(clock), flushes: new RecentFlushes(clock) },
  }
  const hosts = ['127.0.0.1', '::1']
  const http = await serveHttp(agent, {
    control: options.control ?? { hosts, port: 0, movable: false },
    data: { hosts, port: 0, movable: false },
    allowedHosts: options.allowedHosts ?? [],
    version: '0.0.0-test',
    ...(options.readConsolePage !== undefined && { readConsolePage: options.readConsolePage }),
  })
  const stop = (): Promise<void> => http.stop()
  return {
    control: http.control.url,
    data: http.data.url,
    http,
    agent,
    addresses: [...http.control.addresses, ...http.data.addresses],
    asked,
    get drained() {
      return drained
    },
    async topic(name, partitions) {
      const made = await topics.create({ name, partitions, configs: {}, dryRun: false })
      if (made.kind === 'error' && catalog.byName(name) === undefined) throw new Error(made.message)
    },
    async append(name, partition, batch) {
      const { topicId } = must(catalog.byName(name), 'the topic was made')
      const [answer] = await writer.admit([{ topicId, partition, epoch: 1, batch }]).answers
      if (answer?.kind !== 'appended') throw new Error(`the batch was not stored: ${JSON.stringify(answer)}`)
    },
    raw: (plane, request) =>
      new Promise((resolve) => {
        const socket = connect(http[plane].port, '127.0.0.1')
        let answer = ''
        socket.on('data', (chunk) => {
          answer += chunk.toString('latin1')
        })
        // A server that rejects a body may close the connection early: its answer before that is valid.
        socket.on('error', () => {})
        socket.on('close', () => resolve(answer))
        socket.write(request)
      }),
    setHealth(next) {
      health = next
    },
    heal() {
      putsFail = false
    },
    waitsForRecords() {
      waiting = Promise.withResolvers<void>()
      return waiting.promise
    },
    async nextMillisecond() {
      const before = Date.now()
      while (Date.now() === before) await new Promise((resolve) => setImmediate(resolve))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const notHere = (): Promise<never> => Promise.reject(new KafkaError('NOT_COORDINATOR'))
/** Another agent coordinates all groups: groups.test.ts tests this agent's groups in front of a whole agent. */
const noGroups: GroupOperationsParts['groups'] = {
  ask: notHere,
  commitInSteps: notHere,
  offsets: notHere,
  delete: notHere,
  list: () => Promise.resolve([]),
  listAll: () => Promise.resolve([]),
  vacate: notHere,
}

/** Nothing is damaged: damage.test.ts tests damage in front of a whole agent. */
const noSkips: DamageOperationsParts['store'] = { skip: notHere, skipped: () => Promise.resolve([]) }
const noChecks: DamageOperationsParts['checks'] = {
  begin: () => {
    throw new KafkaError('NOT_COORDINATOR')
  },
  latest: undefined,
  stop: () => {},
}
