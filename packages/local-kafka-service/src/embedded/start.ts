// Starts a Kafka server in the calling process and assembles its public interface.
import { type AgentEvent, movableTime } from '@local-kafka-service/agent'
import { awake } from '../server/awake.ts'
import { type Server, startServer } from '../server/server.ts'
import type { ServerPlan } from '../server/server-plan.ts'
import { clientConfig } from './client-config.ts'
import { clockOf } from './clock.ts'
import { embeddedPlan, forkPlan } from './embedded-plan.ts'
import { EventListeners } from './event-listeners.ts'
import { embeddedFaults } from './faults/make-faults.ts'
import { groupHandle } from './group-handle.ts'
import type { Kafka } from './kafka.ts'
import { logLines } from './log-lines.ts'
import { ofPostgres } from './of-postgres.ts'
import { checkOptionNames } from './option-names.ts'
import { Producer } from './produce.ts'
import { readRecords } from './read-records.ts'
import type { KafkaRecord } from './record.ts'
import { recordList } from './record-list.ts'
import { RefusedError } from './rejection-error.ts'
import { valueOf, withRejections } from './rejections.ts'
import { report } from './report.ts'
import { reset } from './reset.ts'
import { takeSnapshot } from './snapshot.ts'
import type { StartKafkaOptions } from './start-options.ts'
import { createTopic, provideTopics } from './topics.ts'
import { TransactionsOfTests } from './transactions.ts'
import { wait } from './wait.ts'
import { checkWanted, type Wanted, waitForRecords } from './wait-for.ts'
import type { WaitOptions } from './wait-options.ts'

/** Less than the 5 s time-out of Vitest and Jest. */
const defaultTimeoutMs = 4_000
/** A report must fit one screen. */
const lastErrorsTold = 5

export async function startEmbedded(options: StartKafkaOptions): Promise<Kafka> {
  return await open(embeddedPlan(options), options)
}

async function open(plan: ServerPlan, options: StartKafkaOptions): Promise<Kafka> {
  const { onEvent, topics = {} } = options
  const listeners = new EventListeners()
  const log = logLines(options.log ?? 'warn')
  const faults = embeddedFaults()
  const emit = (event: AgentEvent): void => {
    listeners.onEvent(event)
    log(event)
    onEvent?.({ ...event })
  }
  const server = await startServer(plan, emit, faults.interceptors)
  faults.useClock(server.clock)
  try {
    // A fork has its parent's topics, including those created or deleted since.
    if (plan.beginsWith?.kind !== 'fork') await awake(provideTopics(server.agent.operations, topics))
    return kafkaOf(server, { listeners, faults, options, plan })
  } catch (error) {
    await server.kill()
    throw error
  }
}

interface Seen {
  readonly listeners: EventListeners
  readonly faults: ReturnType<typeof embeddedFaults>
  readonly options: StartKafkaOptions
  readonly plan: ServerPlan
}

function kafkaOf(server: Server, { listeners, faults: { faults, record, forget }, options, plan }: Seen): Kafka {
  const [address] = server.kafka
  if (address === undefined) throw new RangeError('it listens nowhere')
  const { host, port } = address
  const { operations, shared } = server.agent
  const bootstrapServers = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const urls = server.http && { control: server.http.control.url, data: server.http.data.url }
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  // The time-out of a test is in real time.
  const waiting = { listeners, clock: shared.ioClock, ended: server.ended }
  const producer = new Producer(operations)
  const ends = new AbortController()
  void server.ended.then(() => ends.abort())
  let stopping = false
  /** Runs a call unless the server is stopping; keeps the process alive meanwhile. */
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    if (stopping) throw new RefusedError('SERVER_STOPPED', 'this server was stopped')
    return await awake(work())
  }
  const account = (topic?: string): Promise<string> =>
    report({ operations, clients: listeners.clients, lastErrors: record.lastErrors(lastErrorsTold), ...(topic !== undefined && { topic }) })

  function stop(): Promise<void> {
    stopping = true
    return server.stop()
  }

  const transactions = new TransactionsOfTests(operations)

  /** The two forms of `waitFor`: the result for a number has at least one record, the result for a function exactly one. */
  function waitFor(topic: string, wanted: number, options?: WaitOptions): Promise<[KafkaRecord, ...KafkaRecord[]]>
  function waitFor(topic: string, wanted: (record: KafkaRecord) => boolean, options?: WaitOptions): Promise<[KafkaRecord]>
  async function waitFor(topic: string, wanted: Wanted, given: WaitOptions = {}): Promise<[KafkaRecord, ...KafkaRecord[]]> {
    checkWanted(wanted, topic)
    checkOptionNames('waitFor', given)
    const call = `waitFor('${topic}', ${typeof wanted === 'number' ? wanted : 'function'})`
    const records = await asked(() =>
      wait(
        {
          call,
          timeoutMs: given.timeoutMs ?? timeoutMs,
          from: waitFor,
          work: (signal) => waitForRecords(topic, wanted, { listeners, operations, signal }),
          report: () => account(topic),
        },
        waiting,
      ),
    )
    return recordList(records, call)
  }

  return {
    bootstrapServers,
    get brokers() {
      return [bootstrapServers]
    },
    host,
    port,
    clusterId: server.clusterId,
    urls,
    env: {
      KAFKA_BROKERS: bootstrapServers,
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
      ...(urls !== undefined && { LKS_URL: urls.control }),
    },
    clientConfig: (library) => clientConfig(library, [bootstrapServers]),
    createTopic: (name, spec) => asked(() => withRejections(createTopic(operations, name, spec))),
    produce: (topic, ...records) => asked(() => producer.produce(topic, records)),
    records: (topic, query = {}) => asked(() => readRecords(operations, topic, query)),
    waitFor,
    group: (id) => groupHandle(id, { ...waiting, operations, timeoutMs, report: account, asked }),
    transactions: () => asked(() => transactions.list()),
    faults,
    requests: (filter) => record.requests(filter),
    expectNoErrors: (ignoring) => record.expectNoErrors(ignoring),
    reset: () =>
      asked(async () => {
        // Faults first, because a fault could make the database unavailable for the deletions.
        faults.clear()
        await reset(operations, transactions, options.topics ?? {})
        forget()
      }),
    clock: clockOf(plan.time, { asked, now: () => shared.clock.now() }),
    fork: (given = {}) =>
      asked(async () => {
        checkOptionNames('fork', given)
        const { onEvent } = given
        if (server.copies === undefined) throw ofPostgres('it cannot be forked')
        const time = movableTime({ aheadMs: plan.time?.aheadMs ?? 0 })
        const { onEvent: _, ...same } = options
        return await open(forkPlan(plan, server.copies, time), onEvent === undefined ? same : { ...same, onEvent })
      }),
    snapshot: (path) => asked(() => takeSnapshot(server, path)),
    compact: (topic) => asked(async () => valueOf(await withRejections(operations.compaction.compact(topic, ends.signal)))),
    ended: server.ended,
    stop,
    kill() {
      stopping = true
      return server.kill()
    },
    [Symbol.asyncDispose]: stop,
  }
}
